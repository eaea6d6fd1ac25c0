package datafeed

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestAWaitEndsWithItsDeadline(t *testing.T) {
	feed := open(t, datafeedtest.Start(t), nil)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	for range 2 {
		if _, err := feed.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

func TestCancelEndsABlockedCallAtOnce(t *testing.T) {
	_, feed := start(t)
	// Of several that wait, only the one whose context is done.
	others, endOthers := context.WithCancel(context.Background())
	waiting := []<-chan error{nextInGoroutine(others, feed), nextInGoroutine(others, feed)}
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		blocked := nextInGoroutine(ctx, feed)
		cancel()
		if err := result(t, blocked); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	for _, blocked := range waiting {
		select {
		case err := <-blocked:
			t.Fatal("it should still wait: ", err)
		default:
		}
	}
	endOthers()
	for _, blocked := range waiting {
		if err := result(t, blocked); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

func TestAStaleInterruptionIsNoError(t *testing.T) {
	e, feed := start(t)
	for number := range 50 {
		e.Publish(hello(number))
		ctx, cancel := context.WithCancel(context.Background())
		event, err := feed.Next(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		ack(t, event)
	}
}

func TestLoopsEndWithTheContextAndWithTheFeed(t *testing.T) {
	feed := open(t, datafeedtest.Start(t), nil)
	ctx, cancel := context.WithCancel(context.Background())
	for _, end := range []func(){cancel, func() { feed.Close() }} {
		turns := during(func() (turns int) {
			for range feed.Events(ctx) {
				turns++
			}
			return turns
		})
		untilReading(t, feed)
		end()
		if turns := result(t, turns); turns != 0 {
			t.Fatalf("%d turns", turns)
		}
		ctx = context.Background()
	}
}

func TestManyGoroutinesShareAFeed(t *testing.T) {
	const count = 500
	e, feed := start(t, "--batch-max", "7")
	var mutex sync.Mutex
	seen := map[string]int{}
	var consumers sync.WaitGroup
	for range 32 {
		consumers.Add(1)
		go func() {
			defer consumers.Done()
			for {
				// Contexts that end at every moment, while others wait.
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				event, err := feed.Next(ctx)
				cancel()
				switch {
				case err == nil:
					mutex.Lock()
					seen[string(event.Raw())]++
					mutex.Unlock()
					if err := event.Ack(); err != nil {
						t.Error(err)
					}
				case errors.Is(err, ErrClosed):
					return
				case !errors.Is(err, context.DeadlineExceeded):
					t.Error(err)
					return
				}
			}
		}()
	}
	e.Chat(count)
	e.Wait("acknowledged", count)
	feed.Close()
	consumers.Wait()
	if len(seen) != count {
		t.Fatalf("%d different events", len(seen))
	}
	for raw, times := range seen {
		if times != 1 {
			t.Fatalf("%d times: %s", times, raw)
		}
	}
}

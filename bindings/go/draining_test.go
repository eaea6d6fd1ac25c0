package datafeed

import (
	"context"
	"errors"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestDrainWaitsForTheEventsInHand(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(1), hello(2), hello(3))
	first, second := next(t, feed), next(t, feed)
	drained := during(func() error { return feed.Drain(context.Background()) })
	for {
		// What was not handed out yet stays where it is.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		event, err := feed.Next(ctx)
		cancel()
		if errors.Is(err, ErrClosed) {
			break
		}
		if err == nil {
			ack(t, event)
		}
	}
	ack(t, first)
	select {
	case err := <-drained:
		t.Fatal("an event is still held: ", err)
	default:
	}
	if _, err := feed.Session(); err != nil {
		t.Fatal(err)
	}
	if err := second.Nack(); err != nil {
		t.Fatal(err)
	}
	if err := result(t, drained); err != nil {
		t.Fatal(err)
	}
	if stats := statsOf(t, feed); stats.State != "CLOSED" {
		t.Fatalf("%+v", stats)
	}
	if err := feed.Drain(context.Background()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// A context that has ended says no more than that there is no time.
func TestDrainWithoutTimeIsDoneWhenNothingIsInHand(t *testing.T) {
	e := datafeedtest.Start(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 100 {
		if err := open(t, e, nil).Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	for _, settle := range []bool{true, false} {
		e, feed := start(t)
		e.Publish(hello(1))
		event := next(t, feed)
		if settle {
			ack(t, event)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := feed.Drain(ctx)
		if settle && err != nil || !settle && !errors.Is(err, context.Canceled) {
			t.Fatalf("settled %v: %v", settle, err)
		}
		if stats := statsOf(t, feed); stats.State != "CLOSED" {
			t.Fatalf("%+v", stats)
		}
	}
	e, feed := start(t)
	e.Publish(hello(1))
	event := next(t, feed)
	ctx, cancel := context.WithCancel(context.Background())
	drained := during(func() error { return feed.Drain(ctx) })
	if _, err := feed.Next(context.Background()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	cancel()
	if err := result(t, drained); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := event.Ack(); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestCloseEndsADrain(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(1))
	next(t, feed)
	drained := during(func() error { return feed.Drain(context.Background()) })
	if _, err := feed.Next(context.Background()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	feed.Close()
	if err := result(t, drained); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// With Datafeed 1 and without stateDir what the service has handed out is lost with the process, so the bot gets it before
// the end.
func TestDrainOfDatafeed1HandsOutWhatHasArrived(t *testing.T) {
	e := datafeedtest.Start(t)
	feed := open(t, e, map[string]any{"datafeed": map[string]any{"version": "v1", "idFilePath": t.TempDir()}})
	untilReading(t, feed)
	e.Publish(hello(1), hello(2), hello(3))
	until(t, func() bool { return statsOf(t, feed).Queued == 3 })
	drained := during(func() error { return feed.Drain(context.Background()) })
	count := 0
	for event, err := range feed.Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		ack(t, event)
		count++
	}
	if err := result(t, drained); err != nil || count != 3 {
		t.Fatal(count, err)
	}
}

// As in examples/go/pool: a signal ends a pool of goroutines, and nothing that one of them has begun is lost.
func TestASignalEndsAPoolOfGoroutines(t *testing.T) {
	const workers = 4
	e, feed := start(t)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	begun, finish := make(chan struct{}, workers), make(chan struct{})
	var pool sync.WaitGroup
	for range workers {
		pool.Add(1)
		go func() {
			defer pool.Done()
			for event, err := range feed.Events(context.Background()) {
				if err != nil {
					t.Error(err)
					return
				}
				begun <- struct{}{}
				<-finish
				if err := event.Ack(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	e.Chat(workers)
	for range workers {
		result(t, begun)
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	result(t, ctx.Done())
	drained := during(func() error { return feed.Drain(context.Background()) })
	if _, err := feed.Next(context.Background()); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	e.Chat(workers)
	close(finish)
	if err := result(t, drained); err != nil {
		t.Fatal(err)
	}
	pool.Wait()
	if stats := statsOf(t, feed); stats.Acknowledged != workers || stats.HandedOut != workers {
		t.Fatalf("%+v", stats)
	}
}

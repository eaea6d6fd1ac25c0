package datafeed

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestCloseWhileOthersWait(t *testing.T) {
	feed := open(t, datafeedtest.Start(t), nil)
	var waiting []<-chan error
	for range 3 {
		waiting = append(waiting, nextInGoroutine(context.Background(), feed))
	}
	untilReading(t, feed)
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, blocked := range waiting {
		if err := result(t, blocked); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestUseAfterCloseIsAnError(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(1))
	event := next(t, feed)
	feed.Close()
	_, nextErr := feed.Next(context.Background())
	_, sessionErr := feed.Session()
	for _, err := range []error{nextErr, sessionErr, event.Ack(), event.Ack(), event.Nack()} {
		if !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
	if stats := statsOf(t, feed); stats.State != "CLOSED" {
		t.Fatalf("%+v", stats)
	}
	if err := feed.Err(); err != nil {
		t.Fatal(err)
	}
	if event.ID() != "event-1" {
		t.Fatalf("%s", event.Raw())
	}
}

// The events are in Go's memory, so a feed that is closed keeps nothing for the bot.
func TestACloseLeavesNothingInTheLibrary(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(1), hello(2))
	next(t, feed)
	next(t, feed)
	if stats := statsOf(t, feed); stats.Held != 2 {
		t.Fatalf("%+v", stats)
	}
	feed.Close()
	if stats := statsOf(t, feed); stats.Held != 0 {
		t.Fatalf("%+v", stats)
	}
}

func TestASecondCloseIsHarmless(t *testing.T) {
	feed := open(t, datafeedtest.Start(t), nil)
	for range 3 {
		if err := feed.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAForgottenFeedIsClosed(t *testing.T) {
	e := datafeedtest.Start(t)
	forgotten, err := Open(e.Config(), WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	untilReading(t, forgotten)
	e.Publish(hello(1))
	event := next(t, forgotten)
	// The same feed without the wrapper that is forgotten.
	kept, logged := &Feed{handle: forgotten.handle}, forgotten.logged
	forgotten = nil
	for range 3 {
		runtime.GC()
	}
	// A feed of which an event is in use is not forgotten.
	if stats := statsOf(t, kept); stats.State == "CLOSED" {
		t.Fatalf("%+v", stats)
	}
	ack(t, event)
	event = nil
	until(t, func() bool {
		runtime.GC()
		return statsOf(t, kept).State == "CLOSED"
	})
	result(t, logged)
}

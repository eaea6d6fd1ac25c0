package datafeed

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// open opens a feed with further settings, and closes it after the test.
func open(t *testing.T, e *datafeedtest.Emulator, settings map[string]any, options ...Option) *Feed {
	t.Helper()
	usual := map[string]any{"nackDelay": 10}
	maps.Copy(usual, settings)
	quiet := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	feed, err := Open(e.Config(usual), append([]Option{WithLogger(quiet)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close() })
	return feed
}

// testLog shows what is logged with the test that it belongs to.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

// start is an emulator and a feed that reads from it.
func start(t *testing.T, options ...string) (*datafeedtest.Emulator, *Feed) {
	t.Helper()
	e := datafeedtest.Start(t, options...)
	feed := open(t, e, nil)
	untilReading(t, feed)
	return e, feed
}

// untilReading waits until the feed reads: events that are published before there is a feed reach nobody.
func untilReading(t *testing.T, feed *Feed) {
	t.Helper()
	until(t, func() bool {
		stats, err := feed.Stats()
		return err != nil || stats.State == "READING"
	})
}

func until(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(datafeedtest.Patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen in time")
		}
	}
}

// next takes an event.
func next(t *testing.T, feed *Feed) *Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), datafeedtest.Patience)
	defer cancel()
	event, err := feed.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func ack(t *testing.T, event *Event) {
	t.Helper()
	if err := event.Ack(); err != nil {
		t.Fatal(err)
	}
}

// result waits for what a goroutine sends.
func result[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(datafeedtest.Patience):
		t.Fatal("the goroutine still waits")
		panic("unreachable")
	}
}

// during runs in a goroutine.
func during[T any](work func() T) <-chan T {
	done := make(chan T, 1)
	go func() { done <- work() }()
	return done
}

func nextInGoroutine(ctx context.Context, feed *Feed) <-chan error {
	return during(func() error {
		_, err := feed.Next(ctx)
		return err
	})
}

// message is a MESSAGESENT event as the service sends it.
func message(number int, text string, userID int64) any {
	user := map[string]any{"userId": userID, "displayName": "Amara Okafor"}
	id := fmt.Sprintf("message-%d", number)
	return map[string]any{
		"id":        fmt.Sprintf("event-%d", number),
		"messageId": id,
		"timestamp": 1709537400000 + number,
		"type":      "MESSAGESENT",
		"initiator": map[string]any{"user": user},
		"payload": map[string]any{
			"messageSent": map[string]any{
				"message": map[string]any{"messageId": id, "message": text, "user": user},
			},
		},
	}
}

func hello(number int) any {
	return message(number, "hello", 349026222342101)
}

// statsOf looks at the statistics, which a test then prints if they are not what they should be.
func statsOf(t *testing.T, feed *Feed) Stats {
	t.Helper()
	stats, err := feed.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// raw publishes text as it stands.
func raw(text string) json.RawMessage {
	return json.RawMessage(text)
}

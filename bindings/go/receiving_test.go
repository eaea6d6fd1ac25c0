package datafeed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestReceivesAndAcknowledgesInOrder(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(0), hello(1), hello(2), hello(3), hello(4))
	var last uint64
	for _, id := range []string{"event-0", "event-1", "event-2", "event-3", "event-4"} {
		event := next(t, feed)
		if event.ID() != id || event.Type() != "MESSAGESENT" || event.Attempt() != 1 {
			t.Fatalf("%s, attempt %d", event.Raw(), event.Attempt())
		}
		if event.Delivery <= last {
			t.Fatalf("delivery %d after %d", event.Delivery, last)
		}
		last = event.Delivery
		ack(t, event)
	}
	if books := e.Wait("acknowledged", 5); books.Redelivered != 0 {
		t.Fatalf("%+v", books)
	}
}

func TestNackBringsItBackWithAttempt2(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(1), hello(2))
	first := next(t, feed)
	if err := first.Nack(); err != nil {
		t.Fatal(err)
	}
	second := next(t, feed)
	if second.ID() != "event-2" || second.Attempt() != 1 {
		t.Fatalf("%s, attempt %d", second.Raw(), second.Attempt())
	}
	again := next(t, feed)
	if !bytes.Equal(again.Raw(), first.Raw()) || again.Attempt() != 2 || again.Delivery <= first.Delivery {
		t.Fatalf("%s, attempt %d", again.Raw(), again.Attempt())
	}
	ack(t, again)
	ack(t, second)
	e.Wait("acknowledged", 2)
	for _, done := range []*Event{first, again} {
		if err := done.Ack(); !errors.Is(err, ErrInvalidDelivery) {
			t.Fatal(err)
		}
		if err := done.Nack(); !errors.Is(err, ErrInvalidDelivery) {
			t.Fatal(err)
		}
	}
}

func TestEventsKeepComingWhileOneIsHeld(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(1))
	held := next(t, feed)
	e.Publish(hello(2))
	second := next(t, feed)
	if second.ID() != "event-2" {
		t.Fatalf("%s", second.Raw())
	}
	ack(t, second)
	ack(t, held)
	e.Wait("acknowledged", 2)
}

func TestUnicodeAnd64BitIdsAreUnchanged(t *testing.T) {
	e, feed := start(t)
	text := "Grüße, 世界 🚀 \u2028 \"quoted\" \\ \u0000"
	e.Publish(message(1, text, math.MaxInt64))
	event := next(t, feed)
	ack(t, event)
	var typed struct {
		Initiator struct{ User struct{ UserID int64 } }
		Payload   struct {
			MessageSent struct{ Message struct{ Message string } }
		}
	}
	if err := event.Decode(&typed); err != nil {
		t.Fatal(err)
	}
	if typed.Payload.MessageSent.Message.Message != text || typed.Initiator.User.UserID != math.MaxInt64 {
		t.Fatalf("%+v", typed)
	}
	var open map[string]any
	if err := event.Decode(&open); err != nil {
		t.Fatal(err)
	}
	user := open["initiator"].(map[string]any)["user"].(map[string]any)
	if user["userId"] != json.Number("9223372036854775807") {
		t.Fatalf("%v", user)
	}
	if err := event.Decode(new([]string)); err == nil {
		t.Fatal("an event is no list")
	}
}

func TestWhatAnEventSaysOfItself(t *testing.T) {
	e, feed := start(t)
	e.Publish(
		raw(`{"type":"NEWLYINVENTED","id":"n-1","timestamp":1709537400123}`),
		raw(`{"id":7,"type":"MESSAGESENT","timestamp":"yesterday"}`),
		raw(`{ }`),
	)
	for _, told := range []struct {
		kind, id string
		at       time.Time
	}{
		{"NEWLYINVENTED", "n-1", time.Date(2024, 3, 4, 7, 30, 0, 123e6, time.UTC)},
		{"MESSAGESENT", "", time.Time{}},
		{"", "", time.Time{}},
	} {
		event := next(t, feed)
		if event.Type() != told.kind || event.ID() != told.id || !event.Timestamp().Equal(told.at) {
			t.Fatalf("%s: %q %q %v", event.Raw(), event.Type(), event.ID(), event.Timestamp())
		}
		ack(t, event)
	}
}

func TestThePayloadIsWhatHappened(t *testing.T) {
	e, feed := start(t)
	e.Publish(
		message(1, "hello", math.MaxInt64),
		raw(`{"type":"NEWLYINVENTED","id":"n","payload":{"newlyInvented":[9007199254740993]}}`),
		raw(`{"type":"MESSAGESENT","id":"nulls","payload":{"roomCreated":null,"messageSent":[1],"extra":{}}}`),
		raw(`{"id":"null","payload":{"other":null,"happened":[2]}}`),
		raw(`{"id":"none"}`),
		raw(`{"id":"two","payload":{"a":1,"b":2}}`),
	)
	var sent struct{ Message struct{ Message string } }
	if err := next(t, feed).DecodePayload(&sent); err != nil || sent.Message.Message != "hello" {
		t.Fatal(sent, err)
	}
	var invented []any
	err := next(t, feed).DecodePayload(&invented)
	if err != nil || invented[0] != json.Number("9007199254740993") {
		t.Fatal(invented, err)
	}
	for _, want := range []json.Number{"1", "2"} {
		if err := next(t, feed).DecodePayload(&invented); err != nil || invented[0] != want {
			t.Fatal(invented, err)
		}
	}
	for _, id := range []string{`"none" has 0 members`, `"two" has 2 members`} {
		if err := next(t, feed).DecodePayload(&invented); err == nil || !strings.Contains(err.Error(), id) {
			t.Fatal(id, err)
		}
	}
}

func TestImplicitAcknowledgementIsPossible(t *testing.T) {
	e := datafeedtest.Start(t)
	feed := open(t, e, map[string]any{"ack": "implicit"})
	untilReading(t, feed)
	e.Publish(hello(0), hello(1), hello(2))
	first := next(t, feed)
	next(t, feed)
	last := next(t, feed)
	if stats := statsOf(t, feed); stats.Acknowledged != 2 || stats.Held != 1 {
		t.Fatalf("%+v", stats)
	}
	if err := first.Ack(); !errors.Is(err, ErrInvalidDelivery) {
		t.Fatal(err)
	}
	ack(t, last)
	e.Wait("acknowledged", 3)
}

func TestEventsAreNotAcknowledgedByGoingOn(t *testing.T) {
	e, feed := start(t)
	e.Publish(hello(0), hello(1), hello(2))
	count := 0
	for event, err := range feed.Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; count == 3 {
			ack(t, event)
			break
		}
	}
	if stats := statsOf(t, feed); stats.Held != 2 || stats.Acknowledged != 1 {
		t.Fatalf("%+v", stats)
	}
}

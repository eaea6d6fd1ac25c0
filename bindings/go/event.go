package datafeed

// #include <datafeed.h>
import "C"

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Event is an event in the bot's hands, until [Event.Ack] or [Event.Nack]. Any goroutine may call any method. It stays
// readable for ever, and a feed of which an event is in use is not forgotten.
type Event struct {
	// Delivery is the number of this delivery. Numbers count up and are never used again.
	Delivery uint64

	feed    *Feed
	raw     []byte
	attempt int
	once    sync.Once
	parsed  head
}

// head is what every event has.
type head struct {
	ID        string
	Type      string
	Timestamp int64
}

// Raw returns the JSON text exactly as the agent sent it. It is a copy, and stays valid.
func (e *Event) Raw() []byte {
	return e.raw
}

// Attempt says how often this feed has handed out the event, this time included; with maxAttempts those before it, too.
func (e *Event) Attempt() int {
	return e.attempt
}

// ID returns the event's id, or "" if it has none. Ids are no keys: simultaneous events may share one.
func (e *Event) ID() string {
	return e.head().ID
}

// Type returns what happened, such as MESSAGESENT, or "" if the event does not say.
func (e *Event) Type() string {
	return e.head().Type
}

// Timestamp returns when it happened, or the zero time if the event does not say.
func (e *Event) Timestamp() time.Time {
	if millis := e.head().Timestamp; millis != 0 {
		return time.UnixMilli(millis)
	}
	return time.Time{}
}

// head parses the event when it is first asked for. A member of another type than usual counts as absent, and spoils
// no other.
func (e *Event) head() *head {
	e.once.Do(func() { _ = json.Unmarshal(e.raw, &e.parsed) })
	return &e.parsed
}

// Decode parses the event into v, as [json.Unmarshal] does. Where v leaves the type open a number becomes a
// [json.Number], since user ids need 64 bits.
func (e *Event) Decode(v any) error {
	return decode(e.raw, v)
}

// DecodePayload parses what happened into v as Decode does: the member of the event's payload that its type names, such
// as payload.messageSent of a MESSAGESENT, else the only one that is not null. If there is none, or several, it is an error.
func (e *Event) DecodePayload(v any) error {
	var event struct{ Payload map[string]json.RawMessage }
	if err := json.Unmarshal(e.raw, &event); err != nil {
		return err
	}
	var only json.RawMessage
	count := 0
	for name, happened := range event.Payload {
		if string(happened) == "null" {
			continue
		}
		if strings.EqualFold(name, e.Type()) {
			return decode(happened, v)
		}
		only = happened
		count++
	}
	if count != 1 {
		return fmt.Errorf("datafeed: the payload of the event %q has %d members, not one", e.ID(), count)
	}
	return decode(only, v)
}

func decode(text []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(v)
}

// Ack says that the bot is done with the event: this process never gets it again, with stateDir nor do later ones.
//
// It returns [ErrInvalidDelivery] when that was said before, and [ErrClosed] when the feed is closed: the event is
// then delivered again to the next reader. With [ErrNotStored] the event is acknowledged all the same, and the bot goes on.
func (e *Event) Ack() error {
	defer runtime.KeepAlive(e.feed)
	return settled(C.datafeed_ack(e.feed.handle, C.uint64_t(e.Delivery)))
}

// Nack says that the bot is not done: this event alone comes again after nackDelay, which doubles with each attempt. With
// maxAttempts it is set aside in the end, see [Feed.DeadLetters]. It returns what Ack returns.
func (e *Event) Nack() error {
	defer runtime.KeepAlive(e.feed)
	return settled(C.datafeed_nack(e.feed.handle, C.uint64_t(e.Delivery)))
}

func settled(status C.int32_t) error {
	if status == C.DATAFEED_INVALID_ARGUMENT {
		return ErrInvalidDelivery
	}
	return check(status)
}

package datafeed

// #include <datafeed.h>
import "C"

import (
	"bytes"
	"encoding/json"
	"runtime"
	"sync/atomic"
)

// Event is an event in the bot's hands, until [Event.Ack] or [Event.Nack].
type Event struct {
	// Delivery is the number of this delivery. Numbers count up and are never used again.
	Delivery uint64

	feed    *Feed
	raw     []byte
	attempt int
	settled atomic.Bool
}

// Raw returns the JSON text exactly as the agent sent it. It is a copy, and stays valid.
func (e *Event) Raw() []byte {
	return e.raw
}

// Attempt says how often this feed has handed out the event, this time included.
func (e *Event) Attempt() int {
	return e.attempt
}

// Decode parses the event into v, as [json.Unmarshal] does. Where v leaves the type open a number becomes a
// [json.Number], since user ids need 64 bits.
func (e *Event) Decode(v any) error {
	decoder := json.NewDecoder(bytes.NewReader(e.raw))
	decoder.UseNumber()
	return decoder.Decode(v)
}

// Ack says that the bot is done with the event: this process never gets it again.
//
// It returns [ErrInvalidDelivery] when that was said before, and [ErrClosed] when the feed is closed: the event is
// then delivered again to the next reader.
func (e *Event) Ack() error {
	return e.settle(func() C.int32_t { return C.datafeed_ack(e.feed.handle, C.uint64_t(e.Delivery)) })
}

// Nack says that the bot is not done: this event alone comes again after nackDelay, with the next attempt. It returns
// what Ack returns.
func (e *Event) Nack() error {
	return e.settle(func() C.int32_t { return C.datafeed_nack(e.feed.handle, C.uint64_t(e.Delivery)) })
}

func (e *Event) settle(tell func() C.int32_t) error {
	defer runtime.KeepAlive(e.feed)
	settledBefore := e.settled.Swap(true)
	e.feed.held.Delete(e.Delivery)
	status := tell()
	if status != C.DATAFEED_INVALID_ARGUMENT {
		return check(status)
	}
	if e.feed.closing.Load() && !settledBefore {
		// Closing the feed has given it back.
		return ErrClosed
	}
	return ErrInvalidDelivery
}

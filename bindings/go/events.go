package datafeed

// #include <datafeed.h>
//
// typedef struct {
//     uint64_t delivery;
//     const char *json;
//     size_t length;
//     uint32_t attempt;
// } received;
//
// // What belongs to an event, in one crossing from Go to C.
// static int32_t receive(datafeed *feed, int32_t timeout_ms, received *event) {
//     int32_t status = datafeed_next_event(feed, timeout_ms, &event->delivery, &event->json, &event->length);
//     if (status == DATAFEED_OK) {
//         datafeed_attempt(feed, event->delivery, &event->attempt);
//     }
//     return status;
// }
import "C"

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"runtime"
	"unsafe"
)

// Next waits for the next event. The caller acknowledges it.
//
// It returns ctx.Err() at once when ctx is done, [ErrClosed] when the feed is closed or drained, and the final [*Error]
// when the feed has stopped for good. Any number of goroutines may wait; each event goes to one of them.
func (f *Feed) Next(ctx context.Context) (*Event, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer runtime.KeepAlive(f)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var next C.received
	// What is there already is taken without the cost of a wait that can be ended.
	status := C.receive(f.handle, 0, &next)
	if status == C.DATAFEED_TIMEOUT || status == C.DATAFEED_INTERRUPTED {
		status = f.wait(ctx, &next)
	}
	switch status {
	case C.DATAFEED_OK:
		return f.event(&next), nil
	case C.DATAFEED_INTERRUPTED:
		return nil, ctx.Err()
	case C.DATAFEED_FAILED:
		return nil, f.reason()
	}
	return nil, check(status)
}

// wait waits for an event, and is interrupted when ctx is done.
func (f *Feed) wait(ctx context.Context, next *C.received) C.int32_t {
	stop := context.AfterFunc(ctx, func() { C.datafeed_interrupt(f.handle) })
	defer stop()
	for {
		status := C.receive(f.handle, -1, next)
		// An interruption may be that of a context that ended just after its call did.
		if status != C.DATAFEED_INTERRUPTED || ctx.Err() != nil {
			return status
		}
	}
}

// event copies what the library has lent, and says so: the event stays in the bot's hands, while the library may free
// its memory.
func (f *Feed) event(next *C.received) *Event {
	text := unsafe.Slice((*byte)(unsafe.Pointer(next.json)), next.length)
	event := &Event{
		Delivery: uint64(next.delivery),
		feed:     f,
		raw:      bytes.Clone(text),
		attempt:  int(next.attempt),
	}
	C.datafeed_copied(f.handle, next.delivery)
	return event
}

// Events returns the events as they come. The loop's body acknowledges each of them: nothing is acknowledged by going
// on.
//
// The loop ends when ctx is done or the feed is closed or drained. When the feed has stopped for good it ends with the
// final [*Error].
func (f *Feed) Events(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			event, err := f.Next(ctx)
			if err != nil {
				if ctx.Err() == nil && !errors.Is(err, ErrClosed) {
					yield(nil, err)
				}
				return
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

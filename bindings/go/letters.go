package datafeed

// #include <datafeed.h>
import "C"

import (
	"encoding/json"
	"iter"
	"runtime"
)

// DeadLetter is an event that the bot refused maxAttempts times, and that is set aside in stateDir.
type DeadLetter struct {
	// ID is what [Feed.Resubmit] and [Feed.Discard] take. Ids count up and are never used again.
	ID uint64 `json:"id"`
	// At is when it was set aside, in milliseconds since 1970.
	At int64 `json:"at"`
	// Attempts says how often it had been handed out.
	Attempts int `json:"attempts"`
	// Event is the event.
	Event json.RawMessage `json:"event"`
}

// DeadLetters returns the events that were set aside, the oldest first. [Feed.Resubmit] and [Feed.Discard] take them out,
// also while the loop goes on. Without stateDir there are none.
//
// An error ends the loop: [ErrClosed] when the feed is closed, and an [*Error] with the code STATE_UNAVAILABLE when
// stateDir cannot be read.
func (f *Feed) DeadLetters() iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		var after uint64
		for {
			page, err := f.lettersAfter(after)
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			for _, letter := range page {
				if !yield(letter, nil) {
					return
				}
				after = letter.ID
			}
			if len(page) == 0 {
				return
			}
		}
	}
}

// lettersAfter is a part of the list.
func (f *Feed) lettersAfter(after uint64) (letters []DeadLetter, err error) {
	defer runtime.KeepAlive(f)
	var text *C.char
	switch status := C.datafeed_dead_letters(f.handle, C.uint64_t(after), &text); status {
	case C.DATAFEED_OK:
		err = json.Unmarshal(take(text), &letters)
	case C.DATAFEED_NOT_STORED:
		err = f.reason()
	default:
		err = check(status)
	}
	return letters, err
}

// Resubmit hands out an event again that was set aside, by the ID of its [DeadLetter]: as if it were new, with attempt 1.
//
// It returns [ErrUnknownLetter] when there is none, and [ErrClosed] when the feed is closed. With [ErrNotStored] nothing
// was done, since stateDir takes nothing at the moment: try again later.
func (f *Feed) Resubmit(letter uint64) error {
	defer runtime.KeepAlive(f)
	return takenOut(C.datafeed_resubmit(f.handle, C.uint64_t(letter)))
}

// Discard throws away an event that was set aside. It returns what Resubmit returns.
func (f *Feed) Discard(letter uint64) error {
	defer runtime.KeepAlive(f)
	return takenOut(C.datafeed_discard(f.handle, C.uint64_t(letter)))
}

func takenOut(status C.int32_t) error {
	if status == C.DATAFEED_INVALID_ARGUMENT {
		return ErrUnknownLetter
	}
	return check(status)
}

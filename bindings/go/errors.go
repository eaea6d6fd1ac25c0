package datafeed

import (
	"encoding/json"
	"errors"
	"fmt"
)

var (
	// ErrClosed says that the feed is closed. An event that was not acknowledged before is delivered again to the
	// next reader.
	ErrClosed = errors.New("datafeed: the feed is closed")

	// ErrInvalidDelivery says that the event is not held: it was acknowledged or refused already.
	ErrInvalidDelivery = errors.New("datafeed: the event is not held: it was acknowledged or refused already")

	// ErrNotStored says that stateDir could not store yet what was said, as when its disk is full. It is no failure: what
	// was said is done, and will be stored, and there is nothing to be said again. A crash before could undo it.
	ErrNotStored = errors.New("datafeed: it is done, but stateDir could not store it yet")

	// ErrUnknownLetter says that no dead letter has this id: it was handed out again or thrown away already.
	ErrUnknownLetter = errors.New("datafeed: no dead letter has this id")

	// ErrForked says that the feed belongs to the parent process. A forked child must open its own.
	ErrForked = errors.New("datafeed: the feed belongs to the parent process")
)

// Error is what the library tells about something that went wrong. [errors.Is] finds one by its code:
//
//	errors.Is(err, &datafeed.Error{Code: "AUTH_REJECTED"})
type Error struct {
	// Code is the kind of the error, such as AUTH_REJECTED or CONFIG_INVALID. The names never change.
	Code string `json:"code"`
	// Message says what happened and what to do, for a person to read.
	Message string `json:"message"`
	// HTTPStatus is the status of the HTTP response that told of the error, or 0.
	HTTPStatus int `json:"httpStatus,omitempty"`
	// Retryable is true while the feed goes on trying. A final error is not retryable.
	Retryable bool `json:"retryable"`
	// Field is the setting at fault, as a path in the configuration: bot.privateKey.path.
	Field string `json:"field,omitempty"`
	// File is the file at fault.
	File string `json:"file,omitempty"`
	// TraceID is the X-Trace-Id of the request, for Symphony's support.
	TraceID string `json:"traceId,omitempty"`
}

// Error returns the code and the message.
func (e *Error) Error() string {
	return "datafeed: " + e.Code + ": " + e.Message
}

// Is reports whether target is an *Error with the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// parseError makes an error of the library's error object.
func parseError(text []byte) *Error {
	err := &Error{Code: "INTERNAL", Message: "the library gave no reason"}
	if len(text) > 0 {
		if broken := json.Unmarshal(text, err); broken != nil {
			err.Message = fmt.Sprintf("the library's error cannot be read: %v", broken)
		}
	}
	return err
}

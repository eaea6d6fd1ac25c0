// Package datafeed gives a Go program Symphony's real-time events.
//
//	feed, err := datafeed.Open("config.json")
//	if err != nil { ... }
//	defer feed.Close()
//	for event, err := range feed.Events(ctx) {
//		if err != nil { ... }
//		fmt.Println(string(event.Raw()))
//		event.Ack()
//	}
//
// Reconnecting, logging in again, acknowledging to the service and filtering what comes twice is the business of the
// symphony-datafeed library, in a thread of its own.
package datafeed

// #include <stdlib.h>
// #include <datafeed.h>
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// renewalSlice is how long a cancelled [Feed.RenewSession] may go on in the background.
const renewalSlice = time.Minute

// logSlice is how long a cancelled [Feed.NextLog] may take to notice it: the library has no call that wakes it.
const logSlice = 50 * time.Millisecond

// Feed is a feed of events, polled by a thread of the library. All its methods may be called by any goroutine.
type Feed struct {
	handle *C.datafeed
	// turn is held by the one goroutine that waits inside the library. An interruption is then always meant for it,
	// and the others wait without a thread each.
	turn chan struct{}
	// held has the delivery numbers of the events in the bot's hands. Closing gives them back: the library keeps its
	// copies of them until then.
	held *sync.Map
	// latest is the event before. Whoever has the turn may use it.
	latest  uint64
	closing atomic.Bool
}

// Open opens a feed. config is a text in JSON, which starts with a brace, or in YAML, which has more than one line, or the
// path of a file in either. Open checks it and does not wait for the network. A configuration that cannot be used is an [*Error] that names the field.
func Open(config string) (*Feed, error) {
	if strings.ContainsRune(config, 0) {
		return nil, &Error{Code: "CONFIG_INVALID", Message: "the configuration holds a NUL character"}
	}
	text := C.CString(config)
	defer C.free(unsafe.Pointer(text))
	feed := &Feed{turn: make(chan struct{}, 1), held: &sync.Map{}}
	var reason *C.char
	if C.datafeed_create(text, &feed.handle, &reason) != C.DATAFEED_OK {
		return nil, parseError(take(reason))
	}
	// For a feed that nobody closed. Closing may write acknowledgements, which should not hold up other finalizers.
	runtime.SetFinalizer(feed, func(feed *Feed) {
		go closeAndGiveBack(feed.handle, feed.held)
	})
	return feed, nil
}

// Next waits for the next event. The caller acknowledges it.
//
// It returns ctx.Err() at once when ctx is done, [ErrClosed] when the feed is closed, and the final [*Error] when the
// feed has stopped for good. Any number of goroutines may wait; each event goes to one of them.
func (f *Feed) Next(ctx context.Context) (*Event, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer runtime.KeepAlive(f)
	stop := context.AfterFunc(ctx, func() { C.datafeed_interrupt(f.handle) })
	defer stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var delivery C.uint64_t
		var text *C.char
		var length C.size_t
		switch status := C.datafeed_next_event(f.handle, -1, &delivery, &text, &length); status {
		case C.DATAFEED_OK:
			var attempt C.uint32_t
			C.datafeed_attempt(f.handle, delivery, &attempt)
			event := &Event{
				Delivery: uint64(delivery),
				feed:     f,
				raw:      C.GoBytes(unsafe.Pointer(text), C.int(length)),
				attempt:  int(attempt),
			}
			f.hold(event.Delivery)
			return event, nil
		case C.DATAFEED_INTERRUPTED:
			// Perhaps for a context that ended just after its call did.
		case C.DATAFEED_FAILED:
			return nil, f.finalError()
		default:
			return nil, check(status)
		}
	}
}

// hold notes what Close has to give back.
func (f *Feed) hold(delivery uint64) {
	if _, held := f.held.Load(f.latest); held {
		// With "ack": "implicit" the library has acknowledged the event before by itself.
		var attempt C.uint32_t
		if C.datafeed_attempt(f.handle, C.uint64_t(f.latest), &attempt) != C.DATAFEED_OK {
			f.held.Delete(f.latest)
		}
	}
	f.latest = delivery
	f.held.Store(delivery, nil)
	if f.closing.Load() {
		giveBack(f.handle, f.held)
	}
}

// Events returns the events as they come. The loop's body acknowledges each of them: nothing is acknowledged by going
// on.
//
// The loop ends when ctx is done or the feed is closed. When the feed has stopped for good it ends with the final
// [*Error].
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

// Close stops the feed. Calls that wait return [ErrClosed].
//
// Acknowledgements that were not sent yet are written first, for at most closeTimeout. Closing twice is harmless.
func (f *Feed) Close() error {
	defer runtime.KeepAlive(f)
	f.closing.Store(true)
	if err := check(closeAndGiveBack(f.handle, f.held)); !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}

func closeAndGiveBack(handle *C.datafeed, held *sync.Map) C.int32_t {
	status := C.datafeed_close(handle)
	giveBack(handle, held)
	return status
}

// giveBack frees the library's copies of events that the bot held when the feed was closed. It says nothing to anybody.
func giveBack(handle *C.datafeed, held *sync.Map) {
	held.Range(func(delivery, _ any) bool {
		held.Delete(delivery)
		C.datafeed_nack(handle, C.uint64_t(delivery.(uint64)))
		return true
	})
}

// Err returns why the feed has stopped for good, or else the latest trouble that it is dealing with or has overcome,
// as an [*Error], or nil if there never was any. Also after Close.
func (f *Feed) Err() error {
	defer runtime.KeepAlive(f)
	var text *C.char
	if err := check(C.datafeed_error(f.handle, &text)); err != nil {
		return err
	}
	if text == nil {
		return nil
	}
	return parseError(take(text))
}

// finalError is why a feed has stopped for good.
func (f *Feed) finalError() error {
	if err := f.Err(); err != nil {
		return err
	}
	return parseError(nil)
}

// Stats is what a feed is doing and has done. Times are milliseconds since 1970, nil when there was none yet.
type Stats struct {
	// Version is the library's.
	Version string `json:"version"`
	// State is LOGGING_IN, FINDING_FEED, READING, WAITING_FOR_BOT, BACKING_OFF, FAILED or CLOSED.
	State string `json:"state"`
	// RetryAt is when the back-off at hand ends.
	RetryAt *int64 `json:"retryAt"`
	// AgentURL is the base URL of the agent's node that is read.
	AgentURL string `json:"agentUrl"`
	// Stream is datafeed, datahose or firehose.
	Stream string `json:"stream"`
	// FeedID is the feed's id at the service, empty until it is known.
	FeedID string `json:"feedId"`
	// Tag is the feed's tag, empty when it has none.
	Tag string `json:"tag"`
	// LastReadAt is when the agent last answered a read.
	LastReadAt *int64 `json:"lastReadAt"`
	// LastEventAt is when the last event came.
	LastEventAt *int64 `json:"lastEventAt"`
	// Queued counts the events that wait for the bot now.
	Queued uint64 `json:"queued"`
	// Held counts the events in the bot's hands now.
	Held uint64 `json:"held"`
	// Postponed counts the refused events that will come again.
	Postponed uint64 `json:"postponed"`
	// Remembered counts the acknowledged events by which duplicates are recognized now.
	Remembered uint64 `json:"remembered"`
	// Received counts the events that came.
	Received uint64 `json:"received"`
	// Filtered counts the events that were left out as the configuration says, and acknowledged.
	Filtered uint64 `json:"filtered"`
	// HandedOut counts the deliveries to the bot.
	HandedOut uint64 `json:"handedOut"`
	// Acknowledged counts the events that the bot acknowledged.
	Acknowledged uint64 `json:"acknowledged"`
	// Nacked counts the deliveries that the bot refused.
	Nacked uint64 `json:"nacked"`
	// Redelivered counts arrivals of events that were known.
	Redelivered uint64 `json:"redelivered"`
	// Confirmed counts the acknowledgements that the service confirmed.
	Confirmed uint64 `json:"confirmed"`
	// KeepAliveReads counts reads whose only purpose was to keep the feed.
	KeepAliveReads uint64 `json:"keepAliveReads"`
	// ForgottenEarly counts acknowledged events that were forgotten before 15 minutes were over.
	ForgottenEarly uint64 `json:"forgottenEarly"`
	// Logins counts logins.
	Logins uint64 `json:"logins"`
	// FeedsCreated counts the feeds made at the service.
	FeedsCreated uint64 `json:"feedsCreated"`
	// Retries counts what was tried again.
	Retries uint64 `json:"retries"`
	// RetriesByCause counts the same for each error code.
	RetriesByCause map[string]uint64 `json:"retriesByCause"`
	// ClockOffsetSeconds is by how much the service's clock is ahead, if logins had to allow for it, else 0.
	ClockOffsetSeconds int64 `json:"clockOffsetSeconds"`
	// LatestTrouble is nil, or what went wrong last.
	LatestTrouble *Trouble `json:"latestTrouble"`
}

// Trouble is an error and when it happened.
type Trouble struct {
	Error
	// At is in milliseconds since 1970.
	At int64 `json:"at"`
}

// Stats returns what the feed is doing and has done. Also after Close.
func (f *Feed) Stats() (Stats, error) {
	var stats Stats
	text, err := rawStats(f)
	if err == nil {
		err = json.Unmarshal(text, &stats)
	}
	return stats, err
}

func rawStats(f *Feed) ([]byte, error) {
	defer runtime.KeepAlive(f)
	var text *C.char
	status := C.datafeed_stats(f.handle, &text)
	return take(text), check(status)
}

// Session is what it takes to call Symphony's other endpoints, for instance to answer a message. The tokens are empty
// until the login succeeded. They are secrets.
type Session struct {
	// PodURL is the pod's base URL.
	PodURL string `json:"podUrl"`
	// AgentURL is the base URL of the agent's node that is read.
	AgentURL string `json:"agentUrl"`
	// KeyManagerURL is the key manager's base URL.
	KeyManagerURL string `json:"keyManagerUrl"`
	// Username is the bot's.
	Username string `json:"username"`
	// UserID is the bot's own id, 0 while it is not known.
	UserID int64 `json:"userId"`
	// SessionToken belongs in the header sessionToken.
	SessionToken string `json:"sessionToken"`
	// KeyManagerToken belongs in the header keyManagerToken. Empty where the agent delivers keys to the session alone.
	KeyManagerToken string `json:"keyManagerToken"`
	// AuthorizationToken belongs in the header Authorization, "Bearer " included. Empty without commonJwt.enabled.
	AuthorizationToken string `json:"authorizationToken"`
}

// Session returns the base URLs and the current tokens. Where a request with them is answered 401,
// [Feed.RenewSession] gets others. [ErrClosed] when the feed is closed.
func (f *Feed) Session() (Session, error) {
	var session Session
	text, err := rawSession(f)
	if err == nil {
		err = json.Unmarshal(text, &session)
	}
	return session, err
}

func rawSession(f *Feed) ([]byte, error) {
	defer runtime.KeepAlive(f)
	var text *C.char
	status := C.datafeed_session(f.handle, &text)
	return take(text), check(status)
}

// RenewSession is for a bot whose own request was answered 401: it waits until the session is another one than that of
// the refused token, and returns it. Any token of that session will do, with or without "Bearer ".
//
// It logs in, unless another goroutine does already or has done, so a token that is refused to many at once is renewed
// once. Events go on meanwhile. Failures are retried until ctx is done; [Feed.Err] has the latest.
//
// It returns ctx.Err() at once when ctx is done, [ErrClosed] when the feed is closed, and the final [*Error] when the
// feed has stopped for good.
func (f *Feed) RenewSession(ctx context.Context, refusedToken string) (Session, error) {
	if err := ctx.Err(); err != nil {
		return Session{}, err
	}
	if strings.ContainsRune(refusedToken, 0) {
		return Session{}, &Error{Code: "INVALID_ARGUMENT", Message: "the token holds a NUL character"}
	}
	defer runtime.KeepAlive(f)
	type outcome struct {
		status C.int32_t
		text   []byte
	}
	done := make(chan outcome, 1)
	handle := f.handle
	// Nothing but a close wakes the library's call, so a goroutine of its own makes it. It may outlive this one by a
	// slice. A slice cuts off the login at hand, so it is longer than any login should take.
	go func() {
		token := C.CString(refusedToken)
		defer C.free(unsafe.Pointer(token))
		for {
			slice := renewalSlice
			if end, ok := ctx.Deadline(); ok {
				slice = max(min(slice, time.Until(end)), 0) + time.Millisecond
			}
			var text *C.char
			status := C.datafeed_renew_session(handle, token, C.int32_t(slice.Milliseconds()), &text)
			if status != C.DATAFEED_TIMEOUT || ctx.Err() != nil {
				done <- outcome{status, take(text)}
				return
			}
		}
	}()
	select {
	case <-ctx.Done():
		return Session{}, ctx.Err()
	case result := <-done:
		var session Session
		switch result.status {
		case C.DATAFEED_OK:
			err := json.Unmarshal(result.text, &session)
			return session, err
		case C.DATAFEED_TIMEOUT:
			return session, ctx.Err()
		case C.DATAFEED_FAILED:
			return session, f.finalError()
		}
		return session, check(result.status)
	}
}

// LogLine is a line of the feed's log.
type LogLine struct {
	// Timestamp is in milliseconds since 1970.
	Timestamp int64 `json:"timestamp"`
	// Level is error, warn or info.
	Level string `json:"level"`
	// Message says what happened.
	Message string `json:"message"`
	// Details by name: feedId, httpStatus, traceId and the like. Numbers are of type [json.Number].
	Details map[string]any `json:"-"`
}

// NextLog waits for the next line of the feed's log. The last 1000 lines are kept.
//
// It returns ctx.Err() when ctx is done, and [ErrClosed] when the feed is closed and every line was fetched.
func (f *Feed) NextLog(ctx context.Context) (LogLine, error) {
	defer runtime.KeepAlive(f)
	slice := C.int32_t(-1)
	if ctx.Done() != nil {
		slice = C.int32_t(logSlice.Milliseconds())
	}
	for {
		if err := ctx.Err(); err != nil {
			return LogLine{}, err
		}
		var text *C.char
		status := C.datafeed_next_log(f.handle, slice, &text)
		if status == C.DATAFEED_TIMEOUT {
			continue
		}
		details, err := decode[map[string]any](status, text)
		if err != nil {
			return LogLine{}, err
		}
		line := LogLine{Details: details}
		line.Level, _ = details["level"].(string)
		line.Message, _ = details["message"].(string)
		if at, ok := details["timestamp"].(json.Number); ok {
			line.Timestamp, _ = at.Int64()
		}
		for _, name := range []string{"timestamp", "level", "message"} {
			delete(details, name)
		}
		return line, nil
	}
}

// Version returns the library's version, such as 0.1.0.
func Version() string {
	return C.GoString(C.datafeed_version())
}

// check says what a status other than a call's own ones means.
func check(status C.int32_t) error {
	switch status {
	case C.DATAFEED_OK:
		return nil
	case C.DATAFEED_CLOSED:
		return ErrClosed
	case C.DATAFEED_FORKED:
		return ErrForked
	}
	return &Error{Code: "INTERNAL", Message: fmt.Sprintf("the library answered with status %d", status)}
}

// take copies a string that the library gave away, and gives it back to be freed.
func take(text *C.char) []byte {
	if text == nil {
		return nil
	}
	defer C.datafeed_string_free(text)
	return []byte(C.GoString(text))
}

// decode parses what a call gave away.
func decode[T any](status C.int32_t, text *C.char) (T, error) {
	var value T
	if err := check(status); err != nil {
		return value, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(take(text))))
	decoder.UseNumber()
	err := decoder.Decode(&value)
	return value, err
}

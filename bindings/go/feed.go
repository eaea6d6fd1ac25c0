package datafeed

// #include <stdlib.h>
// #include <datafeed.h>
import "C"

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"unsafe"
)

// Feed is a feed of events, polled by a thread of the library. All its methods may be called by any goroutine.
type Feed struct {
	handle *C.datafeed
	// turn is held by the one goroutine that waits inside the library. An interruption is then always meant for it,
	// and the others wait without a thread each.
	turn chan struct{}
	// logged is closed when the logger has got the last line.
	logged chan struct{}
}

var _ io.Closer = (*Feed)(nil)

// Option changes how [Open] opens a feed.
type Option func(*options)

type options struct {
	logger *slog.Logger
}

// Open opens a feed. config is a text in JSON, which starts with a brace, or in YAML, which has more than one line, or
// the path of a file in either. Open checks it and does not wait for the network.
//
// A configuration that cannot be used is an [*Error] that names the field. The caller closes the feed; one that is
// forgotten is closed when the garbage collector finds it.
func Open(config string, more ...Option) (*Feed, error) {
	if strings.ContainsRune(config, 0) {
		return nil, &Error{Code: "CONFIG_INVALID", Message: "the configuration holds a NUL character"}
	}
	chosen := options{logger: slog.Default()}
	for _, option := range more {
		option(&chosen)
	}
	text := C.CString(config)
	defer C.free(unsafe.Pointer(text))
	feed := &Feed{turn: make(chan struct{}, 1), logged: make(chan struct{})}
	var reason *C.char
	if C.datafeed_create(text, &feed.handle, &reason) != C.DATAFEED_OK {
		return nil, parseError(take(reason))
	}
	// Closing may write acknowledgements, which should not hold up other cleanups.
	runtime.AddCleanup(feed, func(handle *C.datafeed) { go C.datafeed_close(handle) }, feed.handle)
	go passLog(feed.handle, chosen.logger, feed.logged)
	return feed, nil
}

// Close stops the feed at once. Calls that wait return [ErrClosed]; an event that is not acknowledged is delivered
// again to the next reader. [Feed.Drain] lets the bot finish what it has begun.
//
// Acknowledgements that were not sent yet are written first, for at most closeTimeout. When Close returns, the logger
// has got the last line: it must not be called from within the logger. Closing twice is harmless.
func (f *Feed) Close() error {
	defer runtime.KeepAlive(f)
	if err := check(C.datafeed_close(f.handle)); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	<-f.logged
	return nil
}

// Drain is the graceful end: nothing new is handed out, so that loops over [Feed.Events] end and [Feed.Next] returns
// [ErrClosed], while events in hand are acknowledged and refused as ever. When all of them are, the feed is closed.
//
// It returns nil when everything in hand was settled. When ctx is done first the feed is closed at once, as by
// [Feed.Close], and Drain returns ctx.Err(): what is still in hand is delivered again to the next reader. [ErrClosed]
// says that the feed was closed before, or by somebody else meanwhile.
//
// Call it from a goroutine that holds no event itself. With Datafeed 1 and without stateDir, events that were received
// already are still handed out first, since nobody else has them: the loops' context has to last until they end.
func (f *Feed) Drain(ctx context.Context) error {
	defer runtime.KeepAlive(f)
	if ctx.Err() != nil {
		return f.drained(ctx, C.datafeed_drain(f.handle, 0))
	}
	closed := make(chan C.int32_t, 1)
	stop := context.AfterFunc(ctx, func() { closed <- C.datafeed_close(f.handle) })
	status := C.datafeed_drain(f.handle, -1)
	if !stop() && <-closed == C.DATAFEED_OK {
		status = C.DATAFEED_TIMEOUT
	}
	return f.drained(ctx, status)
}

func (f *Feed) drained(ctx context.Context, status C.int32_t) error {
	if status == C.DATAFEED_FORKED {
		return ErrForked
	}
	<-f.logged
	if status == C.DATAFEED_TIMEOUT {
		return ctx.Err()
	}
	return check(status)
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

// reason is why a feed has stopped for good, or does not do what it was asked for at the moment.
func (f *Feed) reason() error {
	if err := f.Err(); err != nil {
		return err
	}
	return parseError(nil)
}

// Version returns the library's version, such as 0.1.0.
func Version() string {
	return C.GoString(C.datafeed_version())
}

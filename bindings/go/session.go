package datafeed

// #include <stdlib.h>
// #include <datafeed.h>
import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// renewalSlice is how long a cancelled [Feed.RenewSession] may go on in the background.
const renewalSlice = time.Minute

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

// String tells whose session it is, in place of the whole: where a session is printed or logged its tokens do not
// belong.
func (s Session) String() string {
	return fmt.Sprintf("the session of %s at %s", s.Username, s.AgentURL)
}

// GoString is String.
func (s Session) GoString() string {
	return s.String()
}

// LogValue is String.
func (s Session) LogValue() slog.Value {
	return slog.StringValue(s.String())
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
			return session, f.reason()
		}
		return session, check(result.status)
	}
}

package datafeed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// openAndExpire opens a feed that is in a long poll, so that it does not renew its session by itself, and expires that
// session.
func openAndExpire(t *testing.T, options ...string) (*datafeedtest.Emulator, *Feed, Session) {
	t.Helper()
	e := datafeedtest.Start(t, options...)
	e.Set(map[string]any{"pollMillis": 600_000})
	feed := open(t, e, nil)
	until(t, func() bool { return requests(e, "read") == 1 })
	session, err := feed.Session()
	if err != nil {
		t.Fatal(err)
	}
	if status := askAgent(t, session); status != 200 {
		t.Fatal(status)
	}
	e.ExpireSessions()
	if status := askAgent(t, session); status != 401 {
		t.Fatal(status)
	}
	return e, feed, session
}

type renewal struct {
	session Session
	err     error
}

func renewInGoroutine(ctx context.Context, feed *Feed, token string) <-chan renewal {
	return during(func() renewal {
		session, err := feed.RenewSession(ctx, token)
		return renewal{session, err}
	})
}

func TestARefusedTokenIsRenewed(t *testing.T) {
	e, feed, session := openAndExpire(t)
	renewed, err := feed.RenewSession(context.Background(), session.SessionToken)
	if err != nil || renewed.SessionToken == session.SessionToken {
		t.Fatal("it is not another: ", err)
	}
	if renewed.UserID == 0 || renewed.UserID != session.UserID {
		t.Fatalf("the bot %d, before %d", renewed.UserID, session.UserID)
	}
	if status := askAgent(t, renewed); status != 200 {
		t.Fatal(status)
	}
	// It is another one than that of the old token already.
	again, err := feed.RenewSession(context.Background(), session.KeyManagerToken)
	if err != nil || again != renewed {
		t.Fatal(err)
	}
	e.Publish(hello(1))
	ack(t, next(t, feed))
	if stats := statsOf(t, feed); stats.Logins != 2 {
		t.Fatalf("%+v", stats)
	}
}

func TestARefusedCommonJWTIsRenewed(t *testing.T) {
	_, feed, session := openAndExpire(t, "--common-jwt")
	renewed, err := feed.RenewSession(context.Background(), session.AuthorizationToken)
	if err != nil || renewed.AuthorizationToken == session.AuthorizationToken {
		t.Fatal(err)
	}
	if !strings.HasPrefix(renewed.AuthorizationToken, "Bearer ") {
		t.Fatal("it belongs in a header as it is")
	}
	if status := askAgent(t, renewed); status != 200 {
		t.Fatal(status)
	}
}

func TestManyGoroutinesRenewOnce(t *testing.T) {
	e, feed, session := openAndExpire(t)
	e.Fault("sessionLogin", 1, map[string]int{"delayMillis": 300})
	var renewing []<-chan renewal
	for range 8 {
		renewing = append(renewing, renewInGoroutine(context.Background(), feed, session.SessionToken))
	}
	renewed := result(t, renewing[0])
	if renewed.err != nil {
		t.Fatal(renewed.err)
	}
	for _, other := range renewing[1:] {
		if other := result(t, other); other != renewed {
			t.Fatal("another session: ", other.err)
		}
	}
	if stats := statsOf(t, feed); stats.Logins != 2 {
		t.Fatalf("%+v", stats)
	}
}

func TestRenewSessionEndsWithItsContext(t *testing.T) {
	e, feed, session := openAndExpire(t)
	e.RejectLogins(true)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	for range 2 {
		if _, err := feed.RenewSession(ctx, session.SessionToken); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if err := feed.Err(); !errors.Is(err, &Error{Code: "AUTH_REJECTED"}) {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	blocked := renewInGoroutine(ctx, feed, session.SessionToken)
	cancel()
	if err := result(t, blocked).err; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	e.RejectLogins(false)
	renewed, err := feed.RenewSession(context.Background(), session.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	if status := askAgent(t, renewed); status != 200 {
		t.Fatal(status)
	}
}

func TestCloseEndsARenewal(t *testing.T) {
	e, feed, session := openAndExpire(t)
	e.Fault("sessionLogin", 1000, "hang")
	var renewing []<-chan renewal
	for range 3 {
		renewing = append(renewing, renewInGoroutine(context.Background(), feed, session.SessionToken))
	}
	until(t, func() bool { return requests(e, "sessionLogin") == 2 })
	feed.Close()
	for _, blocked := range renewing {
		if err := result(t, blocked).err; !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
	if _, err := feed.RenewSession(context.Background(), "not in use"); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestAFailedFeedRenewsNothing(t *testing.T) {
	e := datafeedtest.Start(t)
	e.RejectLogins(true)
	feed := open(t, e, nil)
	for range 2 {
		_, err := feed.RenewSession(context.Background(), "none yet")
		var told *Error
		if !errors.As(err, &told) || told.Code != "AUTH_REJECTED" || told.Retryable {
			t.Fatalf("%#v", err)
		}
	}
	if _, err := feed.RenewSession(context.Background(), "a\x00b"); !errors.Is(err, &Error{Code: "INVALID_ARGUMENT"}) {
		t.Fatal(err)
	}
}

func TestASessionIsPrintedWithoutItsTokens(t *testing.T) {
	_, feed := start(t)
	session, err := feed.Session()
	if err != nil || session.SessionToken == "" || session.KeyManagerToken == "" {
		t.Fatal(session, err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("it", "session", session, "pointer", &session)
	printed := fmt.Sprintf("%v %+v %#v %s", session, session, session, &session)
	for _, text := range []string{logged.String(), printed} {
		if !strings.Contains(text, session.Username) {
			t.Fatal("it does not say whose session it is")
		}
		if strings.Contains(text, session.SessionToken) || strings.Contains(text, session.KeyManagerToken) {
			t.Fatal("it shows a token")
		}
	}
}

// requests counts the requests to an endpoint so far.
func requests(e *datafeedtest.Emulator, endpoint string) (count int) {
	for _, request := range e.Requests() {
		if request.Endpoint == endpoint {
			count++
		}
	}
	return count
}

// askAgent makes a request of the bot's own with a session's tokens, and returns the status.
func askAgent(t *testing.T, session Session) int {
	t.Helper()
	request, err := http.NewRequest("GET", session.AgentURL+"/agent/v5/datafeeds", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("keyManagerToken", session.KeyManagerToken)
	if session.AuthorizationToken != "" {
		request.Header.Set("Authorization", session.AuthorizationToken)
	} else {
		request.Header.Set("sessionToken", session.SessionToken)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

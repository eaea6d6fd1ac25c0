package datafeed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// event is what the tests look at.
type event struct {
	ID        string
	Type      string
	Initiator struct{ User struct{ UserID int64 } }
	Payload   struct {
		MessageSent struct{ Message struct{ Message string } }
	}
}

func next(t *testing.T, feed *Feed) (*Event, event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	received, err := feed.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var decoded event
	if err := received.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return received, decoded
}

func ack(t *testing.T, event *Event) {
	t.Helper()
	if err := event.Ack(); err != nil {
		t.Fatal(err)
	}
}

// result waits for what a goroutine sends.
func result[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("the goroutine still waits")
		panic("unreachable")
	}
}

func nextInGoroutine(ctx context.Context, feed *Feed) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := feed.Next(ctx)
		done <- err
	}()
	return done
}

func TestReceivesAndAcknowledgesInOrder(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	e.publish(hello(0), hello(1), hello(2), hello(3), hello(4))
	var last uint64
	for _, id := range []string{"event-0", "event-1", "event-2", "event-3", "event-4"} {
		received, decoded := next(t, feed)
		if decoded.ID != id || decoded.Type != "MESSAGESENT" || received.Attempt() != 1 {
			t.Fatalf("%+v, attempt %d", decoded, received.Attempt())
		}
		if received.Delivery <= last {
			t.Fatalf("delivery %d after %d", received.Delivery, last)
		}
		last = received.Delivery
		ack(t, received)
	}
	if books := e.wait(5); books.Redelivered != 0 {
		t.Fatalf("%+v", books)
	}
}

func TestNackBringsItBackWithAttempt2(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	e.publish(hello(1), hello(2))
	first, _ := next(t, feed)
	if err := first.Nack(); err != nil {
		t.Fatal(err)
	}
	second, decoded := next(t, feed)
	if decoded.ID != "event-2" || second.Attempt() != 1 {
		t.Fatalf("%+v, attempt %d", decoded, second.Attempt())
	}
	again, _ := next(t, feed)
	if !bytes.Equal(again.Raw(), first.Raw()) || again.Attempt() != 2 || again.Delivery <= first.Delivery {
		t.Fatalf("%s, attempt %d", again.Raw(), again.Attempt())
	}
	ack(t, again)
	ack(t, second)
	e.wait(2)
	for _, done := range []*Event{first, again} {
		if err := done.Ack(); !errors.Is(err, ErrInvalidDelivery) {
			t.Fatal(err)
		}
		if err := done.Nack(); !errors.Is(err, ErrInvalidDelivery) {
			t.Fatal(err)
		}
	}
}

func TestTimeout(t *testing.T) {
	feed := startEmulator(t).open(nil)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	for range 2 {
		if _, err := feed.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

func TestEventsKeepComingWhileOneIsHeld(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	e.publish(hello(1))
	held, _ := next(t, feed)
	e.publish(hello(2))
	second, decoded := next(t, feed)
	if decoded.ID != "event-2" {
		t.Fatalf("%+v", decoded)
	}
	ack(t, second)
	ack(t, held)
	e.wait(2)
}

func TestUnicodeAnd64BitIdsAreUnchanged(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	text := "Grüße, 世界 🚀 \u2028 \"quoted\" \\ \u0000"
	e.publish(message(1, text, math.MaxInt64))
	received, decoded := next(t, feed)
	ack(t, received)
	if decoded.Payload.MessageSent.Message.Message != text || decoded.Initiator.User.UserID != math.MaxInt64 {
		t.Fatalf("%+v", decoded)
	}
	var open map[string]any
	if err := received.Decode(&open); err != nil {
		t.Fatal(err)
	}
	user := open["initiator"].(map[string]any)["user"].(map[string]any)
	if user["userId"] != json.Number("9223372036854775807") {
		t.Fatalf("%v", user)
	}
}

func TestImplicitAcknowledgementIsPossible(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(map[string]any{"ack": "implicit"})
	untilReading(t, feed)
	e.publish(hello(0), hello(1), hello(2))
	first, _ := next(t, feed)
	next(t, feed)
	last, _ := next(t, feed)
	if stats, err := feed.Stats(); err != nil || stats.Acknowledged != 2 {
		t.Fatalf("%+v %v", stats, err)
	}
	if err := first.Ack(); !errors.Is(err, ErrInvalidDelivery) {
		t.Fatal(err)
	}
	feed.held.Range(func(delivery, _ any) bool {
		if delivery != last.Delivery {
			t.Errorf("%v is not held", delivery)
		}
		return true
	})
	ack(t, last)
	e.wait(3)
}

func TestManyGoroutinesShareAFeed(t *testing.T) {
	const count = 500
	e := startEmulator(t, "--batch-max", "7")
	feed := e.open(nil)
	untilReading(t, feed)
	var mutex sync.Mutex
	seen := map[string]int{}
	var consumers sync.WaitGroup
	for range 32 {
		consumers.Add(1)
		go func() {
			defer consumers.Done()
			for {
				// Contexts that end at every moment, while others wait.
				ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
				received, err := feed.Next(ctx)
				cancel()
				switch {
				case err == nil:
					mutex.Lock()
					seen[string(received.Raw())]++
					mutex.Unlock()
					if err := received.Ack(); err != nil {
						t.Error(err)
					}
				case errors.Is(err, ErrClosed):
					return
				case !errors.Is(err, context.DeadlineExceeded):
					t.Error(err)
					return
				}
			}
		}()
	}
	e.call("POST", "chat", map[string]int{"count": count})
	e.wait(count)
	feed.Close()
	consumers.Wait()
	if len(seen) != count {
		t.Fatalf("%d different events", len(seen))
	}
	for raw, times := range seen {
		if times != 1 {
			t.Fatalf("%d times: %s", times, raw)
		}
	}
}

func TestEventsAreNotAcknowledgedByGoingOn(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	e.publish(hello(0), hello(1), hello(2))
	count := 0
	for received, err := range feed.Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if count++; count == 3 {
			ack(t, received)
			break
		}
	}
	stats, err := feed.Stats()
	if err != nil || stats.Held != 2 || stats.Acknowledged != 1 {
		t.Fatalf("%+v %v", stats, err)
	}
}

func TestEventsEndWithTheContextAndWithTheFeed(t *testing.T) {
	feed := startEmulator(t).open(nil)
	ctx, cancel := context.WithCancel(context.Background())
	for _, end := range []func(){cancel, func() { feed.Close() }} {
		done := make(chan int, 1)
		go func() {
			turns := 0
			for range feed.Events(ctx) {
				turns++
			}
			done <- turns
		}()
		untilReading(t, feed)
		end()
		if turns := result(t, done); turns != 0 {
			t.Fatalf("%d turns", turns)
		}
		ctx = context.Background()
	}
}

func TestCancelEndsABlockedCallAtOnce(t *testing.T) {
	feed := startEmulator(t).open(nil)
	untilReading(t, feed)
	// Of several that wait, only the one whose context is done.
	others, endOthers := context.WithCancel(context.Background())
	waiting := []<-chan error{nextInGoroutine(others, feed), nextInGoroutine(others, feed)}
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		blocked := nextInGoroutine(ctx, feed)
		cancel()
		if err := result(t, blocked); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	for _, blocked := range waiting {
		select {
		case err := <-blocked:
			t.Fatal("it should still wait: ", err)
		default:
		}
	}
	endOthers()
	for _, blocked := range waiting {
		if err := result(t, blocked); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

func TestAStaleInterruptionIsNoError(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	for number := range 50 {
		e.publish(hello(number))
		ctx, cancel := context.WithCancel(context.Background())
		received, err := feed.Next(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		ack(t, received)
	}
}

func TestCloseWhileWaiting(t *testing.T) {
	feed := startEmulator(t).open(nil)
	var waiting []<-chan error
	for range 3 {
		waiting = append(waiting, nextInGoroutine(context.Background(), feed))
	}
	untilReading(t, feed)
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, blocked := range waiting {
		if err := result(t, blocked); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestUseAfterCloseIsAnError(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	e.publish(hello(1))
	received, _ := next(t, feed)
	feed.Close()
	_, nextErr := feed.Next(context.Background())
	_, sessionErr := feed.Session()
	for _, err := range []error{nextErr, sessionErr, received.Ack()} {
		if !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
	stats, err := feed.Stats()
	if err != nil || stats.State != "CLOSED" {
		t.Fatalf("%+v %v", stats, err)
	}
	if err := feed.Err(); err != nil {
		t.Fatal(err)
	}
	var decoded event
	if err := received.Decode(&decoded); err != nil || decoded.ID != "event-1" {
		t.Fatalf("%+v %v", decoded, err)
	}
}

func TestCloseGivesBackWhatTheBotHeld(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	e.publish(hello(1), hello(2))
	received, _ := next(t, feed)
	next(t, feed)
	if stats, err := feed.Stats(); err != nil || stats.Held != 2 {
		t.Fatalf("%+v %v", stats, err)
	}
	feed.Close()
	if stats, err := feed.Stats(); err != nil || stats.Held != 0 {
		t.Fatalf("%+v %v", stats, err)
	}
	if err := received.Nack(); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestDoubleCloseIsHarmless(t *testing.T) {
	feed := startEmulator(t).open(nil)
	for range 3 {
		if err := feed.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAForgottenFeedIsClosed(t *testing.T) {
	e := startEmulator(t)
	text, err := json.Marshal(e.config)
	if err != nil {
		t.Fatal(err)
	}
	forgotten, err := Open(string(text))
	if err != nil {
		t.Fatal(err)
	}
	// The same feed without the wrapper that is forgotten.
	kept := &Feed{handle: forgotten.handle, turn: make(chan struct{}, 1), held: &sync.Map{}}
	forgotten = nil
	until(t, func() bool {
		runtime.GC()
		stats, err := kept.Stats()
		return err == nil && stats.State == "CLOSED"
	})
}

func TestABadConfigurationIsAnErrorWithCodeAndField(t *testing.T) {
	_, err := Open(`{"host": "localhost", "bot": {"username": 1}}`)
	var told *Error
	if !errors.As(err, &told) || told.Code != "CONFIG_INVALID" || told.Field != "bot.username" || told.Retryable {
		t.Fatalf("%#v", err)
	}
	if !errors.Is(err, &Error{Code: "CONFIG_INVALID"}) || errors.Is(err, &Error{Code: "INTERNAL"}) {
		t.Fatal("errors.Is compares codes")
	}
	if !strings.Contains(err.Error(), "bot.username") {
		t.Fatal(err)
	}
	_, err = Open("no-such-file.json")
	if !errors.As(err, &told) || told.Code != "FILE_INVALID" || told.File != "no-such-file.json" {
		t.Fatalf("%#v", err)
	}
	if _, err = Open("config.json\x00"); !errors.Is(err, &Error{Code: "CONFIG_INVALID"}) {
		t.Fatal(err)
	}
}

func TestARefusedLoginReturnsTheFinalError(t *testing.T) {
	e := startEmulator(t)
	e.call("POST", "logins", map[string]bool{"reject": true})
	feed := e.open(nil)
	_, nextErr := feed.Next(context.Background())
	var loopErr error
	for _, err := range feed.Events(context.Background()) {
		loopErr = err
	}
	for _, err := range []error{nextErr, loopErr, feed.Err()} {
		var told *Error
		if !errors.As(err, &told) || told.Code != "AUTH_REJECTED" || told.HTTPStatus != 401 || told.Retryable {
			t.Fatalf("%#v", err)
		}
	}
	stats, err := feed.Stats()
	if err != nil || stats.State != "FAILED" || stats.LatestTrouble.Code != "AUTH_REJECTED" || stats.LatestTrouble.At == 0 {
		t.Fatalf("%+v %v", stats, err)
	}
}

func TestLogsArrive(t *testing.T) {
	feed := startEmulator(t).open(map[string]any{"oddSetting": 1})
	untilReading(t, feed)
	feed.Close()
	found := false
	for {
		line, err := feed.NextLog(context.Background())
		if errors.Is(err, ErrClosed) {
			break
		}
		if err != nil || line.Timestamp == 0 || line.Level == "" || line.Message == "" {
			t.Fatalf("%+v %v", line, err)
		}
		found = found || strings.Contains(line.Message, "oddSetting")
	}
	if !found {
		t.Fatal("no line tells of the odd setting")
	}
}

func TestNextLogEndsWithItsContext(t *testing.T) {
	feed := startEmulator(t).open(nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		for {
			if _, err := feed.NextLog(ctx); err != nil {
				done <- err
				return
			}
		}
	}()
	untilReading(t, feed)
	cancel()
	if err := result(t, done); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestStatsAndSession(t *testing.T) {
	e := startEmulator(t)
	feed := e.open(nil)
	untilReading(t, feed)
	stats, err := feed.Stats()
	if err != nil || stats.Logins != 1 || stats.FeedID == "" || stats.Stream != "datafeed" || stats.Version != Version() {
		t.Fatalf("%+v %v", stats, err)
	}
	session, err := feed.Session()
	username := e.config["bot"].(map[string]any)["username"]
	if err != nil || session.Username != username || session.SessionToken == "" || session.KeyManagerToken == "" {
		t.Fatalf("session of %q: %v", session.Username, err)
	}
}

// A member that the library tells and the struct does not have would be lost without a word.
func TestStatsAndSessionHaveEveryMember(t *testing.T) {
	feed := startEmulator(t).open(nil)
	stats, err := rawStats(feed)
	if err != nil {
		t.Fatal(err)
	}
	session, err := rawSession(feed)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		told []byte
		into any
	}{{stats, &Stats{}}, {session, &Session{}}} {
		decoder := json.NewDecoder(bytes.NewReader(check.told))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(check.into); err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(check.told, &members); err != nil {
			t.Fatal(err)
		}
		if fields := reflect.TypeOf(check.into).Elem().NumField(); fields != len(members) {
			t.Fatalf("%T has %d fields, but the library tells %d members", check.into, fields, len(members))
		}
	}
}

// openAndExpire opens a feed that is in a long poll, so that it does not renew its session by itself, and expires that
// session.
func openAndExpire(t *testing.T, options ...string) (*emulator, *Feed, Session) {
	t.Helper()
	e := startEmulator(t, options...)
	e.call("POST", "settings", map[string]int{"pollMillis": 600_000})
	feed := e.open(nil)
	until(t, func() bool { return e.requests("read") == 1 })
	session, err := feed.Session()
	if err != nil {
		t.Fatal(err)
	}
	if status := e.askAgent(session); status != 200 {
		t.Fatal(status)
	}
	e.call("POST", "sessions/expire", nil)
	if status := e.askAgent(session); status != 401 {
		t.Fatal(status)
	}
	return e, feed, session
}

type renewal struct {
	session Session
	err     error
}

func renewInGoroutine(ctx context.Context, feed *Feed, token string) <-chan renewal {
	done := make(chan renewal, 1)
	go func() {
		session, err := feed.RenewSession(ctx, token)
		done <- renewal{session, err}
	}()
	return done
}

func TestARefusedTokenIsRenewed(t *testing.T) {
	e, feed, session := openAndExpire(t)
	renewed, err := feed.RenewSession(context.Background(), session.SessionToken)
	if err != nil || renewed.SessionToken == session.SessionToken || renewed.UserID == 0 || renewed.UserID != session.UserID {
		t.Fatalf("the bot %d, before %d: %v", renewed.UserID, session.UserID, err)
	}
	if status := e.askAgent(renewed); status != 200 {
		t.Fatal(status)
	}
	// It is another one than that of the old token already.
	again, err := feed.RenewSession(context.Background(), session.KeyManagerToken)
	if err != nil || again != renewed {
		t.Fatal(err)
	}
	e.publish(hello(1))
	received, _ := next(t, feed)
	ack(t, received)
	if stats, err := feed.Stats(); err != nil || stats.Logins != 2 {
		t.Fatalf("%+v %v", stats, err)
	}
}

func TestARefusedCommonJWTIsRenewed(t *testing.T) {
	e, feed, session := openAndExpire(t, "--common-jwt")
	renewed, err := feed.RenewSession(context.Background(), session.AuthorizationToken)
	if err != nil || renewed.AuthorizationToken == session.AuthorizationToken {
		t.Fatal(err)
	}
	if !strings.HasPrefix(renewed.AuthorizationToken, "Bearer ") {
		t.Fatal("it belongs in a header as it is")
	}
	if status := e.askAgent(renewed); status != 200 {
		t.Fatal(status)
	}
}

func TestManyGoroutinesRenewOnce(t *testing.T) {
	e, feed, session := openAndExpire(t)
	e.fault("sessionLogin", 1, map[string]int{"delayMillis": 300})
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
	if stats, err := feed.Stats(); err != nil || stats.Logins != 2 {
		t.Fatalf("%+v %v", stats, err)
	}
}

func TestRenewSessionEndsWithItsContext(t *testing.T) {
	e, feed, session := openAndExpire(t)
	e.call("POST", "logins", map[string]bool{"reject": true})
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
	e.call("POST", "logins", map[string]bool{"reject": false})
	renewed, err := feed.RenewSession(context.Background(), session.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	if status := e.askAgent(renewed); status != 200 {
		t.Fatal(status)
	}
}

func TestCloseEndsARenewal(t *testing.T) {
	e, feed, session := openAndExpire(t)
	e.fault("sessionLogin", 1000, "hang")
	var renewing []<-chan renewal
	for range 3 {
		renewing = append(renewing, renewInGoroutine(context.Background(), feed, session.SessionToken))
	}
	until(t, func() bool { return e.requests("sessionLogin") == 2 })
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
	e := startEmulator(t)
	e.call("POST", "logins", map[string]bool{"reject": true})
	feed := e.open(nil)
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

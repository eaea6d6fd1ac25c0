package datafeedtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// acknowledge is a bot that wants nothing but to be rid of its events.
func acknowledge(t *testing.T, config string) {
	t.Helper()
	feed, err := datafeed.Open(config, datafeed.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close() })
	go func() {
		for event := range feed.Events(context.Background()) {
			event.Ack()
		}
	}()
}

func TestABotIsServed(t *testing.T) {
	for _, options := range [][]string{nil, {"--tls"}, {"--stream", "datahose"}} {
		e := datafeedtest.Start(t, options...)
		acknowledge(t, e.Config())
		e.WaitForFeed()
		books := e.Publish(datafeedtest.Message("hello"), json.RawMessage(`{ "type": "MESSAGESENT" }`))
		if books.Routed != 2 {
			t.Fatalf("%v: %+v", options, books)
		}
		e.Chat(3)
		e.Wait("acknowledged", 5)
		if books := e.Books(); books.Published != 5 || books.HandedOut != 5 || books.Queued+books.Leased != 0 {
			t.Fatalf("%v: %+v", options, books)
		}
	}
}

func TestFaultsHappen(t *testing.T) {
	e := datafeedtest.Start(t)
	e.Fault("list", 2, map[string]any{"status": map[string]any{"status": 503}})
	acknowledge(t, e.Config())
	e.WaitForFeed()
	refused := 0
	for _, request := range e.Requests() {
		if request.Endpoint == "list" && request.Status == 503 && request.Outcome == "answered" {
			refused++
		}
	}
	if refused != 2 {
		t.Fatalf("%+v", e.Requests())
	}
}

func TestTheClockMoves(t *testing.T) {
	e := datafeedtest.Start(t, "--poll-ms", "600000")
	now := func() time.Duration {
		var clock struct{ NowMillis int64 }
		if err := json.Unmarshal(e.Call("POST", "clock", map[string]int{"advanceMillis": 0}), &clock); err != nil {
			t.Fatal(err)
		}
		return time.Duration(clock.NowMillis) * time.Millisecond
	}
	before := now()
	e.Advance(time.Hour)
	if moved := now() - before; moved < time.Hour {
		t.Fatal(moved)
	}
}

func TestSettingsAreAddedToTheConfiguration(t *testing.T) {
	e := datafeedtest.Start(t)
	var config struct {
		Host      string
		NackDelay int
	}
	text := e.Config(map[string]any{"nackDelay": 1}, map[string]any{"nackDelay": 2})
	if err := json.Unmarshal([]byte(text), &config); err != nil || config.Host != "127.0.0.1" || config.NackDelay != 2 {
		t.Fatalf("%+v %v", config, err)
	}
	if strings.Contains(e.Config(), "nackDelay") {
		t.Fatal("it is kept")
	}
}

// failing is a test that fails without failing this one.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatal(args ...any) {
	f.said = fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *failing) Fatalf(format string, args ...any) {
	f.Fatal(fmt.Sprintf(format, args...))
}

func TestAMistakeFailsTheTest(t *testing.T) {
	for words, mistake := range map[string]func(testing.TB){
		"there is no nothing in the books": func(t testing.TB) { datafeedtest.Start(t).Wait("nothing", 1) },
		"GET nothing: 404":                 func(t testing.TB) { datafeedtest.Start(t).Call("GET", "nothing", nil) },
		"POST settings: 400":               func(t testing.TB) { datafeedtest.Start(t).Set(map[string]any{"odd": 1}) },
		"unsupported type":                 func(t testing.TB) { datafeedtest.Start(t).Publish(func() {}) },
		"unexpected argument '--odd'":      func(t testing.TB) { datafeedtest.Start(t, "--odd") },
	} {
		test := &failing{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			mistake(test)
		}()
		<-done
		if !strings.Contains(test.said, words) {
			t.Errorf("%s: %q", words, test.said)
		}
	}
}

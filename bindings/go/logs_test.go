package datafeed

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// logged is a logger's output, a line for each record.
type logged struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(line)
}

func (l *logged) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: level}))
}

type record struct {
	Time    time.Time
	Level   string
	Msg     string
	members map[string]any
}

func (l *logged) records(t *testing.T) (records []record) {
	t.Helper()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var told record
		for _, into := range []any{&told, &told.members} {
			if err := json.Unmarshal([]byte(line), into); err != nil {
				t.Fatal(line, err)
			}
		}
		records = append(records, told)
	}
	return records
}

// find returns the record whose message contains some words.
func (l *logged) find(t *testing.T, words string) (record, bool) {
	t.Helper()
	for _, told := range l.records(t) {
		if strings.Contains(told.Msg, words) {
			return told, true
		}
	}
	return record{}, false
}

func TestTheLogGoesToSlog(t *testing.T) {
	var lines logged
	before := time.Now().Truncate(time.Millisecond)
	e := datafeedtest.Start(t)
	e.Fault("list", 1, map[string]any{"status": map[string]any{"status": 503}})
	feed := open(t, e, map[string]any{"oddSetting": 1}, WithLogger(lines.logger(slog.LevelInfo)))
	untilReading(t, feed)
	feed.Close()
	after := time.Now()
	for _, told := range lines.records(t) {
		if told.Time.Before(before) || told.Time.After(after) {
			t.Fatalf("%+v, not from %v to %v", told, before, after)
		}
	}
	for _, want := range []struct {
		words, level, member string
		value                any
	}{
		{"oddSetting", "WARN", "level", "WARN"},
		{"503", "WARN", "httpStatus", 503.0},
		{"logged in", "INFO", "level", "INFO"},
		{"the feed is closed", "INFO", "msg", "the feed is closed"},
	} {
		told, found := lines.find(t, want.words)
		if !found || told.Level != want.level || told.members[want.member] != want.value {
			t.Errorf("%+v of %+v", want, lines.records(t))
		}
	}
}

func TestTheLoggerDecidesWhatIsLogged(t *testing.T) {
	var lines logged
	e := datafeedtest.Start(t)
	e.RejectLogins(true)
	feed := open(t, e, map[string]any{"oddSetting": 1}, WithLogger(lines.logger(slog.LevelError)))
	if _, err := feed.Next(context.Background()); !errors.Is(err, &Error{Code: "AUTH_REJECTED"}) {
		t.Fatal(err)
	}
	feed.Close()
	for _, told := range lines.records(t) {
		if told.Level != "ERROR" || told.members["code"] != "AUTH_REJECTED" {
			t.Fatalf("%+v", told)
		}
	}
	if len(lines.records(t)) != 1 {
		t.Fatalf("%+v", lines.records(t))
	}
}

func TestTheDefaultLoggerIsUsed(t *testing.T) {
	usual := slog.Default()
	defer slog.SetDefault(usual)
	var lines logged
	slog.SetDefault(lines.logger(slog.LevelInfo))
	feed, err := Open(datafeedtest.Start(t).Config())
	if err != nil {
		t.Fatal(err)
	}
	untilReading(t, feed)
	if err := feed.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, found := lines.find(t, "the feed is closed"); !found {
		t.Fatalf("%+v", lines.records(t))
	}
}

func TestALineThatCannotBeReadIsToldOf(t *testing.T) {
	var lines logged
	write(lines.logger(slog.LevelInfo), []byte("not JSON"))
	if told, found := lines.find(t, "cannot be read"); !found || told.members["line"] != "not JSON" {
		t.Fatalf("%+v", lines.records(t))
	}
}

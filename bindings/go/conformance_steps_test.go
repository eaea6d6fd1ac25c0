package datafeed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// scene is what the steps of a case have in common.
type scene struct {
	t        *testing.T
	line     string
	emulator *datafeedtest.Emulator
	template string
	feed     *Feed
	log      logged
	folder   string
	events   map[string]published
	taken    map[string]*Event
	letters  map[string]uint64
	// The one goroutine that waits for an event, what ends its context, and the one that drains.
	waiter  <-chan delivered
	cancel  context.CancelFunc
	drained <-chan error
}

// published is an event, and the members by which its parsed form is recognised.
type published struct {
	raw        json.RawMessage
	text, user string
}

// delivered is what Next returned.
type delivered struct {
	event *Event
	err   error
}

var steps = map[string]func(s *scene, rest string){
	"open": func(s *scene, rest string) {
		s.feed = open(s.t, s.emulator, s.object(rest), WithLogger(s.log.logger(0)))
	},
	"refused": func(s *scene, rest string) {
		words := strings.SplitN(rest, " ", 3)
		_, err := Open(s.emulator.Config(s.object(words[2])))
		var told *Error
		if !errors.As(err, &told) || told.Code != words[0] || told.Field != words[1] {
			s.fail(err)
		}
	},
	"reading":      func(s *scene, _ string) { untilReading(s.t, s.feed) },
	"publish":      func(s *scene, rest string) { s.publish("hello", "1", strings.Fields(rest)...) },
	"publish-text": func(s *scene, rest string) { name, text := s.two(rest); s.publish(text, "1", name) },
	"publish-user": func(s *scene, rest string) { name, user := s.two(rest); s.publish("hello", user, name) },
	"publish-large": func(s *scene, rest string) {
		name, size := s.two(rest)
		s.publish(strings.Repeat("x", s.number(size)), "1", name)
	},
	"next": func(s *scene, rest string) {
		name, attempt, _ := strings.Cut(rest, " ")
		event := next(s.t, s.feed)
		s.take(name, event)
		if want := max(s.number(attempt), 1); event.Attempt() != want {
			s.fail("attempt", event.Attempt())
		}
	},
	"gap": func(s *scene, reason string) {
		event := next(s.t, s.feed)
		var gap Gap
		if err := event.DecodePayload(&gap); err != nil || event.Type() != "DATAFEEDGAP" || gap.Reason != reason {
			s.fail(string(event.Raw()), err)
		}
		if gap.From == nil || *gap.From > gap.To || gap.To != event.Timestamp().UnixMilli() {
			s.fail(string(event.Raw()))
		}
		if gap.FeedID != statsOf(s.t, s.feed).FeedID {
			s.fail(gap.FeedID)
		}
		s.taken["gap"] = event
	},
	"nothing": func(s *scene, rest string) {
		millis, outcome := s.two(rest)
		ctx := s.within(millis)
		if outcome != "timeout" {
			// Closed and failed are answers at once. A context that has ended already would be an answer, too.
			ctx = s.within("20000")
		}
		begun := time.Now()
		event, err := s.feed.Next(ctx)
		s.outcome(delivered{event, err}, outcome)
		if outcome == "timeout" && time.Since(begun) < time.Duration(s.number(millis)-1)*time.Millisecond {
			s.fail("it waited for", time.Since(begun))
		}
	},
	"wait": func(s *scene, _ string) {
		ctx, cancel := context.WithCancel(context.Background())
		s.t.Cleanup(cancel)
		feed := s.feed
		s.cancel = cancel
		s.waiter = during(func() delivered {
			event, err := feed.Next(ctx)
			return delivered{event, err}
		})
	},
	"waiter":    func(s *scene, rest string) { s.outcome(result(s.t, s.waiter), rest) },
	"interrupt": func(s *scene, _ string) { s.cancel() },
	"ack":       func(s *scene, rest string) { s.settle((*Event).Ack, rest) },
	"nack":      func(s *scene, rest string) { s.settle((*Event).Nack, rest) },
	"letters":   func(s *scene, rest string) { s.deadLetters(strings.Fields(rest)) },
	"resubmit":  func(s *scene, rest string) { s.takeOut((*Feed).Resubmit, rest) },
	"discard":   func(s *scene, rest string) { s.takeOut((*Feed).Discard, rest) },
	"drain": func(s *scene, rest string) {
		millis, outcome := s.two(rest)
		s.end(s.feed.Drain(s.within(millis)), outcome)
	},
	"drain-begin": func(s *scene, rest string) {
		ctx, feed := s.within(rest), s.feed
		s.drained = during(func() error { return feed.Drain(ctx) })
	},
	"drained": func(s *scene, rest string) { s.end(result(s.t, s.drained), rest) },
	"close": func(s *scene, _ string) {
		if err := s.feed.Close(); err != nil {
			s.fail(err)
		}
	},
	"service": func(s *scene, rest string) { s.emulator.Set(s.object(rest)) },
	"fault": func(s *scene, rest string) {
		words := strings.Fields(rest)
		status := map[string]any{"status": map[string]int{"status": s.number(words[1])}}
		s.emulator.Fault(words[0], s.number(words[2]), status)
	},
	"error": func(s *scene, rest string) {
		code, status := s.two(rest)
		var told *Error
		if err := s.feed.Err(); !errors.As(err, &told) || told.Code != code || told.HTTPStatus != s.number(status) {
			s.fail(err)
		}
	},
	"log": func(s *scene, rest string) {
		until(s.t, func() bool {
			_, found := s.log.find(s.t, rest)
			return found
		})
	},
	"stats": func(s *scene, rest string) {
		name, number := s.two(rest)
		text, _ := json.Marshal(statsOf(s.t, s.feed))
		var stats map[string]json.RawMessage
		if err := json.Unmarshal(text, &stats); err != nil || string(stats[name]) != number {
			s.fail(string(text))
		}
	},
	"session": func(s *scene, _ string) { s.accepted(s.session(), 200) },
	"renew": func(s *scene, _ string) {
		refused := s.session()
		s.emulator.ExpireSessions()
		s.accepted(refused, 401)
		renewed, err := s.feed.RenewSession(s.within("20000"), refused.SessionToken)
		if err != nil || renewed.SessionToken == refused.SessionToken {
			s.fail(renewed, err)
		}
		s.accepted(renewed, 200)
	},
	"books": func(s *scene, rest string) { name, number := s.two(rest); s.emulator.Wait(name, s.number(number)) },
}

func (s *scene) fail(found ...any) {
	s.t.Helper()
	s.t.Fatalf("%s: found %v", s.line, found)
}

func (s *scene) two(rest string) (string, string) {
	s.t.Helper()
	first, second, found := strings.Cut(rest, " ")
	if !found {
		s.fail("one word")
	}
	return first, second
}

// number is 0 where there is no word.
func (s *scene) number(word string) int {
	s.t.Helper()
	number, err := strconv.Atoi(word)
	if err != nil && word != "" {
		s.fail(err)
	}
	return number
}

func (s *scene) object(text string) (members map[string]any) {
	s.t.Helper()
	text = strings.ReplaceAll(text, "@FOLDER@", s.folder)
	if text != "" {
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			s.fail(err)
		}
	}
	return members
}

// within is a context that lasts so many milliseconds.
func (s *scene) within(millis string) context.Context {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.number(millis))*time.Millisecond)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *scene) publish(text, user string, names ...string) {
	s.t.Helper()
	var list []any
	for _, name := range names {
		raw := json.RawMessage(strings.NewReplacer("@NAME@", name, "@TEXT@", text, "@USER@", user).Replace(s.template))
		s.events[name] = published{raw, text, user}
		list = append(list, raw)
	}
	s.emulator.Publish(list...)
}

// take compares an event with the published one, and keeps it.
func (s *scene) take(name string, event *Event) {
	s.t.Helper()
	want, known := s.events[name]
	if !known || !bytes.Equal(event.Raw(), want.raw) {
		s.fail(fmt.Sprintf("%.300s", event.Raw()))
	}
	var text string
	if err := json.Unmarshal([]byte(`"`+want.text+`"`), &text); err != nil {
		s.fail(err)
	}
	var parsed struct {
		Initiator struct{ User struct{ UserID json.Number } }
		Payload   struct {
			MessageSent struct{ Message struct{ Message string } }
		}
	}
	err := event.Decode(&parsed)
	user, said := string(parsed.Initiator.User.UserID), parsed.Payload.MessageSent.Message.Message
	if err != nil || user != want.user || said != text {
		s.fail("parsed", user, err)
	}
	if event.ID() != name || event.Type() != "MESSAGESENT" || event.Timestamp().UnixMilli() != 1709537400123 {
		s.fail(event.ID(), event.Type(), event.Timestamp())
	}
	s.taken[name] = event
}

// outcome compares what Next returned.
func (s *scene) outcome(got delivered, want string) {
	s.t.Helper()
	var told *Error
	var as bool
	switch want {
	case "timeout":
		as = errors.Is(got.err, context.DeadlineExceeded)
	case "interrupted":
		as = errors.Is(got.err, context.Canceled)
	case "closed":
		as = errors.Is(got.err, ErrClosed)
	case "failed":
		as = errors.As(got.err, &told) && !told.Retryable
	default:
		if got.err == nil {
			s.take(want, got.event)
			return
		}
	}
	if !as || got.event != nil {
		s.fail(got.event, got.err)
	}
}

// settle acknowledges or refuses.
func (s *scene) settle(settle func(*Event) error, rest string) {
	s.t.Helper()
	name, outcome, _ := strings.Cut(rest, " ")
	want, known := map[string]error{"": nil, "invalid": ErrInvalidDelivery, "closed": ErrClosed}[outcome]
	event := s.taken[name]
	if event == nil || !known {
		s.fail("no such delivery or outcome")
	}
	if err := settle(event); !errors.Is(err, want) {
		s.fail(err)
	}
}

// end compares what Drain returned.
func (s *scene) end(err error, outcome string) {
	s.t.Helper()
	want, known := map[string]error{"done": nil, "timeout": context.DeadlineExceeded, "closed": ErrClosed}[outcome]
	if !known || !errors.Is(err, want) {
		s.fail(err)
	}
}

func (s *scene) session() Session {
	s.t.Helper()
	session, err := s.feed.Session()
	if err != nil || session.SessionToken == "" || session.KeyManagerToken == "" {
		s.fail(session, err)
	}
	return session
}

func (s *scene) accepted(session Session, status int) {
	s.t.Helper()
	if got := askAgent(s.t, session); got != status {
		s.fail("status", got)
	}
}

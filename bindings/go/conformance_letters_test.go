package datafeed

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// deadLetters compares what is set aside with these events.
func (s *scene) deadLetters(names []string) {
	s.t.Helper()
	var found []DeadLetter
	for letter, err := range s.feed.DeadLetters() {
		if err != nil {
			s.fail(err)
		}
		found = append(found, letter)
	}
	if len(found) != len(names) {
		s.fail(found)
	}
	for index, name := range names {
		letter := found[index]
		if !bytes.Equal(s.inOrder(letter.Event), s.inOrder(s.events[name].raw)) || letter.Attempts != s.taken[name].Attempt() {
			s.fail(letter)
		}
		s.letters[name] = letter.ID
	}
}

// inOrder is the same JSON with its members in the order of their names.
func (s *scene) inOrder(text []byte) []byte {
	s.t.Helper()
	var value any
	if err := decode(text, &value); err != nil {
		s.fail(err)
	}
	ordered, err := json.Marshal(value)
	if err != nil {
		s.fail(err)
	}
	return ordered
}

// takeOut resubmits or discards.
func (s *scene) takeOut(call func(*Feed, uint64) error, rest string) {
	s.t.Helper()
	name, outcome, _ := strings.Cut(rest, " ")
	want, known := map[string]error{"": nil, "invalid": ErrUnknownLetter, "closed": ErrClosed}[outcome]
	letter := s.letters[name]
	if letter == 0 || !known {
		s.fail("no such letter or outcome")
	}
	if err := call(s.feed, letter); !errors.Is(err, want) {
		s.fail(err)
	}
}

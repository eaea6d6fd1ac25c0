// Package datafeedtest runs an emulated Symphony for the tests of a bot: an agent, pod and key manager on loopback, in
// a process that ends with the test.
//
//	func TestTheBotAnswers(t *testing.T) {
//		emulator := datafeedtest.Start(t)
//		feed, err := datafeed.Open(emulator.Config())
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer feed.Close()
//		go answer(feed) // the bot
//		emulator.WaitForFeed()
//		emulator.Publish(datafeedtest.Message("hello"))
//		if said := emulator.Messages(1); said[0].Text != "hello" {
//			t.Fatal(said)
//		}
//		emulator.Wait("acknowledged", 1)
//	}
//
// The program is found by the environment variable DATAFEED_EMULATOR, or on the PATH as datafeed-emulator, or where
// `make emulator` leaves it in a checkout of the sources. Its page, tests/emulator/README.md, tells all options, faults
// and books.
package datafeedtest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Patience is how long the methods of an [Emulator] wait for what must happen, before they fail the test.
const Patience = 20 * time.Second

// Emulator is an emulated Symphony. A method that cannot do its work fails the test, so each must be called by the
// test's own goroutine.
type Emulator struct {
	t testing.TB
	*process
}

// Start starts an emulator, and ends it with the test. options are those of the program, such as "--tls".
//
// Where they do not say otherwise, reads without events take 200 ms ("--poll-ms", "200"), since an acknowledgement
// travels with the next read.
func Start(t testing.TB, options ...string) *Emulator {
	t.Helper()
	program, err := find(checkout())
	if err != nil {
		t.Fatal("datafeedtest: ", err)
	}
	said := func(option string) bool { return strings.HasPrefix(option, "--poll-ms") }
	if !slices.ContainsFunc(options, said) {
		options = slices.Concat(options, []string{"--poll-ms", "200"})
	}
	running, err := launch(program, options...)
	if err != nil {
		t.Fatal("datafeedtest: the emulator does not start: ", err)
	}
	t.Cleanup(func() {
		if err := running.end(); err != nil {
			t.Error("datafeedtest: the emulator: ", err)
		}
	})
	return &Emulator{t, running}
}

// Config returns a configuration for datafeed.Open: what the emulator says, with further settings. The last one of a
// name counts.
func (e *Emulator) Config(more ...map[string]any) string {
	e.t.Helper()
	config := maps.Clone(e.config)
	for _, settings := range more {
		maps.Copy(config, settings)
	}
	text, err := json.Marshal(config)
	if err != nil {
		e.t.Fatal("datafeedtest: ", err)
	}
	return string(text)
}

// Package datafeedtest runs an emulated Symphony for the tests of a bot: an agent, pod and key manager on loopback, in a
// process that ends with the test.
//
//	func TestTheBotAnswers(t *testing.T) {
//		emulator := datafeedtest.Start(t)
//		feed, err := datafeed.Open(emulator.Config())
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer feed.Close()
//		go answer(feed)
//		emulator.WaitForFeed()
//		emulator.Publish(datafeedtest.Message("hello"))
//		if said := emulator.Messages(1); said[0].Text != "hello" {
//			t.Fatal(said)
//		}
//		emulator.Wait("acknowledged", 1)
//	}
//
// The program is found by the environment variable DATAFEED_EMULATOR, or on the PATH as datafeed-emulator, or where `make
// emulator` leaves it in a checkout of the sources. Its page, tests/emulator/README.md, has all options, faults and books.
package datafeedtest

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Patience is how long the methods of an [Emulator] wait for what must happen, before they fail the test.
const Patience = 20 * time.Second

// Emulator is an emulated Symphony. A method that cannot do its work fails the test, so each must be called by the
// test's own goroutine.
type Emulator struct {
	t       testing.TB
	config  map[string]any
	control string
}

// Start starts an emulator, and ends it with the test. options are those of the program, such as "--tls".
//
// Reads without events take 200 ms (--poll-ms), since an acknowledgement travels with the next read.
func Start(t testing.TB, options ...string) *Emulator {
	t.Helper()
	program, err := find()
	if err != nil {
		t.Fatal(err)
	}
	options = append([]string{"--port", "0", "--until-stdin-closes", "--poll-ms", "200"}, options...)
	command := exec.Command(program, options...)
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	words, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal("datafeedtest: the emulator does not start: ", err)
	}
	said := bufio.NewReader(words)
	t.Cleanup(func() {
		input.Close()
		rest, _ := io.ReadAll(said)
		if err := command.Wait(); err != nil {
			t.Errorf("datafeedtest: the emulator: %v\n%s", err, rest)
		}
	})
	e := &Emulator{t: t}
	line, _ := bufio.NewReader(output).ReadBytes('\n')
	if err := json.Unmarshal(line, &e.config); err != nil {
		rest, _ := io.ReadAll(said)
		t.Fatalf("datafeedtest: the emulator has printed no configuration: %s", rest)
	}
	greeting, _ := said.ReadString('\n')
	_, control, found := strings.Cut(strings.TrimSpace(greeting), "controlled at ")
	if !found {
		t.Fatalf("datafeedtest: the emulator has not told where it is controlled: %s", greeting)
	}
	e.control = control
	return e
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

package datafeed

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"syscall"
	"testing"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestEveryLetterIsListedAndCanBeTakenOutOnTheWay(t *testing.T) {
	e := datafeedtest.Start(t)
	feed := open(t, e, map[string]any{"stateDir": t.TempDir(), "maxAttempts": 1})
	untilReading(t, feed)
	const many = 220 // more than the library lists at once
	var events []any
	for number := range many {
		events = append(events, hello(number))
	}
	e.Publish(events...)
	for range many {
		if err := next(t, feed).Nack(); err != nil {
			t.Fatal(err)
		}
	}
	var listed int
	for letter, err := range feed.DeadLetters() {
		if err != nil || letter.Attempts != 1 || letter.At == 0 {
			t.Fatal(letter, err)
		}
		var event struct{ ID string }
		if err := json.Unmarshal(letter.Event, &event); err != nil || event.ID != fmt.Sprintf("event-%d", listed) {
			t.Fatal(string(letter.Event), err)
		}
		if listed++; letter.ID%2 == 0 {
			err = feed.Resubmit(letter.ID)
		} else {
			err = feed.Discard(letter.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if listed != many {
		t.Fatal(listed)
	}
	for number := 1; number < many; number += 2 {
		if event := next(t, feed); event.ID() != fmt.Sprintf("event-%d", number) || event.Attempt() != 1 {
			t.Fatal(event.ID(), event.Attempt())
		}
	}
	if stats := statsOf(t, feed); stats.SetAside != many || stats.DeadLetters != 0 {
		t.Fatalf("%+v", stats)
	}
	for range feed.DeadLetters() {
		t.Fatal("one is left")
	}
	if err := errors.Join(feed.Resubmit(1), feed.Discard(2)); !errors.Is(err, ErrUnknownLetter) {
		t.Fatal(err)
	}
	feed.Close()
	for _, err := range feed.DeadLetters() {
		if !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("a closed feed lists nothing, and says so")
}

// A member that the library tells and the struct does not have would be lost without a word.
func TestAGapIsDecoded(t *testing.T) {
	e := datafeedtest.Start(t)
	feed := open(t, e, map[string]any{"datafeed": map[string]any{"version": "v1", "idFilePath": t.TempDir() + "/"}})
	untilReading(t, feed)
	e.Fault("v1Read", 1, map[string]any{"status": map[string]any{"status": 503}})
	event := next(t, feed)
	var gap Gap
	var members map[string]any
	if err := errors.Join(event.DecodePayload(&gap), event.DecodePayload(&members)); err != nil {
		t.Fatal(err)
	}
	if gap.From == nil || gap.Reason != "ANSWER_LOST" || len(members) != reflect.TypeFor[Gap]().NumField() {
		t.Fatal(string(event.Raw()))
	}
}

const fullDiskConfig = "DATAFEED_TEST_FULL_DISK"

// No file of the process may grow, as on a full disk: so it is a process of its own.
func TestWhatIsNotStoredIsDoneAllTheSame(t *testing.T) {
	if config := os.Getenv(fullDiskConfig); config != "" {
		onAFullDisk(t, config)
		return
	}
	e := datafeedtest.Start(t)
	bot := exec.Command(os.Args[0], "-test.run=^TestWhatIsNotStoredIsDoneAllTheSame$")
	bot.Env = append(os.Environ(), fullDiskConfig+"="+e.Config(map[string]any{"stateDir": t.TempDir(), "nackDelay": 10}))
	bot.Stderr = os.Stderr
	input, _ := bot.StdinPipe()
	output, _ := bot.StdoutPipe()
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	defer bot.Process.Kill()
	e.WaitForFeed()
	e.Publish(hello(1), hello(2))
	said := bufio.NewReader(output)
	if line, _ := said.ReadString('\n'); line != "done\n" {
		rest, _ := io.ReadAll(said)
		t.Fatal(line, string(rest))
	}
	// The disk has room again, and the service is told at last.
	e.Wait("acknowledged", 2)
	input.Close()
	_, _ = io.Copy(io.Discard, said)
	if err := bot.Wait(); err != nil {
		t.Fatal(err)
	}
}

// onAFullDisk is the bot: its loop goes on.
func onAFullDisk(t *testing.T, config string) {
	feed, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	var usual syscall.Rlimit
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	var events int
	for event, err := range feed.Events(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: usual.Max}); err != nil {
			t.Fatal(err)
		}
		if err := event.Ack(); !errors.Is(err, ErrNotStored) {
			t.Fatal(err)
		}
		if err := event.Ack(); !errors.Is(err, ErrInvalidDelivery) {
			t.Fatal(err)
		}
		if events++; events == 2 {
			break
		}
	}
	if err := feed.Err(); !errors.Is(err, &Error{Code: "STATE_UNAVAILABLE"}) {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	fmt.Println("done")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

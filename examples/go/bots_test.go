// Package examples tests the bots of this folder.
package examples

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// bot is a program that runs.
type bot struct {
	t       *testing.T
	command *exec.Cmd
	stdout  strings.Builder
	stderr  strings.Builder
	ended   chan error
	kill    context.CancelFunc
	once    sync.Once
}

// run starts a bot with a configuration. It is gone when the test ends.
func run(t *testing.T, program, config string, environment ...string) *bot {
	t.Helper()
	ctx, kill := context.WithCancel(context.Background())
	b := &bot{t: t, command: exec.CommandContext(ctx, program, config), ended: make(chan error, 1), kill: kill}
	b.command.Stdout, b.command.Stderr = &b.stdout, &b.stderr
	b.command.Env = append(b.command.Environ(), environment...)
	if err := b.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.kill(); b.wait() })
	go func() { b.ended <- b.command.Wait() }()
	return b
}

// wait waits for the bot's end, once, and kills a bot that does not end.
func (b *bot) wait() (err error) {
	b.once.Do(func() {
		select {
		case err = <-b.ended:
		case <-time.After(datafeedtest.Patience):
			b.kill()
			err = errors.Join(errors.New("it does not end"), <-b.ended)
		}
	})
	return err
}

// stop sends a signal. The bot ends well, and says nothing of errors.
func (b *bot) stop(signal syscall.Signal) {
	b.t.Helper()
	if err := b.command.Process.Signal(signal); err != nil {
		b.t.Fatal(err)
	}
	if err := b.wait(); err != nil {
		b.t.Fatalf("%v: %s", err, &b.stderr)
	}
}

func TestTheEchoBotAnswers(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		e := datafeedtest.Start(t)
		echo := run(t, build(t, "echo"), e.Config())
		e.WaitForFeed()
		e.Publish(datafeedtest.Message("1 < 2 & Grüße 🚀"), map[string]string{"type": "ROOMCREATED"})
		said := e.Messages(1)[0]
		if said.Text != "1 &lt; 2 &amp; Grüße 🚀" || said.StreamID != "3o7H+a/T9mK3Q2==" {
			t.Fatalf("%+v", said)
		}
		// The bot's own message among them.
		e.Wait("acknowledged", 3)
		echo.stop(signal)
		if out := echo.stdout.String() + echo.stderr.String(); out != "" {
			t.Fatal(out)
		}
	}
}

func TestTheEchoBotRenewsItsSession(t *testing.T) {
	e := datafeedtest.Start(t)
	e.Set(map[string]any{"pollMillis": 600_000})
	echo := run(t, build(t, "echo"), e.Config())
	e.WaitForFeed()
	e.ExpireSessions()
	e.Publish(datafeedtest.Message("hello"))
	e.Messages(1)
	echo.stop(syscall.SIGTERM)
	if echo.stderr.Len() > 0 {
		t.Fatal(&echo.stderr)
	}
}

func TestTheEchoBotTriesAgain(t *testing.T) {
	e := datafeedtest.Start(t)
	e.Fault("createMessage", 1, map[string]any{"status": map[string]any{"status": 503}})
	echo := run(t, build(t, "echo"), e.Config(map[string]any{"nackDelay": 10}))
	e.WaitForFeed()
	e.Publish(datafeedtest.Message("hello"))
	if said := e.Messages(1); said[0].Text != "hello" {
		t.Fatalf("%+v", said)
	}
	e.Wait("acknowledged", 2)
	echo.stop(syscall.SIGTERM)
	if !strings.Contains(echo.stderr.String(), "status 503") {
		t.Fatal(&echo.stderr)
	}
}

func TestEveryBotEndsWhenItsFeedHasFailed(t *testing.T) {
	e := datafeedtest.Start(t)
	e.RejectLogins(true)
	for _, name := range []string{"minimal", "echo", "pool"} {
		bot := run(t, build(t, name), e.Config())
		var status *exec.ExitError
		if err := bot.wait(); !errors.As(err, &status) || status.ExitCode() != 1 {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(bot.stderr.String(), "AUTH_REJECTED") {
			t.Errorf("%s: %s", name, &bot.stderr)
		}
	}
}

func TestThePoolDrains(t *testing.T) {
	const count = 100
	e := datafeedtest.Start(t)
	pool := run(t, build(t, "pool"), e.Config())
	e.WaitForFeed()
	for range count {
		e.Publish(datafeedtest.Message("hello"))
	}
	e.Wait("acknowledged", count)
	pool.stop(syscall.SIGTERM)
	if lines := strings.Count(pool.stdout.String(), " MESSAGESENT\n"); lines != count {
		t.Fatal(lines, &pool.stdout)
	}
}

func TestTheMinimalBotPrintsEvents(t *testing.T) {
	e := datafeedtest.Start(t)
	minimal := run(t, build(t, "minimal"), e.Config())
	e.WaitForFeed()
	e.Chat(20)
	e.Wait("acknowledged", 20)
	minimal.kill()
	minimal.wait()
	if lines := strings.Count(minimal.stdout.String(), "\n"); lines != 20 {
		t.Fatal(lines, &minimal.stdout)
	}
}

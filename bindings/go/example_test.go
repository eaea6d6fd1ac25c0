package datafeed_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func ExampleOpen() {
	feed, err := datafeed.Open("config.json") // a path, or a text in JSON or YAML
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	for event, err := range feed.Events(context.Background()) {
		if err != nil {
			log.Fatal(err) // the feed has stopped for good
		}
		fmt.Println(event.Type(), event.Timestamp())
		event.Ack()
	}
}

// A configuration that cannot be used is an error that names the setting.
func ExampleOpen_error() {
	_, err := datafeed.Open(`{"host": "localhost", "bot": {"username": 1}}`)
	var told *datafeed.Error
	if errors.As(err, &told) {
		fmt.Println(told.Code, told.Field)
	}
	// Output: CONFIG_INVALID bot.username
}

func ExampleWithLogger() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("bot", "my-bot")
	feed, err := datafeed.Open("config.json", datafeed.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
}

func ExampleEvent_DecodePayload() {
	handle := func(event *datafeed.Event) error {
		if event.Type() != "MESSAGESENT" {
			return event.Ack()
		}
		var sent struct {
			Message struct {
				Message string
				Stream  struct{ StreamID string }
			}
		}
		if err := event.DecodePayload(&sent); err != nil {
			return err
		}
		fmt.Println(sent.Message.Stream.StreamID, sent.Message.Message)
		return event.Ack()
	}
	_ = handle
}

// A pool of goroutines that finishes what it has begun when the program is told to end.
func ExampleFeed_Drain() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	feed, err := datafeed.Open("config.json")
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	var pool sync.WaitGroup
	for range 4 {
		pool.Add(1)
		go func() {
			defer pool.Done()
			for event, err := range feed.Events(context.Background()) {
				if err != nil {
					log.Print(err)
					stop()
					return
				}
				fmt.Println(event.ID())
				event.Ack()
			}
		}()
	}
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := feed.Drain(grace); err != nil {
		log.Print("some events will be delivered again: ", err)
		return
	}
	pool.Wait()
}

// A request of the bot's own, with other tokens when those at hand are refused.
func ExampleFeed_RenewSession() {
	ask := func(ctx context.Context, feed *datafeed.Feed) (*http.Response, error) {
		session, err := feed.Session()
		if err != nil {
			return nil, err
		}
		for renewed := false; ; renewed = true {
			request, err := http.NewRequestWithContext(ctx, "GET", session.PodURL+"/pod/v2/sessioninfo", nil)
			if err != nil {
				return nil, err
			}
			request.Header.Set("sessionToken", session.SessionToken)
			response, err := http.DefaultClient.Do(request)
			if err != nil || response.StatusCode != http.StatusUnauthorized || renewed {
				return response, err
			}
			response.Body.Close()
			if session, err = feed.RenewSession(ctx, session.SessionToken); err != nil {
				return nil, err
			}
		}
	}
	_ = ask
}

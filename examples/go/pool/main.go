// Works on events with a pool of goroutines. On SIGTERM or Ctrl-C each finishes the event that it has, and takes no
// other.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

const (
	workers = 4
	grace   = 10 * time.Second
)

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(config string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	feed, err := datafeed.Open(config)
	if err != nil {
		return err
	}
	defer feed.Close()

	var pool sync.WaitGroup
	failed := make(chan error, workers)
	for range workers {
		pool.Add(1)
		go func() {
			defer pool.Done()
			// Draining ends the loop, so that its context lasts: see Feed.Drain.
			for event, err := range feed.Events(context.Background()) {
				if err != nil {
					failed <- err
					return
				}
				work(event)
			}
		}()
	}

	select {
	case err := <-failed:
		return err // the feed has stopped for good
	case <-ctx.Done():
	}
	stop() // A second signal ends the program at once.
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := feed.Drain(ctx); err != nil {
		return fmt.Errorf("some events were not finished, and will be delivered again: %w", err)
	}
	pool.Wait()
	return nil
}

func work(event *datafeed.Event) {
	fmt.Printf("%s %s\n", event.Timestamp().Format(time.RFC3339), event.Type())
	event.Ack()
}

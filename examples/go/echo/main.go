// Answers every message with its own text, until SIGTERM or Ctrl-C.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func main() {
	slog.SetLogLoggerLevel(slog.LevelError) // of the library's log, too
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	feed, err := datafeed.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	for event, err := range feed.Events(ctx) {
		if err != nil {
			log.Fatal(err) // the feed has stopped for good
		}
		if err := answer(ctx, feed, event); err != nil {
			log.Print(err)
			event.Nack() // it comes again
			continue
		}
		event.Ack()
	}
}

// Prints twenty events: each as a line of JSON on stdout, and who wrote what on stderr.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	feed, err := datafeed.Open(strings.Join(os.Args[1:], ""))
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	lines, count := json.NewEncoder(os.Stdout), 0
	lines.SetEscapeHTML(false)
	for event, err := range feed.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if err := lines.Encode(json.RawMessage(event.Raw())); err != nil {
			return // Nobody reads the output.
		}
		log.Print(note(event))
		event.Ack()
		if count++; count == 20 {
			return
		}
	}
}

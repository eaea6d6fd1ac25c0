// The consumer that uses the wrapper for Go: a loop, and an acknowledgement for each event. With BENCH_PARSE it also
// parses each event.
package main

import (
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"os"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func main() {
	measured := measurement{
		warmUp: number("BENCH_WARM_UP"), events: number("BENCH_EVENTS"), batch: number("BENCH_BATCH"), started: time.Now(),
	}
	parse := os.Getenv("BENCH_PARSE") != ""
	// One that can be cancelled, as every bot has that ends well.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	feed, err := datafeed.Open(os.Getenv("BENCH_CONFIG"), datafeed.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	for event, err := range feed.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if parse {
			var parsed map[string]any
			if err := json.Unmarshal(event.Raw(), &parsed); err != nil || parsed["type"] != "MESSAGESENT" {
				log.Fatalf("what was received is no message: %.80s", event.Raw())
			}
		}
		if !measured.receive(event.Raw()) {
			break
		}
		event.Ack()
	}
	measured.print()
}

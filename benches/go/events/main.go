// The consumer that uses the wrapper for Go: a loop, and an acknowledgement for each event.
//
//	go PORT WARM_UP EVENTS KEY
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strconv"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: go PORT WARM_UP EVENTS KEY")
	}
	measured := measurement{warmUp: number(os.Args[2]), events: number(os.Args[3]), started: time.Now()}
	// One that can be cancelled, as every bot has that ends well.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	feed, err := datafeed.Open(fmt.Sprintf(
		`{"scheme":"http","host":"127.0.0.1","port":%s,"bot":{"username":"bench","privateKey":{"path":%q}}}`,
		os.Args[1], os.Args[4]), datafeed.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	for event, err := range feed.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if !measured.receive(event.Raw()) {
			break
		}
		event.Ack()
	}
	measured.print()
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

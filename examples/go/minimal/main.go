package main

import (
	"context"
	"fmt"
	"log"
	"os"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func main() {
	feed, err := datafeed.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer feed.Close()
	for event, err := range feed.Events(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(event.Raw()))
		event.Ack()
	}
}

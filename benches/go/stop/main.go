// How long it takes in Go to close a feed, and from the end of a context until the call that waits with it has returned,
// while the library is in a long poll.
//
//	go-stop SAMPLES CONFIG CONTROL_PORT
//
// CONFIG and CONTROL_PORT are an emulator's. It prints median, 99th percentile and maximum in microseconds, first of
// Close, then of the context. Each sample is of a new feed.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: go-stop SAMPLES CONFIG CONTROL_PORT")
	}
	samples, err := strconv.Atoi(os.Args[1])
	if err != nil || samples < 1 {
		log.Fatal("SAMPLES must be a positive number")
	}
	config, service := os.Args[2], "http://127.0.0.1:"+os.Args[3]+"/emulator/"
	// The reads of feeds that are closed would go on.
	control(service, "POST", "settings", `{"abandonedReadsTake":false}`)
	var told []string
	for _, stop := range []func(*datafeed.Feed) time.Duration{closeOne, cancelOne} {
		durations := make([]time.Duration, samples)
		for sample := range durations {
			feed := open(config)
			durations[sample] = stop(feed)
			if err := feed.Close(); err != nil {
				log.Fatal(err)
			}
			control(service, "DELETE", "feeds", "")
		}
		slices.Sort(durations)
		for _, hundredths := range []int{50, 99, 100} {
			told = append(told, fmt.Sprint(durations[(samples*hundredths+99)/100-1].Microseconds()))
		}
	}
	fmt.Println(strings.Join(told, " "))
}

// open returns a feed that is in a long poll.
func open(config string) *datafeed.Feed {
	feed, err := datafeed.Open(config, datafeed.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	until(func() bool {
		stats, err := feed.Stats()
		return err == nil && stats.State == "READING"
	})
	return feed
}

func closeOne(feed *datafeed.Feed) time.Duration {
	called := time.Now()
	feed.Close()
	return time.Since(called)
}

func cancelOne(feed *datafeed.Feed) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	returned := make(chan time.Time)
	go func() {
		_, err := feed.Next(ctx)
		now := time.Now()
		if !errors.Is(err, context.Canceled) {
			log.Fatal(err)
		}
		returned <- now
	}()
	until(waitsInTheLibrary)
	called := time.Now()
	cancel()
	return (<-returned).Sub(called)
}

// waitsInTheLibrary says whether a goroutine is in the library's call.
func waitsInTheLibrary() bool {
	stacks := make([]byte, 1<<16)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("_Cfunc_receive"))
}

func until(condition func() bool) {
	for end := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			log.Fatal("it did not happen in time")
		}
	}
}

func control(service, method, path, body string) {
	request, err := http.NewRequest(method, service+path, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode >= 300 {
		log.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

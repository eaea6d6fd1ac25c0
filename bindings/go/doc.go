// Package datafeed gives a Go program Symphony's real-time events.
//
//	feed, err := datafeed.Open("config.json")
//	if err != nil {
//		return err
//	}
//	defer feed.Close()
//	for event, err := range feed.Events(ctx) {
//		if err != nil {
//			return err // the feed has stopped for good
//		}
//		fmt.Println(string(event.Raw()))
//		event.Ack()
//	}
//
// Reconnecting, logging in again, acknowledging to the service and recognising what comes twice is the business of the
// symphony-datafeed library, in a thread of its own. Its log goes to [log/slog].
//
// Any goroutine may call any method at any time, and any number may wait for events: each event goes to one of them.
// A program that is told to end calls [Feed.Drain], which ends their loops and waits until they are done.
//
// Package datafeedtest runs an emulated Symphony for tests.
package datafeed

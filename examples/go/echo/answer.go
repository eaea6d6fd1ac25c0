package main

import (
	"context"
	"fmt"
	"regexp"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

var tags = regexp.MustCompile("<[^>]*>")

// answer sends the text of a message back to where it was written.
func answer(ctx context.Context, feed *datafeed.Feed, event *datafeed.Event) error {
	var sent struct {
		Message struct {
			Message string
			Stream  struct{ StreamID string }
		}
	}
	if event.Type() != "MESSAGESENT" || event.DecodePayload(&sent) != nil {
		return nil
	}
	session, err := feed.Session()
	if err != nil {
		return err
	}
	stream, text := sent.Message.Stream.StreamID, tags.ReplaceAllString(sent.Message.Message, "")
	status, err := post(session, stream, text)
	if status == 401 {
		if session, err = feed.RenewSession(ctx, session.SessionToken); err == nil {
			status, err = post(session, stream, text)
		}
	}
	if err == nil && status != 200 {
		err = fmt.Errorf("the answer was refused with status %d", status)
	}
	return err
}

package main

import (
	"html"
	"regexp"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

var markup = regexp.MustCompile("<[^>]*>")

// note says who wrote what.
func note(event *datafeed.Event) string {
	var said struct {
		Type      string
		Initiator struct {
			User struct{ DisplayName string }
		}
		Payload struct {
			MessageSent struct {
				Message struct{ Message string }
			}
		}
	}
	if err := event.Decode(&said); err != nil {
		return err.Error()
	}
	text := html.UnescapeString(markup.ReplaceAllString(said.Payload.MessageSent.Message.Message, ""))
	if text == "" {
		text = said.Type
	}
	return said.Initiator.User.DisplayName + ": " + text
}

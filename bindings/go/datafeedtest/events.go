package datafeedtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Books are counts of what happened to the events, over all feeds.
type Books struct {
	// Published counts events, each once; Unrouted those of them that no feed was there to get.
	Published, Unrouted int
	// Routed counts the events that were put into feeds: Acknowledged + RemovedUnacknowledged + Queued + Leased.
	Routed int
	// HandedOut counts hand-outs, Redelivered those of an event after its first.
	HandedOut, Redelivered int
	// Acknowledged counts events whose acknowledgement has arrived.
	Acknowledged int
	// RemovedUnacknowledged counts events that went with their feed.
	RemovedUnacknowledged int
	// Queued counts the events that wait now, Leased those that are handed out and not acknowledged.
	Queued, Leased int
}

// Publish has something happen: every feed that is there gets these events. A [json.RawMessage] is published byte for
// byte, anything else as JSON.
func (e *Emulator) Publish(events ...any) Books {
	e.t.Helper()
	texts := make([][]byte, len(events))
	for i, event := range events {
		texts[i] = e.render(event)
	}
	list := "[" + string(bytes.Join(texts, []byte(","))) + "]"
	return ask[Books](e, "POST", "events", json.RawMessage(list))
}

// Chat publishes so many generated events of many types.
func (e *Emulator) Chat(count int) Books {
	e.t.Helper()
	return ask[Books](e, "POST", "chat", map[string]int{"count": count})
}

// Books returns the counts now.
func (e *Emulator) Books() Books {
	e.t.Helper()
	return ask[Books](e, "GET", "books", nil)
}

// Wait waits until a count of the books has come to a number, and returns the books. book is its name as in the books'
// JSON, such as "acknowledged".
func (e *Emulator) Wait(book string, atLeast int) Books {
	e.t.Helper()
	return await[Books](e, fmt.Sprintf("wait?books=%s&atLeast=%d", book, atLeast))
}

// WaitForFeed waits until the bot has a feed: what is published before reaches nobody.
func (e *Emulator) WaitForFeed() {
	e.t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(5 * time.Millisecond) {
		feeds := ask[[]json.RawMessage](e, "GET", "feeds", nil)
		firsts := ask[[]json.RawMessage](e, "GET", "feeds/v1", nil)
		if len(feeds)+len(firsts) > 0 {
			return
		}
		if time.Now().After(end) {
			e.t.Fatalf("datafeedtest: no bot has made a feed within %s", Patience)
		}
	}
}

// Said is a message that the bot has sent.
type Said struct {
	// Text is what stood within the tags of its MessageML.
	Text string
	// StreamID is the id of the conversation that it was sent to.
	StreamID string
}

// Messages waits until the bot has sent so many messages, and returns all that it has sent.
func (e *Emulator) Messages(atLeast int) []Said {
	e.t.Helper()
	type message struct {
		Message string
		Stream  struct{ StreamID string }
	}
	told := await[[]message](e, fmt.Sprintf("messages?atLeast=%d", atLeast))
	said := make([]Said, len(told))
	for i, message := range told {
		// The emulator tells the id as it stood in the path.
		stream, err := url.PathUnescape(message.Stream.StreamID)
		if err != nil {
			e.t.Fatal("datafeedtest: ", err)
		}
		said[i] = Said{Text: within(message.Message), StreamID: stream}
	}
	return said
}

// within returns what is inside of an outermost element.
func within(markup string) string {
	start, end := strings.Index(markup, ">"), strings.LastIndex(markup, "</")
	if start < 0 || end < start {
		return markup
	}
	return markup[start+1 : end]
}

// Request is a request of the bot to the service.
type Request struct {
	// Method and Path (with its query) are what was asked for, Endpoint is the name that faults go by.
	Method, Path, Endpoint string
	// Outcome is waiting, answered, damaged or abandoned.
	Outcome string
	// Status is that of the answer, 0 where there is none.
	Status int
}

// Requests returns the bot's requests so far.
func (e *Emulator) Requests() []Request {
	e.t.Helper()
	return ask[[]Request](e, "GET", "requests", nil)
}

// presentation begins what the service makes of every message.
const presentation = `<div data-format="PresentationML" data-version="2.0" class="wysiwyg">`

var messages atomic.Int64

// Message makes an event of type MESSAGESENT for [Emulator.Publish]: somebody has written this text. It arrives as
// markup, as the service sends it. No two messages are the same.
func Message(text string) any {
	number := messages.Add(1)
	id := fmt.Sprintf("message-%d", number)
	markup := presentation + html.EscapeString(text) + "</div>"
	user := map[string]any{"userId": 349026222342101, "displayName": "Amara Okafor", "username": "amara.okafor"}
	return map[string]any{
		"id":        fmt.Sprintf("event-%d", number),
		"messageId": id,
		"timestamp": time.Now().UnixMilli(),
		"type":      "MESSAGESENT",
		"initiator": map[string]any{"user": user},
		"payload": map[string]any{"messageSent": map[string]any{"message": map[string]any{
			"messageId": id,
			"message":   markup,
			"user":      user,
			"stream":    map[string]any{"streamId": "3o7H+a/T9mK3Q2==", "streamType": "ROOM"},
		}}},
	}
}

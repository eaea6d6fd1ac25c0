package main

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
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
	text := tags.ReplaceAllString(sent.Message.Message, "")
	status, err := send(session, sent.Message.Stream.StreamID, text)
	if err == nil && status == http.StatusUnauthorized {
		if session, err = feed.RenewSession(ctx, session.SessionToken); err == nil {
			status, err = send(session, sent.Message.Stream.StreamID, text)
		}
	}
	if err == nil && status != http.StatusOK {
		err = errors.New("the answer was refused: " + http.StatusText(status))
	}
	return err
}

// send says something in a conversation. text is MessageML, as what was received is.
func send(session datafeed.Session, stream, text string) (int, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("message", "<messageML>"+text+"</messageML>")
	form.Close()
	path := "/agent/v4/stream/" + url.PathEscape(stream) + "/message/create"
	request, err := http.NewRequest("POST", session.AgentURL+path, &body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("sessionToken", session.SessionToken)
	request.Header.Set("keyManagerToken", session.KeyManagerToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

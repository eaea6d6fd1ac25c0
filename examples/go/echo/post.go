package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
)

// client waits for an answer, but not for ever: a bot that is told to end finishes first.
var client = http.Client{Timeout: 10 * time.Second}

// post says something in a conversation, and returns the answer's HTTP status. text is MessageML.
func post(session datafeed.Session, stream, text string) (status int, err error) {
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
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

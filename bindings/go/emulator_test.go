package datafeed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// emulator is one in a process of its own, which ends with the test.
type emulator struct {
	t      *testing.T
	config map[string]any
	url    string
}

func startEmulator(t *testing.T, options ...string) *emulator {
	t.Helper()
	program := os.Getenv("DATAFEED_EMULATOR")
	if program == "" {
		t.Fatal("DATAFEED_EMULATOR is not set: the path of the datafeed-emulator program")
	}
	// An acknowledgement travels with the next read, so reads without events are short.
	options = append([]string{"--port", "0", "--until-stdin-closes", "--poll-ms", "200"}, options...)
	command := exec.Command(program, options...)
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal("DATAFEED_EMULATOR: ", err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := command.Wait(); err != nil {
			t.Error("the emulator: ", err)
		}
	})
	e := &emulator{t: t}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		t.Fatal("the emulator has printed no configuration: ", err)
	}
	if err := json.Unmarshal(line, &e.config); err != nil {
		t.Fatal(err)
	}
	e.url = fmt.Sprintf("http://127.0.0.1:%v/emulator/", e.config["port"])
	return e
}

// open opens a feed with further settings, and closes it after the test.
func (e *emulator) open(settings map[string]any) *Feed {
	e.t.Helper()
	config := map[string]any{"nackDelay": 10}
	for _, more := range []map[string]any{e.config, settings} {
		for name, value := range more {
			config[name] = value
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		e.t.Fatal(err)
	}
	feed, err := Open(string(text))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { feed.Close() })
	return feed
}

func (e *emulator) call(method, path string, body any) []byte {
	e.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		e.t.Fatal(err)
	}
	request, err := http.NewRequest(method, e.url+path, bytes.NewReader(text))
	if err != nil {
		e.t.Fatal(err)
	}
	// No proxy of the environment stands between a test and the loopback.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		e.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, answer, err)
	}
	return answer
}

func (e *emulator) publish(events ...any) {
	e.t.Helper()
	e.call("POST", "events", events)
}

// books are counts of what happened to the events.
type books struct{ Acknowledged, Redelivered uint64 }

// wait waits until so many events are acknowledged to the service.
func (e *emulator) wait(acknowledged int) books {
	e.t.Helper()
	path := fmt.Sprintf("wait?books=acknowledged&atLeast=%d&timeoutMillis=%d", acknowledged, patience.Milliseconds())
	var result books
	if err := json.Unmarshal(e.call("GET", path, nil), &result); err != nil {
		e.t.Fatal(err)
	}
	return result
}

// fault makes something go wrong with the next requests to an endpoint.
func (e *emulator) fault(endpoint string, times int, action any) {
	e.t.Helper()
	e.call("POST", "faults", map[string]any{"endpoint": endpoint, "times": times, "action": action})
}

// requests counts the requests to an endpoint so far.
func (e *emulator) requests(endpoint string) int {
	e.t.Helper()
	var log []struct{ Endpoint string }
	if err := json.Unmarshal(e.call("GET", "requests", nil), &log); err != nil {
		e.t.Fatal(err)
	}
	count := 0
	for _, request := range log {
		if request.Endpoint == endpoint {
			count++
		}
	}
	return count
}

// askAgent makes a request of the bot's own with a session's tokens, and returns the status.
func (e *emulator) askAgent(session Session) int {
	e.t.Helper()
	request, err := http.NewRequest("GET", session.AgentURL+"/agent/v5/datafeeds", nil)
	if err != nil {
		e.t.Fatal(err)
	}
	request.Header.Set("keyManagerToken", session.KeyManagerToken)
	if session.AuthorizationToken != "" {
		request.Header.Set("Authorization", session.AuthorizationToken)
	} else {
		request.Header.Set("sessionToken", session.SessionToken)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// untilReading waits until the feed reads: events that are published before there is a feed reach nobody.
func untilReading(t *testing.T, feed *Feed) {
	t.Helper()
	until(t, func() bool {
		stats, err := feed.Stats()
		return err != nil || stats.State == "READING"
	})
}

func until(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen in time")
		}
	}
}

// message is a MESSAGESENT event as the service sends it.
func message(number int, text string, userID int64) any {
	user := map[string]any{"userId": userID, "displayName": "Amara Okafor"}
	id := fmt.Sprintf("message-%d", number)
	return map[string]any{
		"id":        fmt.Sprintf("event-%d", number),
		"messageId": id,
		"timestamp": 1709537400000 + number,
		"type":      "MESSAGESENT",
		"initiator": map[string]any{"user": user},
		"payload": map[string]any{
			"messageSent": map[string]any{
				"message": map[string]any{"messageId": id, "message": text, "user": user},
			},
		},
	}
}

func hello(number int) any {
	return message(number, "hello", 349026222342101)
}

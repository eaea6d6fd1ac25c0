package datafeedtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Call makes a request to the emulator's control interface, for what has no method here, and returns the answer: path
// is what follows "/emulator/". A body that is not nil is sent as JSON.
func (e *Emulator) Call(method, path string, body any) []byte {
	e.t.Helper()
	var text []byte
	if body != nil {
		text = e.render(body)
	}
	status, answer := e.request(method, path, text)
	if status >= 300 {
		e.t.Fatalf("datafeedtest: %s %s: %d %s", method, path, status, answer)
	}
	return answer
}

func (e *Emulator) request(method, path string, body []byte) (int, []byte) {
	e.t.Helper()
	request, err := http.NewRequest(method, e.control+path, bytes.NewReader(body))
	if err != nil {
		e.t.Fatal("datafeedtest: ", err)
	}
	// No proxy of the environment stands between a test and the loopback.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		e.t.Fatal("datafeedtest: ", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		e.t.Fatal("datafeedtest: ", err)
	}
	return response.StatusCode, answer
}

// ask makes a request and parses its answer.
func ask[T any](e *Emulator, method, path string, body any) T {
	e.t.Helper()
	var told T
	if err := json.Unmarshal(e.Call(method, path, body), &told); err != nil {
		e.t.Fatalf("datafeedtest: %s %s: %v", method, path, err)
	}
	return told
}

// await makes a request that is answered when a count has come to a number.
func await[T any](e *Emulator, path string) T {
	e.t.Helper()
	path += fmt.Sprintf("&timeoutMillis=%d", Patience.Milliseconds())
	status, answer := e.request("GET", path, nil)
	var told T
	if status == http.StatusRequestTimeout {
		e.t.Fatalf("datafeedtest: it did not happen within %s: %s: %s", Patience, path, answer)
	}
	if err := json.Unmarshal(answer, &told); status != http.StatusOK || err != nil {
		e.t.Fatalf("datafeedtest: %s: %d %s", path, status, answer)
	}
	return told
}

// render makes JSON without the changes that json.Marshal makes for the sake of HTML.
func (e *Emulator) render(value any) []byte {
	e.t.Helper()
	if text, ok := value.(json.RawMessage); ok {
		return text
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		e.t.Fatal("datafeedtest: ", err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte{'\n'})
}

// Set changes settings of the emulator, such as {"pollMillis": 100}.
func (e *Emulator) Set(settings map[string]any) {
	e.t.Helper()
	e.Call("POST", "settings", settings)
}

// Fault makes something go wrong with the next requests to an endpoint, such as "read": times of them are answered as
// action says, such as {"status": {"status": 503}} or "hang".
func (e *Emulator) Fault(endpoint string, times int, action any) {
	e.t.Helper()
	e.Call("POST", "faults", map[string]any{"endpoint": endpoint, "times": times, "action": action})
}

// RejectLogins has logins answered 401, until it is called with false.
func (e *Emulator) RejectLogins(reject bool) {
	e.t.Helper()
	e.Call("POST", "logins", map[string]any{"reject": reject})
}

// ExpireSessions makes every token expire.
func (e *Emulator) ExpireSessions() {
	e.t.Helper()
	e.Call("POST", "sessions/expire", nil)
}

// Advance moves the emulator's clock, which leases, feeds and sessions live by.
func (e *Emulator) Advance(by time.Duration) {
	e.t.Helper()
	e.Call("POST", "clock", map[string]any{"advanceMillis": by.Milliseconds()})
}

package datafeed

// #include <datafeed.h>
import "C"

import (
	"encoding/json"
	"runtime"
)

// Stats is what a feed is doing and has done. Times are milliseconds since 1970, nil when there was none yet.
type Stats struct {
	// Version is the library's.
	Version string `json:"version"`
	// State is LOGGING_IN, FINDING_FEED, READING, WAITING_FOR_BOT, WAITING_FOR_STORE, BACKING_OFF, FAILED or
	// CLOSED.
	State string `json:"state"`
	// RetryAt is when the back-off at hand ends.
	RetryAt *int64 `json:"retryAt"`
	// AgentURL is the base URL of the agent's node that is read.
	AgentURL string `json:"agentUrl"`
	// Stream is datafeed, datahose or firehose.
	Stream string `json:"stream"`
	// FeedID is the feed's id at the service, empty until it is known.
	FeedID string `json:"feedId"`
	// Tag is the feed's tag, empty when it has none.
	Tag string `json:"tag"`
	// LastReadAt is when the agent last answered a read.
	LastReadAt *int64 `json:"lastReadAt"`
	// LastEventAt is when the last event came.
	LastEventAt *int64 `json:"lastEventAt"`
	// Queued counts the events that wait for the bot now.
	Queued uint64 `json:"queued"`
	// Held counts the events in the bot's hands now.
	Held uint64 `json:"held"`
	// Postponed counts the refused events that will come again.
	Postponed uint64 `json:"postponed"`
	// Remembered counts the acknowledged events by which duplicates are recognized now.
	Remembered uint64 `json:"remembered"`
	// DeadLetters counts the events that are set aside now, see [Feed.DeadLetters].
	DeadLetters uint64 `json:"deadLetters"`
	// Received counts the events that came.
	Received uint64 `json:"received"`
	// Filtered counts the events that were left out as the configuration says, and acknowledged.
	Filtered uint64 `json:"filtered"`
	// HandedOut counts the deliveries to the bot.
	HandedOut uint64 `json:"handedOut"`
	// Acknowledged counts the events that the bot acknowledged.
	Acknowledged uint64 `json:"acknowledged"`
	// Nacked counts the deliveries that the bot refused.
	Nacked uint64 `json:"nacked"`
	// SetAside counts the events that were set aside after maxAttempts.
	SetAside uint64 `json:"setAside"`
	// Redelivered counts arrivals of events that were known.
	Redelivered uint64 `json:"redelivered"`
	// Confirmed counts the acknowledgements that the service confirmed.
	Confirmed uint64 `json:"confirmed"`
	// KeepAliveReads counts reads whose only purpose was to keep the feed.
	KeepAliveReads uint64 `json:"keepAliveReads"`
	// ForgottenEarly counts acknowledged events that were forgotten before 15 minutes were over.
	ForgottenEarly uint64 `json:"forgottenEarly"`
	// Logins counts logins.
	Logins uint64 `json:"logins"`
	// FeedsCreated counts the feeds made at the service.
	FeedsCreated uint64 `json:"feedsCreated"`
	// Retries counts what was tried again.
	Retries uint64 `json:"retries"`
	// RetriesByCause counts the same for each error code.
	RetriesByCause map[string]uint64 `json:"retriesByCause"`
	// ClockOffsetSeconds is by how much the service's clock is ahead, if logins had to allow for it, else 0.
	ClockOffsetSeconds int64 `json:"clockOffsetSeconds"`
	// LatestTrouble is nil, or what went wrong last.
	LatestTrouble *Trouble `json:"latestTrouble"`
}

// Trouble is an error and when it happened.
type Trouble struct {
	Error
	// At is in milliseconds since 1970.
	At int64 `json:"at"`
}

// Stats returns what the feed is doing and has done. Also after Close.
func (f *Feed) Stats() (Stats, error) {
	var stats Stats
	text, err := rawStats(f)
	if err == nil {
		err = json.Unmarshal(text, &stats)
	}
	return stats, err
}

func rawStats(f *Feed) ([]byte, error) {
	defer runtime.KeepAlive(f)
	var text *C.char
	status := C.datafeed_stats(f.handle, &text)
	return take(text), check(status)
}

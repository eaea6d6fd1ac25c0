package datafeed

// Gap is what [Event.DecodePayload] makes of an event of the type DATAFEEDGAP: events may have been missed. Such an event is
// the library's own; Symphony sends none.
type Gap struct {
	// From is since when, in milliseconds since 1970, nil when that is not known.
	From *int64 `json:"from"`
	// To is until when: nothing is missed that was published after it.
	To int64 `json:"to"`
	// Reason is ANSWER_LOST, FEED_GONE, FEED_REFUSED, NODE_GONE or STATE_LOST.
	Reason string `json:"reason"`
	// FeedID is the feed that is read from now on.
	FeedID string `json:"feedId"`
}

package datafeed

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestStatsAndSessionTellOfTheFeed(t *testing.T) {
	_, feed := start(t, "--username", "stats-bot")
	stats := statsOf(t, feed)
	if stats.Logins != 1 || stats.FeedID == "" || stats.Stream != "datafeed" || stats.Version != Version() {
		t.Fatalf("%+v", stats)
	}
	session, err := feed.Session()
	if err != nil || session.Username != "stats-bot" || session.SessionToken == "" || session.KeyManagerToken == "" {
		t.Fatal(session, err)
	}
}

// A member that the library tells and the struct does not have would be lost without a word.
func TestStatsAndSessionHaveEveryMember(t *testing.T) {
	feed := open(t, datafeedtest.Start(t), nil)
	stats, err := rawStats(feed)
	if err != nil {
		t.Fatal(err)
	}
	session, err := rawSession(feed)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		told []byte
		into any
	}{{stats, &Stats{}}, {session, &Session{}}} {
		decoder := json.NewDecoder(bytes.NewReader(check.told))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(check.into); err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(check.told, &members); err != nil {
			t.Fatal(err)
		}
		if fields := reflect.TypeOf(check.into).Elem().NumField(); fields != len(members) {
			t.Fatalf("%T has %d fields, but the library tells %d members", check.into, fields, len(members))
		}
	}
}

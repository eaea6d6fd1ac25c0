package datafeed

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

func TestABadConfigurationIsAnErrorWithCodeAndField(t *testing.T) {
	_, err := Open(`{"host": "localhost", "bot": {"username": 1}}`)
	var told *Error
	if !errors.As(err, &told) || told.Code != "CONFIG_INVALID" || told.Field != "bot.username" || told.Retryable {
		t.Fatalf("%#v", err)
	}
	if !errors.Is(err, &Error{Code: "CONFIG_INVALID"}) || errors.Is(err, &Error{Code: "INTERNAL"}) {
		t.Fatal("errors.Is compares codes")
	}
	if !strings.Contains(err.Error(), "bot.username") {
		t.Fatal(err)
	}
	_, err = Open("no-such-file.json")
	if !errors.As(err, &told) || told.Code != "FILE_INVALID" || told.File != "no-such-file.json" {
		t.Fatalf("%#v", err)
	}
	if _, err = Open("config.json\x00"); !errors.Is(err, &Error{Code: "CONFIG_INVALID"}) {
		t.Fatal(err)
	}
}

func TestARefusedLoginReturnsTheFinalError(t *testing.T) {
	e := datafeedtest.Start(t)
	e.RejectLogins(true)
	feed := open(t, e, nil)
	_, nextErr := feed.Next(context.Background())
	var loopErr error
	for _, err := range feed.Events(context.Background()) {
		loopErr = err
	}
	for _, err := range []error{nextErr, loopErr, feed.Err()} {
		var told *Error
		if !errors.As(err, &told) || told.Code != "AUTH_REJECTED" || told.HTTPStatus != 401 || told.Retryable {
			t.Fatalf("%#v", err)
		}
	}
	stats := statsOf(t, feed)
	if stats.State != "FAILED" || stats.LatestTrouble.Code != "AUTH_REJECTED" || stats.LatestTrouble.At == 0 {
		t.Fatalf("%+v", stats)
	}
	if err := feed.Drain(context.Background()); err != nil {
		t.Fatal("nothing was in hand: ", err)
	}
}

package datafeed

// #include <datafeed.h>
import "C"

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// WithLogger has the feed's log go to this logger instead of [slog.Default], as it is when the feed is opened. A
// goroutine of the feed calls it for each line, with the line's own time, until the feed is closed.
//
// The attributes are those of the line: code, httpStatus, traceId, feedId, retryInMillis and the like;
// include/datafeed.h tells them. Levels are Error (the feed has stopped, or something was lost), Warn (trouble that it deals with, or a
// setting to look at) and Info (a change of state). No secret is ever in a line. slog.New(slog.DiscardHandler) keeps it
// silent.
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}

// passLog gives the lines of a feed's log to the logger until the feed is closed. It knows the handle alone, so that a
// [Feed] that everybody else has forgotten is forgotten.
func passLog(handle *C.datafeed, logger *slog.Logger, done chan<- struct{}) {
	defer close(done)
	for {
		var text *C.char
		if C.datafeed_next_log(handle, -1, &text) != C.DATAFEED_OK {
			return
		}
		write(logger, take(text))
	}
}

func write(logger *slog.Logger, line []byte) {
	var members map[string]any
	if err := decode(line, &members); err != nil {
		logger.Error("a line of the feed's log cannot be read", "line", string(line), "error", err)
		return
	}
	level := levelOf(members["level"])
	ctx := context.Background()
	if !logger.Enabled(ctx, level) {
		return
	}
	millis, _ := integer(members["timestamp"])
	message, _ := members["message"].(string)
	record := slog.NewRecord(time.UnixMilli(millis), level, message, 0)
	for _, name := range []string{"timestamp", "level", "message"} {
		delete(members, name)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		record.AddAttrs(attribute(name, members[name]))
	}
	// A logger's own trouble is nobody else's, as for every line that it gets.
	_ = logger.Handler().Handle(ctx, record)
}

func levelOf(name any) slog.Level {
	switch name {
	case "error":
		return slog.LevelError
	case "warn":
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func attribute(name string, value any) slog.Attr {
	if number, ok := integer(value); ok {
		return slog.Int64(name, number)
	}
	return slog.Any(name, value)
}

func integer(value any) (int64, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	whole, err := number.Int64()
	return whole, err == nil
}

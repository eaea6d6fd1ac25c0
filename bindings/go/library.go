package datafeed

// #include <datafeed.h>
import "C"

import "fmt"

// check says what a status means, other than those that only some calls know.
func check(status C.int32_t) error {
	switch status {
	case C.DATAFEED_OK:
		return nil
	case C.DATAFEED_CLOSED:
		return ErrClosed
	case C.DATAFEED_FORKED:
		return ErrForked
	case C.DATAFEED_NOT_STORED:
		return ErrNotStored
	}
	return &Error{Code: "INTERNAL", Message: fmt.Sprintf("the library answered with status %d", status)}
}

// take copies a string that the library gave away, and gives it back to be freed.
func take(text *C.char) []byte {
	if text == nil {
		return nil
	}
	defer C.datafeed_string_free(text)
	return []byte(C.GoString(text))
}

//go:build datafeed_dynamic

package datafeed

// #cgo LDFLAGS: -ldatafeed
import "C"

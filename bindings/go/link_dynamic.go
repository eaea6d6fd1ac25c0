//go:build dynamic

package datafeed

// #cgo pkg-config: datafeed
import "C"

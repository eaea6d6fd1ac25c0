//go:build !dynamic

package datafeed

// #cgo CFLAGS: -I${SRCDIR}/../../include
// #cgo LDFLAGS: ${SRCDIR}/../../target/stage/lib/libdatafeed.a
// #cgo linux LDFLAGS: -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
// #cgo darwin LDFLAGS: -framework Security -framework CoreFoundation -liconv -lSystem -lc -lm
import "C"

package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	eventStart = `{"id":"q`
	idDigits   = 12
)

// measurement is that of measure.h, with the same settings and the same output.
type measurement struct {
	warmUp, events, batch int
	received              int
	bytes                 int
	last                  [idDigits]byte
	started, first        time.Time
	begin, end            snapshot
}

type snapshot struct {
	wall         time.Time
	user, system float64
	switches     int64
}

func number(name string) int {
	value, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return value
}

// takeSnapshot is of the whole process: all its threads.
func takeSnapshot() snapshot {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	micros := func(used syscall.Timeval) float64 { return float64(used.Nano()) / 1e3 }
	return snapshot{time.Now(), micros(usage.Utime), micros(usage.Stime), int64(usage.Nvcsw + usage.Nivcsw)}
}

// receive receives one event, and answers whether more are wanted.
func (m *measurement) receive(event []byte) bool {
	if !bytes.HasPrefix(event, []byte(eventStart)) || event[len(event)-1] != '}' {
		log.Fatalf("what was received is no event: %.80s", event)
	}
	// Greater than the one before, and the right one at each mark: so each event came once.
	id := event[len(eventStart) : len(eventStart)+idDigits]
	if bytes.Compare(id, m.last[:]) <= 0 {
		log.Fatalf("the event %s came after %s", id, m.last)
	}
	copy(m.last[:], id)
	number := m.received
	m.received++
	begins, ends := number == m.warmUp, number == m.warmUp+m.events
	if begins || ends {
		if due := fmt.Sprintf("%08x%04d", number/m.batch+1, number%m.batch); due != string(id) {
			log.Fatalf("the event %s came where %s was due", id, due)
		}
	}
	if number == 0 {
		m.first = time.Now()
	}
	if begins {
		m.begin = takeSnapshot()
		m.bytes = 0
	}
	if ends {
		m.end = takeSnapshot()
		return false
	}
	m.bytes += len(event)
	return true
}

// peak is the most memory so far, in kilobytes.
func peak() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	return strings.Fields(after)[0]
}

// print prints one line of names and numbers.
func (m *measurement) print() {
	events := float64(m.events)
	fmt.Printf("events=%d bytes=%.1f seconds=%.6f user=%.4f system=%.4f switches=%.4f first=%.3f peak=%s\n", m.events,
		float64(m.bytes)/events, m.end.wall.Sub(m.begin.wall).Seconds(), (m.end.user-m.begin.user)/events,
		(m.end.system-m.begin.system)/events, float64(m.end.switches-m.begin.switches)/events,
		float64(m.first.Sub(m.started).Microseconds())/1e3, peak())
}

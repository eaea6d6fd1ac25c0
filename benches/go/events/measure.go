package main

import (
	"fmt"
	"log"
	"syscall"
	"time"
)

// measurement is that of measure.h.
type measurement struct {
	warmUp, events int
	received       int
	bytes          int
	started, first time.Time
	begin, end     snapshot
}

type snapshot struct {
	wall         time.Time
	user, system float64
	switches     int64
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
	if len(event) < 2 || event[0] != '{' || event[len(event)-1] != '}' {
		log.Fatalf("what was received is no event: %.80s", event)
	}
	number := m.received
	m.received++
	switch number {
	case 0:
		m.first = time.Now()
	case m.warmUp:
		m.begin = takeSnapshot()
		m.bytes = 0
	case m.warmUp + m.events:
		m.end = takeSnapshot()
		return false
	}
	m.bytes += len(event)
	return true
}

// print prints what the others print.
func (m *measurement) print() {
	events := float64(m.events)
	fmt.Printf("%d %.1f %.6f %.4f %.4f %.4f %.3f\n", m.events, float64(m.bytes)/events,
		m.end.wall.Sub(m.begin.wall).Seconds(), (m.end.user-m.begin.user)/events, (m.end.system-m.begin.system)/events,
		float64(m.end.switches-m.begin.switches)/events, float64(m.first.Sub(m.started).Microseconds())/1e3)
}

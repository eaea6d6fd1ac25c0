package datafeed

import (
	"os"
	"strings"
	"testing"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// The cases and the event, which every language's tests read. The head of the list tells what each step means.
const (
	casesFile = "../../tests/conformance/cases.txt"
	eventFile = "../../tests/conformance/event.json"
)

// script is a case of the list.
type script struct {
	name  string
	lines []string
}

func TestConformance(t *testing.T) {
	event, err := os.ReadFile(eventFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range readCases(t) {
		t.Run(script.name, func(t *testing.T) {
			t.Parallel()
			s := &scene{
				t:        t,
				emulator: datafeedtest.Start(t),
				template: strings.TrimSuffix(string(event), "\n"),
				folder:   t.TempDir(),
				events:   map[string]published{},
				taken:    map[string]*Event{},
				letters:  map[string]uint64{},
			}
			for number, line := range script.lines {
				s.line = line
				name, rest, _ := strings.Cut(line, " ")
				step, known := steps[name]
				if !known {
					t.Fatalf("step %d: %q is unknown", number+1, name)
				}
				step(s, rest)
				if t.Failed() {
					t.FailNow()
				}
			}
		})
	}
}

func readCases(t *testing.T) (cases []script) {
	t.Helper()
	text, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, begins := strings.CutPrefix(line, "case "); begins {
			cases = append(cases, script{name: name})
			continue
		}
		if len(cases) == 0 {
			t.Fatalf("%s: a step before the first case: %s", casesFile, line)
		}
		last := &cases[len(cases)-1]
		last.lines = append(last.lines, line)
	}
	if len(cases) == 0 {
		t.Fatalf("%s: no case", casesFile)
	}
	return cases
}

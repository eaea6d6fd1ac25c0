package datafeedtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place makes a program in a folder of its own.
func place(t *testing.T, path ...string) (folder, program string) {
	t.Helper()
	folder = t.TempDir()
	program = filepath.Join(append([]string{folder}, path...)...)
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder, program
}

func TestTheProgramIsFoundInOrder(t *testing.T) {
	_, named := place(t, "named")
	onPath, installed := place(t, name)
	sources, built := place(t, "target", "release", name)
	for _, want := range []struct{ variable, path, sources, found string }{
		{named, onPath, sources, named},
		{"", onPath, sources, installed},
		{"", t.TempDir(), sources, built},
	} {
		t.Setenv("DATAFEED_EMULATOR", want.variable)
		t.Setenv("PATH", want.path)
		if found, err := find(want.sources); found != want.found || err != nil {
			t.Errorf("%+v: %s, %v", want, found, err)
		}
	}
}

func TestAMissingProgramSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for variable, words := range map[string][]string{
		"":         {"make emulator", "cargo install --path tests/emulator", "DATAFEED_EMULATOR"},
		"/nowhere": {"DATAFEED_EMULATOR", "/nowhere"},
	} {
		t.Setenv("DATAFEED_EMULATOR", variable)
		_, err := find(t.TempDir())
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v", word, err)
			}
		}
	}
}

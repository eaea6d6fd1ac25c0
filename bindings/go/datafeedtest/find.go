package datafeedtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

const name = "datafeed-emulator"

// find returns the emulator's program.
func find() (string, error) {
	if program := os.Getenv("DATAFEED_EMULATOR"); program != "" {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("datafeedtest: DATAFEED_EMULATOR: %w", err)
		}
		return program, nil
	}
	if program, err := exec.LookPath(name); err == nil {
		return program, nil
	}
	if _, file, _, ok := runtime.Caller(0); ok {
		sources := filepath.Join(filepath.Dir(file), "..", "..", "..")
		if program, err := exec.LookPath(filepath.Join(sources, "target", "release", name)); err == nil {
			return program, nil
		}
	}
	return "", errors.New("datafeedtest: there is no " + name + ". In the sources of symphony-datafeed build it with `make emulator`, " +
		"or install it with `cargo install --path tests/emulator`; or say where it is by DATAFEED_EMULATOR")
}

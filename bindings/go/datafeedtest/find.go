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

// find returns the emulator's program. checkout is the folder of the sources, or "".
func find(checkout string) (string, error) {
	if program := os.Getenv("DATAFEED_EMULATOR"); program != "" {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("DATAFEED_EMULATOR: %w", err)
		}
		return program, nil
	}
	if program, err := exec.LookPath(name); err == nil {
		return program, nil
	}
	if checkout != "" {
		if program, err := exec.LookPath(filepath.Join(checkout, "target", "release", name)); err == nil {
			return program, nil
		}
	}
	return "", errors.New("there is no " + name + ": in the sources of symphony-datafeed, build it with `make emulator` " +
		"or install it with `cargo install --path tests/emulator`; or set DATAFEED_EMULATOR to its path")
}

// checkout returns the folder of the sources that this package was built from.
func checkout() string {
	if _, file, _, known := runtime.Caller(0); known {
		return filepath.Join(filepath.Dir(file), "..", "..", "..")
	}
	return ""
}

package examples

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

// The bots are built as a user builds one: in a module of its own, outside of this repository.
const goMod = `module example.com/bots

go 1.24

require github.com/symphony-datafeed/symphony-datafeed/bindings/go v0.0.0

replace github.com/symphony-datafeed/symphony-datafeed/bindings/go => %s
`

// kit has what was built already, by folder and options.
var kit = struct {
	sync.Mutex
	folder   string
	programs map[string]string
}{programs: map[string]string{}}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "bots")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	kit.folder = folder
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// build returns the program of a bot.
func build(t *testing.T, name string, options ...string) string {
	t.Helper()
	kit.Lock()
	defer kit.Unlock()
	key := strings.Join(append(options, name), "")
	if program, built := kit.programs[key]; built {
		return program
	}
	sources := filepath.Join(kit.folder, name)
	if err := os.CopyFS(sources, os.DirFS(name)); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	program := filepath.Join(kit.folder, "bin"+key)
	compile(t, slices.Concat([]string{"-o", program}, options, []string{"./" + name})...)
	kit.programs[key] = program
	return program
}

// compile builds something in the module.
func compile(t *testing.T, arguments ...string) {
	t.Helper()
	module := fmt.Sprintf(goMod, repository(t, "bindings", "go"))
	if err := os.WriteFile(filepath.Join(kit.folder, "go.mod"), []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", append([]string{"build"}, arguments...)...)
	command.Dir = kit.folder
	// Nothing of the user's own settings, and nothing from the network.
	command.Env = append(command.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off",
		"PKG_CONFIG_PATH="+repository(t, "target", "stage", "lib", "pkgconfig"))
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

// repository returns a folder of the repository.
func repository(t *testing.T, path ...string) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestABotIsLinkedAsItIsBuilt(t *testing.T) {
	for tags, dynamic := range map[string]bool{"-tags=": false, "-tags=dynamic": true} {
		program := build(t, "echo", tags)
		if runtime.GOOS == "linux" && needsTheLibrary(t, program) != dynamic {
			t.Errorf("%s: needs the shared library: %v", tags, !dynamic)
		}
		e := datafeedtest.Start(t)
		var environment []string
		if dynamic {
			libraries := repository(t, "target", "stage", "lib")
			environment = []string{"LD_LIBRARY_PATH=" + libraries, "DYLD_LIBRARY_PATH=" + libraries}
		}
		echo := run(t, program, e.Config(), environment...)
		e.WaitForFeed()
		e.Publish(datafeedtest.Message("hello"))
		if said := e.Messages(1); said[0].Text != "hello" {
			t.Fatalf("%s: %+v", tags, said)
		}
		e.Wait("acknowledged", 2)
		echo.stop(syscall.SIGTERM)
	}
}

func needsTheLibrary(t *testing.T, program string) bool {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	needed, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(needed, func(name string) bool { return strings.HasPrefix(name, "libdatafeed.") })
}

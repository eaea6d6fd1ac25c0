package examples

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the snippets of the wrapper's README stand in.
const (
	head = `package readme

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	datafeed "github.com/symphony-datafeed/symphony-datafeed/bindings/go"
	"github.com/symphony-datafeed/symphony-datafeed/bindings/go/datafeedtest"
)

var _ = []any{fmt.Print, os.Exit, signal.Stop, syscall.SIGTERM, testing.Short, time.Now, datafeedtest.Start}

func answer(feed *datafeed.Feed) {}
`
	statements = `
func _(ctx context.Context, feed *datafeed.Feed) (err error) {
	{
%s
	}
	return nil
}
`
)

func TestTheReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile(repository(t, "bindings", "go", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	snippets := strings.Split(string(readme), "\n```go\n")[1:]
	if len(snippets) < 3 {
		t.Fatalf("%d snippets", len(snippets))
	}
	source := head
	for _, snippet := range snippets {
		code, _, _ := strings.Cut(snippet, "\n```\n")
		if !strings.HasPrefix(code, "func ") {
			code = fmt.Sprintf(statements, code)
		}
		source += code + "\n"
	}
	folder := filepath.Join(kit.folder, "readme")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "readme.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	compile(t, "./readme")
}

package datafeed

import (
	"os"
	"regexp"
	"runtime"
	"testing"
)

// What static linking needs besides the library is told here and in the installed datafeed.pc, which is compared with
// what the Rust compiler says.
func TestStaticLinkingNeedsWhatIsInstalled(t *testing.T) {
	here := lineOf(t, "link_static.go", `(?m)^// #cgo `+runtime.GOOS+` LDFLAGS: (.+)$`)
	installed := lineOf(t, "../../target/stage/lib/pkgconfig/datafeed.pc", `(?m)^Libs\.private: (.+)$`)
	if here != installed {
		t.Fatalf("%q here, %q installed", here, installed)
	}
}

// lineOf returns what a pattern captures.
func lineOf(t *testing.T, path, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: `make stage` installs the library", err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s: there is no line %s", path, pattern)
	}
	return string(found[1])
}

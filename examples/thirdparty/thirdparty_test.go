package thirdparty_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

// GOAMD64 caps the level. Where the CPU is below the cap, its own level runs.
var caps = []string{"v1", "v2", "v3", "v4"}

func TestVersion(t *testing.T) {
	want := run(t, "PLAIN", "", "", "--version")
	for _, level := range caps {
		if got := run(t, "PACKED", level, "", "--version"); got != want {
			t.Errorf("under GOAMD64=%s the packed program says %q, the plain one %q", level, got, want)
		}
	}
}

func TestFilter(t *testing.T) {
	var list strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&list, "src/module%d/package_%x/file%d.go\n", i%97, i*2654435761%65521, i)
	}
	for _, query := range []string{"mod9file1", "^src/module4/ .go$ !f1", "'package_ab", "nothing has this"} {
		want := run(t, "PLAIN", "", list.String(), "--filter", query)
		for _, level := range caps {
			if got := run(t, "PACKED", level, list.String(), "--filter", query); got != want {
				t.Errorf("under GOAMD64=%s the packed program finds other lines for %q than the plain one: %d bytes, want %d",
					level, query, len(got), len(want))
			}
		}
		t.Logf("%q: %d lines", query, strings.Count(want, "\n"))
	}
}

// run starts the program whose runfiles path an environment variable has, and
// returns its output.
func run(t *testing.T, variable, level, input string, args ...string) string {
	t.Helper()
	path, err := runfiles.Rlocation(os.Getenv(variable))
	if err != nil {
		t.Fatalf("looking for $%s: %v", variable, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"GOAMD64=" + level}
	cmd.Stdin = strings.NewReader(input)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1 is fzf's status when nothing matches.
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}

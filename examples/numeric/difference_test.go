package numeric_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

func TestPassesAtV1(t *testing.T) {
	if out, err := run(t, "LAYOUT_V1"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDiffersAtV3 wants the failures that were published, and no others.
func TestDiffersAtV3(t *testing.T) {
	out, err := run(t, "LAYOUT_V3")
	if err == nil {
		t.Fatalf("passes, so that the text in BUILD.bazel is out of date:\n%s", out)
	}
	const want = `unexpected number of iterations for "tube-steep": got:92 want:96`
	if !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
	var failed []string
	for line := range strings.Lines(out) {
		if rest, isFailure := strings.CutPrefix(line, "--- FAIL: "); isFailure {
			name, _, _ := strings.Cut(rest, " ")
			failed = append(failed, name)
		}
	}
	if got := strings.Join(failed, " "); got != "TestEadesR2 TestIsomapR2" {
		t.Errorf("failed: %q, want TestEadesR2 and TestIsomapR2", got)
	}
}

// run starts a test whose runfiles path a variable has. It gets of Bazel's
// variables what it finds its data by, and none that this test itself answers.
func run(t *testing.T, variable string) (string, error) {
	t.Helper()
	path, err := runfiles.Rlocation(os.Getenv(variable))
	if err != nil {
		t.Fatalf("looking for $%s: %v", variable, err)
	}
	cmd := exec.Command(path)
	cmd.Dir = filepath.Join(os.Getenv("TEST_SRCDIR"), os.Getenv("TEST_WORKSPACE"))
	cmd.Env = []string{"GO_TEST_RUN_FROM_BAZEL=1"}
	for _, name := range []string{"PATH", "TEST_SRCDIR", "TEST_WORKSPACE"} {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Package release_test builds a release as people without Bazel do.
package release_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestRelease installs the packer with go install, and runs the example's
// script with no other tool of ours on PATH.
func TestRelease(t *testing.T) {
	bin, out := t.TempDir(), t.TempDir()
	run(t, "../..", []string{"GOBIN=" + bin}, "go", "install", "./tools/packer")
	path := []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	run(t, "../../examples/release", path, "./release.sh", out)

	if sums := run(t, out, nil, "sha256sum", "--check", "SHA256SUMS"); strings.Count(sums, ": OK\n") != 4 {
		t.Errorf("checksums of other than four files:\n%s", sums)
	}
	for _, name := range []string{"hello", "bits"} {
		program := filepath.Join(out, "linux-amd64", name)
		var info struct{ Levels []struct{ Level string } }
		text := run(t, out, nil, filepath.Join(bin, "packer"), "info", "--json", program)
		if err := json.Unmarshal([]byte(text), &info); err != nil {
			t.Fatal(err)
		}
		if len(info.Levels) != 3 || info.Levels[2].Level != "v3" {
			t.Errorf("%s has levels %v, want v1 to v3", name, info.Levels)
		}
	}
	if got := run(t, out, []string{"GOMULTIARCH=max=v1"}, "linux-amd64/hello"); !strings.Contains(got, "GOAMD64=v1") {
		t.Errorf("hello prints %q", got)
	}
}

package release_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestCloneWithoutBazel installs and runs the packer in a clone, where no
// Bazel can be found, nothing of ours was built before, and no other file of the
// checkout is.
func TestCloneWithoutBazel(t *testing.T) {
	dir, bin := bazeltest.Clone(t), t.TempDir()
	goroot := strings.TrimSpace(run(t, dir, nil, "go", "env", "GOROOT"))
	var folders []string
	for _, folder := range append([]string{filepath.Join(goroot, "bin")}, filepath.SplitList(os.Getenv("PATH"))...) {
		if !hasBazel(folder) {
			folders = append(folders, folder)
		}
	}
	env := []string{"PATH=" + strings.Join(folders, ":"), "BAZEL=", "GOBIN=" + bin, "GOMULTIARCH="}

	run(t, dir, env, "go", "install", "./tools/packer")
	run(t, dir, env, filepath.Join(bin, "packer"), "help")

	run(t, dir, env, "go", "run", "./tools/packer", "build", "./...")
	if changes := run(t, dir, nil, "git", "status", "--short"); changes != "" {
		t.Errorf("packer build ./... of several programs, which go build writes nowhere, leaves\n%s", changes)
	}
	out := t.TempDir()
	run(t, dir, env, "go", "run", "./tools/packer", "build", "-levels", "v1,v3", "-o", out+"/", "./...")
	if got := run(t, out, env, filepath.Join(out, "hello")); got != "hello\n" {
		t.Errorf("hello prints %q", got)
	}
	for _, name := range []string{"hello", "packer", "testcount"} {
		run(t, dir, env, filepath.Join(bin, "packer"), "verify", filepath.Join(out, name))
	}
}

// hasBazel tells whether a folder of PATH has something that starts a Bazel.
func hasBazel(folder string) bool {
	for _, name := range []string{"bazel", "bazelisk", "bazelw"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return true
		}
	}
	return false
}

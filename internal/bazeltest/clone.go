package bazeltest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Clone makes a Git repository of the checkout as it is, committed or not, in a
// folder of its name, and returns that.
func Clone(t testing.TB) string {
	t.Helper()
	checkout, err := root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "rules_go_multiarch")
	if err := copyTree(checkout, dir); err != nil {
		t.Fatalf("copying %s: %v", checkout, err)
	}
	git(t, dir, "init", "--quiet")
	Commit(t, dir)
	return dir
}

// Commit commits everything in a repository that is not ignored.
func Commit(t testing.TB, dir string) {
	t.Helper()
	git(t, dir, "add", ".")
	git(t, dir, "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--message=all")
}

func git(t testing.TB, dir string, args ...string) {
	t.Helper()
	if out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("git %q in %s: %v\n%s", args, dir, err, out)
	}
}

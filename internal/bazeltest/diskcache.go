package bazeltest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// DiskCache returns a disk cache for the test alone. It begins with those results
// of bazelw's own cache that wanted matches, a regular expression for what a
// result says, which is the names of its outputs and little else. Where bazelw
// has no cache it is empty.
func DiskCache(t testing.TB, wanted string) string {
	t.Helper()
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	all, some := filepath.Join(caches, "rules_go_multiarch", "disk-cache"), t.TempDir()
	if _, err := os.Stat(all); err != nil {
		return some
	}
	if err := os.Symlink(filepath.Join(all, "cas"), filepath.Join(some, "cas")); err != nil {
		t.Fatal(err)
	}
	expression := regexp.MustCompile(wanted)
	err = filepath.WalkDir(filepath.Join(all, "ac"), func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // Bazel has just removed it, as old.
		}
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || !expression.Match(text) {
			return err
		}
		relative, err := filepath.Rel(all, path)
		if err != nil {
			return err
		}
		Write(t, filepath.Join(some, relative), string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return some
}

// StandardLibraries is for DiskCache: what rules_go makes for itself, its builder
// and the standard library of each level and flavour.
const StandardLibraries = `/bin/external/rules_go~+[^/]*/(stdlib_/pkg|.*builder)`

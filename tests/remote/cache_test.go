//go:build servers

package remote_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFreshCheckout builds what was built before, in another folder with an
// output base that is empty: all comes from the cache, and of large files only
// what was asked for is fetched.
func TestFreshCheckout(t *testing.T) {
	checkouts(t)
	built := both.second.Build(t, append(targets, both.cache.flag(), "--remote_download_toplevel")...)
	t.Logf("first: %v, second: %v", both.built.Runners, built.Runners)
	wantChanged(t, both.built)
	wantChanged(t, built)
	wantRunners(t, built, "remote cache hit")
	wantOutputs(t)

	var want []string
	for name := range both.outputs {
		want = append(want, name)
	}
	slices.Sort(want)
	if got := executables(t); !slices.Equal(got, want) {
		t.Errorf("fetched %v, want %v", got, want)
	}
}

// TestNothingFetched is for builds of which only the result counts.
func TestNothingFetched(t *testing.T) {
	checkouts(t)
	both.second.Bazel(t, "clean")
	built := both.second.Build(t, append(targets, both.cache.flag(), "--remote_download_minimal")...)
	wantRunners(t, built, "remote cache hit")
	if got := executables(t); len(got) != 0 {
		t.Errorf("fetched %v, want nothing", got)
	}
}

// TestDamagedEntry changes a byte of packed files in the cache: Bazel does not take
// them for what they should be.
func TestDamagedEntry(t *testing.T) {
	checkouts(t)
	for name, text := range both.outputs {
		damage(t, text)
		t.Log("damaged", name)
	}
	both.second.Bazel(t, "clean")
	_, stderr, err := both.second.Try(t, "build", append(targets, both.cache.flag(), "--remote_download_toplevel")...)
	t.Logf("ended with %v\n%s", err, stderr)
	if err != nil && !strings.Contains(stderr, "digest") {
		t.Errorf("the message does not name the reason:\n%s", stderr)
	}
	wantNoWrongFile(t, err == nil)
}

// TestDyingCache builds with a cache that is there no more when some of what was
// to be fetched, or stored, has been.
func TestDyingCache(t *testing.T) {
	checkouts(t)
	t.Run("fetching", func(t *testing.T) {
		both.second.Bazel(t, "clean")
		relay := dyingRelay(t, both.cache.address, 1<<20)
		_, stderr, err := both.second.Try(t, "build", append(targets, "--remote_cache=grpc://"+relay, "--remote_download_toplevel")...)
		t.Logf("ended with %v\n%s", err, stderr)
		if err != nil && !strings.Contains(strings.ToLower(stderr), "remote cache") {
			t.Errorf("the message does not name the reason:\n%s", stderr)
		}
		wantNoWrongFile(t, err == nil)
		both.second.Build(t, append(targets, both.cache.flag())...)
		wantOutputs(t)
	})
	t.Run("storing", func(t *testing.T) {
		changeBoth(t)
		relay := dyingRelay(t, both.cache.address, 1<<20)
		built := both.first.Build(t, append(targets, "--remote_cache=grpc://"+relay)...)
		wantChanged(t, built)
		both.outputs = both.first.Files(t, targets)

		built = both.second.Build(t, append(targets, both.cache.flag())...)
		t.Logf("after a cache that died: %v", built.Runners)
		wantOutputs(t)
	})
}

// wantOutputs wants the second checkout to have what the first one built.
func wantOutputs(t *testing.T) {
	t.Helper()
	got := both.second.Files(t, targets)
	if !maps.EqualFunc(got, both.outputs, bytes.Equal) {
		t.Errorf("the second checkout does not have the bytes of the first")
	}
}

// wantNoWrongFile wants packed files to be right or not there.
func wantNoWrongFile(t *testing.T, all bool) {
	t.Helper()
	root := strings.TrimSpace(both.second.Bazel(t, "info", "execution_root"))
	for name, want := range both.outputs {
		got, err := os.ReadFile(filepath.Join(root, name))
		switch {
		case os.IsNotExist(err) && !all:
		case err != nil:
			t.Error(err)
		case !bytes.Equal(got, want):
			t.Errorf("%s: not what it should be", name)
		}
	}
}

// executables returns the ELF files in the second checkout's output.
func executables(t *testing.T) []string {
	t.Helper()
	root := strings.TrimSpace(both.second.Bazel(t, "info", "execution_root"))
	var found []string
	err := filepath.WalkDir(filepath.Join(root, "bazel-out"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(text, []byte("\x7fELF")) {
			return err
		}
		name, err := filepath.Rel(root, path)
		found = append(found, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// damage changes a byte of a file in the cache.
func damage(t *testing.T, text []byte) {
	t.Helper()
	hash := fmt.Sprintf("%x", sha256.Sum256(text))
	paths, err := filepath.Glob(filepath.Join(both.cache.dir, "cas.v2", hash[:2], hash+"*"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("looking for %s in the cache: found %v, %v", hash, paths, err)
	}
	stored, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	stored[len(stored)/2] ^= 1
	if err := os.WriteFile(paths[0], stored, 0o666); err != nil {
		t.Fatal(err)
	}
}

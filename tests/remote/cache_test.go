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
	"time"

	"rules_go_multiarch/internal/bazeltest"
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
	if got := large(t); !slices.Equal(got, want) {
		t.Errorf("fetched %v, want %v", got, want)
	}
}

// TestNothingFetched is for builds of which only the result counts.
func TestNothingFetched(t *testing.T) {
	checkouts(t)
	both.second.Bazel(t, "clean")
	built := both.second.Build(t, append(targets, both.cache.flag(), "--remote_download_minimal")...)
	wantRunners(t, built, "remote cache hit")
	if got := large(t); len(got) != 0 {
		t.Errorf("fetched %v, want nothing", got)
	}
}

// TestDamagedEntry changes what the cache has: Bazel does not take it for what it
// should be.
func TestDamagedEntry(t *testing.T) {
	checkouts(t)
	variants := both.first.Files(t, targets, "--output_groups=v3")
	if len(both.outputs) != len(targets) || len(variants) != 1 {
		t.Fatalf("%d packed files and %d variants of v3, want %d and the one that all share", len(both.outputs), len(variants), len(targets))
	}

	t.Run("packed files", func(t *testing.T) {
		for _, text := range both.outputs {
			damage(t, "cas.v2", hash(text), flip)
		}
		wantNoticed(t, "GoMultiarchPack")
	})
	t.Run("variant", func(t *testing.T) {
		var digests []string
		for _, text := range variants {
			damage(t, "cas.v2", hash(text), flip)
			digests = append(digests, hash(text), hash(flip(bytes.Clone(text))))
		}
		// It packs here, so the variants have to be fetched.
		printed, err := buildAgain(t, "--modify_execution_info=^GoMultiarchPack$=+no-remote-cache")
		if err == nil {
			t.Error("built: want an error")
		}
		for _, digest := range digests {
			if !strings.Contains(printed, digest) {
				t.Errorf("the message does not name %s:\n%s", digest, printed)
			}
		}
	})

	// What the cache has for an action is the names of its outputs and their hashes.
	for name, change := range map[string]func(entry []byte, name, hash string) []byte{
		"cut off":     func(entry []byte, _, _ string) []byte { return entry[:len(entry)/2] },
		"noise":       func(entry []byte, _, _ string) []byte { return bytes.Repeat([]byte{0xa5}, len(entry)) },
		"other hash":  func(entry []byte, _, hash string) []byte { return flipIn(entry, hash) },
		"other name":  func(entry []byte, name, _ string) []byte { return flipIn(entry, name) },
		"other field": func(entry []byte, _, _ string) []byte { return append([]byte{entry[0] ^ 8}, entry[1:]...) },
	} {
		for mnemonic, files := range map[string]map[string][]byte{"GoMultiarchPack": both.outputs, "GoLink": variants} {
			t.Run(mnemonic+", "+name, func(t *testing.T) {
				for file, text := range files {
					damage(t, "ac.v2", hash(text), func(entry []byte) []byte {
						return change(entry, filepath.Base(file), hash(text))
					})
				}
				wantNoticed(t, mnemonic)
			})
		}
	}
}

// wantNoticed builds with a damaged cache, and wants Bazel to run again what made
// the damaged file.
func wantNoticed(t *testing.T, mnemonic string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "spawns.json")
	if printed, err := buildAgain(t, "--execution_log_json_file="+log, "--noexecution_log_sort"); err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	ran := map[string]int{}
	for _, spawn := range bazeltest.Spawns(t, log) {
		if !strings.HasSuffix(spawn.Runner, "cache hit") {
			ran[spawn.Mnemonic]++
		}
	}
	if ran[mnemonic] == 0 {
		t.Errorf("no %s was run again, only %v: the damage was not seen", mnemonic, ran)
	}
}

// buildAgain builds in the second checkout, which has nothing but the cache, and returns
// what Bazel printed. What there is then of packed files is right.
func buildAgain(t *testing.T, flags ...string) (printed string, err error) {
	t.Helper()
	both.second.Bazel(t, "clean")
	_, printed, err = both.second.Try(t, "build", slices.Concat(targets, flags, []string{both.cache.flag(), "--remote_download_toplevel"})...)
	t.Logf("ended with %v\n%s", err, printed)
	wantNoWrongFile(t, err == nil)
	return printed, err
}

// TestDyingCache builds with a cache that is there no more when some of what was
// to be fetched, or stored, has been.
func TestDyingCache(t *testing.T) {
	checkouts(t)
	t.Run("fetching", func(t *testing.T) {
		both.second.Bazel(t, "clean")
		relay := dyingRelay(t, both.cache.address, 1<<20)
		_, printed, err := both.second.Try(t, "build", append(targets, "--remote_cache=grpc://"+relay, "--remote_download_toplevel")...)
		t.Logf("ended with %v\n%s", err, printed)
		if err != nil && !strings.Contains(strings.ToLower(printed), "remote cache") {
			t.Errorf("the message does not name the reason:\n%s", printed)
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

// large returns the files of 64 KiB and more in the second checkout's output:
// executables, libraries and archives; what Bazel writes itself is smaller.
func large(t *testing.T) []string {
	t.Helper()
	root := strings.TrimSpace(both.second.Bazel(t, "info", "execution_root"))
	var found []string
	err := filepath.WalkDir(filepath.Join(root, "bazel-out"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Size() < 64<<10 {
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

// damage changes the file of a folder of the cache that belongs to an output, until
// the end of the test: the output itself, or the result of the action that made it.
func damage(t *testing.T, folder, hash string, change func([]byte) []byte) {
	t.Helper()
	var paths []string
	var stored []byte
	var err error
	// A moment after an entry was replaced the old one may still be there.
	for deadline := time.Now().Add(10 * time.Second); len(paths) != 1 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		paths, stored, err = entries(folder, hash)
	}
	if err != nil || len(paths) != 1 {
		t.Fatalf("looking for %s in the cache: found %v, %v", hash, paths, err)
	}
	if err := os.WriteFile(paths[0], change(bytes.Clone(stored)), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		file, err := os.OpenFile(paths[0], os.O_WRONLY, 0)
		if err != nil {
			return // A new entry took its place.
		}
		defer file.Close()
		if _, err := file.WriteAt(stored, 0); err != nil {
			t.Error(err)
		}
	})
}

// entries returns the files of a folder of the cache that belong to an output, and
// what is in the last one.
func entries(folder, hash string) (paths []string, stored []byte, err error) {
	err = filepath.WalkDir(filepath.Join(both.cache.dir, folder), func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // The cache has just removed it, as old.
		}
		if err != nil || entry.IsDir() || folder == "cas.v2" && !strings.HasPrefix(entry.Name(), hash) {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && (folder == "cas.v2" || bytes.Contains(text, []byte(hash))) {
			paths, stored = append(paths, path), text
		}
		return err
	})
	return paths, stored, err
}

func hash(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// flip changes a bit in the middle.
func flip(text []byte) []byte {
	text[len(text)/2] ^= 1
	return text
}

// flipIn changes a bit of a part of an entry.
func flipIn(entry []byte, part string) []byte {
	flip(entry[bytes.Index(entry, []byte(part)):][:len(part)])
	return entry
}

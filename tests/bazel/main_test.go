// Package bazel_test starts Bazel the way users do: in the checkout itself, and
// in a copy of it at another path, with an output base of its own.
//
// It needs $RULES_GO_MULTIARCH_BAZEL, a path to bazelw or the name of another
// Bazel. Without it tests are skipped, or fail when $RULES_GO_MULTIARCH_CI is set.
package bazel_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const variable = "RULES_GO_MULTIARCH_BAZEL"

func TestMain(m *testing.M) {
	status := m.Run()
	if copied.dir != "" {
		copied.remove()
	}
	os.Exit(status)
}

// workspace is a checkout and the Bazel that builds it.
type workspace struct {
	dir     string
	startup []string // options before the command
}

// What every workspace builds first: packed files with all that is in them.
var packed = []string{
	"//tests/bazel/programs:four_levels",
	"//tests/bazel/programs:two_levels",
}

const withGroups = "--output_groups=+v1,+v2,+v3,+v4,+manifest"

// checkout is the repository that this test is part of, with the output base
// that everyone uses. Tests give it no flags: that would cost the next command
// a new analysis.
func checkout(t *testing.T) workspace {
	t.Helper()
	if os.Getenv(variable) == "" {
		if os.Getenv("RULES_GO_MULTIARCH_CI") != "" {
			t.Fatalf("$%s is not set: CI needs the path of bazelw in it", variable)
		}
		t.Skipf("skipped: $%s is not set; give it the path of bazelw", variable)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return workspace{dir: root}
}

// uncached makes Bazel run every action of ours itself. What is large and
// rules_go's own may come from a cache.
const uncached = `build "--modify_execution_info=^(?!GoStdlib$|GoToolchainBinaryBuild$).*$=+no-cache"` + "\n"

// copied is made by the first test that needs it.
var copied struct {
	workspace
	outputs map[string][]byte // of packed
	actions []action          // that it took to build packed from nothing
	cached  int               // how many of them came from a cache
	plain   []action          // that it took, after that, to build plain_v3
}

// elsewhere returns the copy of the checkout. It lies beside the checkout's
// output base, as far as Bazel's sandbox is concerned a folder like any other.
func elsewhere(t *testing.T) workspace {
	t.Helper()
	original := checkout(t)
	if copied.plain != nil {
		return copied.workspace
	}
	outputBase := strings.TrimSpace(original.bazel(t, "info", "output_base"))
	folder := outputBase + "-nested-tests"
	copied.workspace = workspace{
		dir:     filepath.Join(folder, "copy"),
		startup: []string{"--output_base=" + filepath.Join(folder, "output"), "--max_idle_secs=60"},
	}
	copied.remove() // what a run that was interrupted left
	if err := copyTree(original.dir, copied.dir); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(copied.dir, "user.bazelrc"), uncached)
	copied.actions, copied.cached = copied.build(t, append(packed, withGroups)...)
	copied.outputs = copied.files(t, packed, withGroups)
	copied.plain, _ = copied.build(t, "//tests/bazel/programs:plain_v3")
	return copied.workspace
}

// remove removes the copy, its output and its Bazel server.
func (w workspace) remove() {
	if _, err := os.Stat(filepath.Join(w.dir, "MODULE.bazel")); err == nil {
		if _, stderr, err := w.run("clean", "--expunge"); err != nil {
			fmt.Fprintf(os.Stderr, "removing %s: %v\n%s", w.dir, err, stderr)
		}
	}
	os.RemoveAll(filepath.Dir(w.dir))
}

// copyTree copies what belongs to a checkout: no links to build output, and no
// settings of its user.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.Name() == ".git":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(target, 0o777)
		case !entry.Type().IsRegular() || entry.Name() == "user.bazelrc":
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, info.Mode().Perm())
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// bazel runs a command that has to succeed and returns its standard output.
func (w workspace) bazel(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := w.run(args...)
	if err != nil {
		t.Fatalf("bazel %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// fails runs a command that has to fail and returns its standard error.
func (w workspace) fails(t *testing.T, args ...string) string {
	t.Helper()
	_, stderr, err := w.run(args...)
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		t.Fatalf("bazel %s: ended with %v, want it to fail\n%s", strings.Join(args, " "), err, stderr)
	}
	return stderr
}

func (w workspace) run(args ...string) (stdout, stderr string, err error) {
	name := os.Getenv(variable)
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join("../..", name)
		if name, err = filepath.Abs(name); err != nil {
			return "", "", err
		}
	}
	// Options go before a "--", which separates what a program is given.
	args = append([]string{args[0], "--color=no", "--noshow_progress"}, args[1:]...)
	cmd := exec.Command(name, append(w.startup[:len(w.startup):len(w.startup)], args...)...)
	cmd.Dir = w.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// files returns the contents of the files that targets build, by path below
// the execution root. Bazel has to have built them, with the same flags.
func (w workspace) files(t *testing.T, targets []string, flags ...string) map[string][]byte {
	t.Helper()
	root := strings.TrimSpace(w.bazel(t, "info", "execution_root"))
	files := map[string][]byte{}
	args := append([]string{"cquery", "--output=files", strings.Join(targets, " + ")}, flags...)
	for _, path := range strings.Fields(w.bazel(t, args...)) {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		files[path] = text
	}
	if len(files) == 0 {
		t.Fatalf("%v: no output", targets)
	}
	return files
}

// action is one that Bazel ran, or took from a disk or remote cache.
type action struct{ Mnemonic, Label, Output string }

// build runs a build and returns the actions that it took, and how many of them
// came from a cache.
func (w workspace) build(t *testing.T, args ...string) (actions []action, cached int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.json")
	w.bazel(t, append([]string{
		"build", "--build_event_json_file=" + file, "--build_event_publish_all_actions",
	}, args...)...)
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	// Names of build_event_stream.proto.
	for decoder := json.NewDecoder(text); ; {
		var event struct {
			ID struct {
				ActionCompleted *struct{ PrimaryOutput, Label string }
			}
			Action       struct{ Type string }
			BuildMetrics struct {
				ActionSummary struct {
					RunnerCount []struct {
						Name  string
						Count int
					}
				}
			}
		}
		if err := decoder.Decode(&event); err == io.EOF {
			return actions, cached
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if id := event.ID.ActionCompleted; id != nil {
			actions = append(actions, action{event.Action.Type, id.Label, id.PrimaryOutput})
		}
		for _, runner := range event.BuildMetrics.ActionSummary.RunnerCount {
			if strings.Contains(runner.Name, "cache hit") {
				cached += runner.Count
			}
		}
	}
}

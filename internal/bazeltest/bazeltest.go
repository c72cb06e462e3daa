// Package bazeltest starts Bazel the way users do: in the checkout itself, and
// in copies of it at other paths, with an output base of their own.
//
// It needs $RULES_GO_MULTIARCH_BAZEL, a path to bazelw or the name of another
// Bazel. Without it tests are skipped, or fail when $RULES_GO_MULTIARCH_CI is set.
package bazeltest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const variable = "RULES_GO_MULTIARCH_BAZEL"

// Workspace is a checkout and the Bazel that builds it.
type Workspace struct {
	Dir     string
	Startup []string // options before the command
	Prefix  []string // command that starts Bazel, as env does
	Env     []string // besides the environment of the test
}

// Checkout returns the repository that a test is part of, with the output base
// that everyone uses. Tests give it no flags: that would cost the
// next command a new analysis.
func Checkout(t testing.TB) Workspace {
	t.Helper()
	if os.Getenv(variable) == "" {
		Unavailable(t, "$"+variable+" is not set; give it the path of bazelw")
	}
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return Workspace{Dir: dir}
}

// root returns the Bazel module that the test's own folder is in.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := dir; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "MODULE.bazel")); err == nil {
			return folder, nil
		}
		if folder == "/" {
			return "", fmt.Errorf("no folder above %s has a MODULE.bazel", dir)
		}
	}
}

// Unavailable skips a test for what it lacks, or fails it when
// $RULES_GO_MULTIARCH_CI is set.
func Unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("RULES_GO_MULTIARCH_CI") != "" {
		t.Fatalf("CI skips no test: %s", why)
	}
	t.Skip("skipped: " + why)
}

// Copy copies a checkout. The copy lies beside the checkout's output base, as
// far as Bazel's sandbox is concerned a folder like any other. Its own output
// base is there too, and a bazelrc that outdoes all others.
func (w Workspace) Copy(t testing.TB, name, bazelrc string) Workspace {
	t.Helper()
	copied := w.Empty(t, name, bazelrc)
	if err := copyTree(w.Dir, copied.Dir); err != nil {
		t.Fatal(err)
	}
	return copied
}

// Empty makes a folder for a workspace, in the same place and with the same
// settings as a copy.
func (w Workspace) Empty(t testing.TB, name, bazelrc string) Workspace {
	t.Helper()
	folder := strings.TrimSpace(w.Bazel(t, "info", "output_base")) + "-" + name
	empty := Workspace{
		Dir: filepath.Join(folder, "copy"),
		Startup: []string{
			"--output_base=" + filepath.Join(folder, "output"),
			"--bazelrc=" + filepath.Join(folder, "bazelrc"),
			"--max_idle_secs=60",
		},
	}
	Write(t, filepath.Join(folder, "bazelrc"), bazelrc)
	empty.Remove() // what a run that was interrupted left
	Write(t, filepath.Join(folder, "bazelrc"), bazelrc)
	if err := os.MkdirAll(empty.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return empty
}

// Expunge removes the output of a workspace, and its Bazel server.
func (w Workspace) Expunge() {
	if _, err := os.Stat(filepath.Join(w.Dir, "MODULE.bazel")); err != nil {
		return
	}
	if _, stderr, err := w.Run("clean", "--expunge"); err != nil {
		fmt.Fprintf(os.Stderr, "removing the output of %s: %v\n%s", w.Dir, err, stderr)
	}
}

// Folder returns the folder that Remove removes.
func (w Workspace) Folder() string { return filepath.Dir(w.Dir) }

// Module returns the Bazel module in a folder of a checkout. That of a copy gets
// an output base of its own too, which the test that asks for it expunges.
func (w Workspace) Module(folder string) Workspace {
	w.Dir = filepath.Join(w.Dir, folder)
	w.Startup = slices.Clone(w.Startup)
	for i, option := range w.Startup {
		if strings.HasPrefix(option, "--output_base=") {
			w.Startup[i] += "-" + folder
		}
	}
	return w
}

// Remove removes a copy, its output and its Bazel server.
func (w Workspace) Remove() {
	w.Expunge()
	os.RemoveAll(w.Folder())
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

// Write writes a file and makes the folders above it.
func Write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Bazel runs a command that has to succeed and returns its standard output.
func (w Workspace) Bazel(t testing.TB, args ...string) string {
	t.Helper()
	stdout, stderr, err := w.Run(args...)
	if err != nil {
		t.Fatalf("bazel %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// Fails runs a command that has to fail and returns its standard error.
func (w Workspace) Fails(t testing.TB, args ...string) string {
	t.Helper()
	_, stderr, err := w.Run(args...)
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		t.Fatalf("bazel %s: ended with %v, want it to fail\n%s", strings.Join(args, " "), err, stderr)
	}
	return stderr
}

// Command returns the path or name of the Bazel that tests start.
func Command() (string, error) {
	name := os.Getenv(variable)
	if !strings.Contains(name, "/") || filepath.IsAbs(name) {
		return name, nil
	}
	dir, err := root()
	return filepath.Join(dir, name), err
}

// Run runs a command and returns what it printed.
func (w Workspace) Run(args ...string) (stdout, stderr string, err error) {
	name, err := Command()
	if err != nil {
		return "", "", err
	}
	// Options go before a "--", which separates what a program is given.
	args = append([]string{args[0], "--color=no", "--noshow_progress"}, args[1:]...)
	command := slices.Concat(w.Prefix, []string{name}, w.Startup, args)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), w.Env...)
	cmd.Dir = w.Dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

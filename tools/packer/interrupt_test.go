//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
)

// TestInterruptedCopy ends verbs that write while they do: the signal comes when
// a part of the output is there, and the process is stopped meanwhile.
func TestInterruptedCopy(t *testing.T) {
	tested, launcher := testenv.Packer(t), testenv.Launcher(t)
	dir := t.TempDir()
	plain := write(t, filepath.Join(dir, "v1"), elftest.Executable(slots.Of(1).Base).Bytes(), 0o755)
	large := write(t, filepath.Join(dir, "v2"), elftest.Executable(slots.Of(2).Base).Bytes(), 0o755)
	// A hole at the end: a large file at no cost.
	if err := os.Truncate(large, 256<<20); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "app")
	must(t, "create", "-launcher", launcher, "-o", file, "v1="+plain, "v2="+large)
	for name, test := range map[string]struct {
		signal syscall.Signal
		args   []string
	}{
		"create, SIGINT":   {syscall.SIGINT, []string{"create", "-launcher", launcher, "v1=" + plain, "v2=" + large}},
		"create, SIGTERM":  {syscall.SIGTERM, []string{"create", "-launcher", launcher, "v1=" + plain, "v2=" + large}},
		"create, SIGHUP":   {syscall.SIGHUP, []string{"create", "-launcher", launcher, "v1=" + plain, "v2=" + large}},
		"extract, SIGINT":  {syscall.SIGINT, []string{"extract", "-level", "v2", file}},
		"thin, SIGTERM":    {syscall.SIGTERM, []string{"thin", "-level", "v2", file}},
		"remove, SIGINT":   {syscall.SIGINT, []string{"remove", "-level", "v1", file}},
		"replace, SIGTERM": {syscall.SIGTERM, []string{"replace", file, "v1=" + plain}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			out := write(t, filepath.Join(dir, "out"), []byte("what was there"), 0o644)
			cmd := exec.Command(tested, append(test.args, "-o", out)...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			partial := waitForPartial(t, dir)
			cmd.Process.Signal(syscall.SIGSTOP)
			// It is renamed at the end. Its size says nothing: its start is written last.
			if _, err := os.Stat(partial); err != nil {
				t.Errorf("it was through before it could be interrupted: %v", err)
			}
			cmd.Process.Signal(test.signal)
			cmd.Process.Signal(syscall.SIGCONT)
			cmd.Wait()
			if want := "packer: " + test.args[0] + ": interrupted\n"; cmd.ProcessState.ExitCode() != 1 || stderr.String() != want {
				t.Errorf("%v, %q: want status 1, %q", cmd.ProcessState, stderr.String(), want)
			}
			noneLeft(t, dir)
			if got := string(contents(t, out)); got != "what was there" {
				t.Errorf("the output that was there is now %.20q", got)
			}
		})
	}
}

// waitForPartial returns the temporary file that an output is written to, once
// there is something in it.
func waitForPartial(t *testing.T, dir string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		found, err := filepath.Glob(filepath.Join(dir, ".*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			if info, err := os.Stat(found[0]); err == nil && info.Size() > 0 {
				return found[0]
			}
		}
	}
	t.Fatal("no output was begun")
	return ""
}

// TestInterruptedReading ends verbs while they read a file that takes long.
func TestInterruptedReading(t *testing.T) {
	tested := testenv.Packer(t)
	file := create(t, filepath.Join(t.TempDir(), "app"), 1, 2)
	large := write(t, filepath.Join(t.TempDir(), "large"), contents(t, testenv.Probe(t).Variants[3]), 0o755)
	if err := os.Truncate(large, 8<<30); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, args := range [][]string{
		{"create", "-launcher", testenv.Launcher(t), "-o", filepath.Join(dir, "out"), "v3=" + large},
		{"replace", "-force", "-o", filepath.Join(dir, "out"), create(t, filepath.Join(t.TempDir(), "three"), 1, 3), "v3=" + large},
	} {
		cmd := exec.Command(tested, args...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitForOpen(t, cmd.Process.Pid, large)
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		if cmd.ProcessState.ExitCode() != 1 || stderr.String() != "packer: "+args[0]+": interrupted\n" {
			t.Errorf("%q: %v, %q", args, cmd.ProcessState, stderr.String())
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	must(t, "verify", file)
}

// waitForOpen waits until a process has a file open.
func waitForOpen(t *testing.T, pid int, path string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			if to, _ := os.Readlink(filepath.Join(dir, entry.Name())); to == path {
				return
			}
		}
	}
	t.Fatalf("process %d has not opened %s", pid, path)
}

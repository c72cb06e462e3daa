//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/internal/testenv"
)

// TestDebugLeavesSignalsToDebugger sends what a terminal sends for Ctrl-C and Ctrl-\ to
// packer and debugger alike, again and again, and what asks packer alone to end.
func TestDebugLeavesSignalsToDebugger(t *testing.T) {
	dir := t.TempDir()
	app := create(t, filepath.Join(dir, "app"), 1)
	got := filepath.Join(dir, "got")
	// What it does about a signal it does between two sleeps.
	script := fmt.Sprintf("trap 'echo INT >>%[1]s' INT; trap 'echo QUIT >>%[1]s' QUIT; trap 'echo TERM >>%[1]s; exit 7' TERM; echo ready >>%[1]s; while :; do sleep 0.01; done", got)
	cmd := exec.Command(testenv.Packer(t), "debug", app, "--", "/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	wait := func(want string) {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			text, err := os.ReadFile(got)
			if string(text) == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the debugger got %q (%v): want %q", text, err, want)
			}
		}
	}
	wait("ready\n")
	want := "ready\n"
	for _, name := range []string{"INT", "INT", "QUIT", "INT"} {
		if err := syscall.Kill(-cmd.Process.Pid, unix.SignalNum("SIG"+name)); err != nil {
			t.Fatal(err)
		}
		want += name + "\n"
		wait(want)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	wait(want + "TERM\n")
	if want := "packer: debug: /bin/sh: exit status 7\n"; cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("%v, %q: want status 1, %q", cmd.ProcessState, stderr.String(), want)
	}
}

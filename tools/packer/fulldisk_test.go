//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
)

const smallDisk = "PACKER_TEST_SMALL_DISK"

// onSmallDisk runs a test again, in a mount namespace of its own where a folder
// is a file system of 64 KiB, and calls f with that folder there. Root needs no
// more; others need a user namespace as well.
func onSmallDisk(t *testing.T, f func(dir string)) {
	if dir := os.Getenv(smallDisk); dir != "" {
		f(dir)
		return
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unshare := []string{"unshare", "--mount"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--user", "--map-root-user")
	}
	const mount = `mount -t tmpfs -o size=64k none "$0"`
	run := func(script string, args ...string) (string, error) {
		cmd := exec.Command(unshare[0], append(append(unshare[1:len(unshare):len(unshare)], "sh", "-c", script), args...)...)
		cmd.Env = append(os.Environ(), smallDisk+"="+dir)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run(mount, dir); err != nil {
		t.Skipf("skipped: no file system of its own: %v, %s", err, out)
	}
	out, err := run(mount+` && exec "$1" -test.run="^$2\$" -test.v`, dir, self, t.Name())
	if err != nil || !strings.Contains(out, "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFullDisk(t *testing.T) {
	onSmallDisk(t, func(dir string) {
		elsewhere := t.TempDir()
		v1 := write(t, filepath.Join(elsewhere, "v1"), elftest.Executable(slots.Of(1).Base).Bytes(), 0o755)
		large := elftest.Executable(slots.Of(2).Base)
		large.Size = 100 << 10
		v2 := write(t, filepath.Join(elsewhere, "v2"), large.Bytes(), 0o755)
		launcher := testenv.Launcher(t)
		file := filepath.Join(elsewhere, "app")
		must(t, "create", "-launcher", launcher, "-o", file, "v1="+v1, "v2="+v2)
		out := filepath.Join(dir, "out")
		all := [][]string{
			{"create", "-launcher", launcher, "-o", out, "v1=" + v1, "v2=" + v2},
			{"extract", "-level", "v2", "-o", out, file},
			{"thin", "-level", "v2", "-o", out, file},
			{"remove", "-level", "v1", "-o", out, file},
			{"replace", "-o", out, file, "v1=" + v1},
		}
		// Bazel links the probe without debug information.
		if probe := testenv.Probe(t); os.Getenv("TEST_WORKSPACE") == "" {
			all = append(all, []string{"debug", "-level", "v2", "-file", out, probe.Packed})
		}
		for _, args := range all {
			if r := packer(args...); r.status != 1 || r.stderr != "packer: "+args[0]+": "+out+": no space left on device\n" {
				t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%q left %v behind (%v)", args, left, err)
			}
		}
		must(t, "extract", "-level", "v1", "-o", out, file) // has room
	})
}

// TestFullOutput prints to a device that is always full.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	probe := testenv.Probe(t)
	for _, args := range [][]string{
		{"info", probe.Packed}, {"info", "--json", probe.Packed}, {"verify", probe.Packed}, {"verify", "--json", probe.Packed},
		{"completion", "bash"}, {"help", "create"}, {"help"},
	} {
		var stderr strings.Builder
		if status := run(t.Context(), args, full, &stderr); status != 1 || !strings.HasSuffix(stderr.String(), ": no space left on device\n") {
			t.Errorf("%q: status %d, %q", args, status, stderr.String())
		}
	}
}

// TestNobodyReads prints to a pipe that nobody reads: that is no reason to say so, or to
// leave anything behind.
func TestNobodyReads(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	cmd := exec.Command(testenv.Packer(t), "info", testenv.Probe(t).Packed)
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = write, &stderr
	cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || stderr.Len() > 0 {
		t.Errorf("%v, %q: want status 1 and nothing", cmd.ProcessState, stderr.String())
	}
}

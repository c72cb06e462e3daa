package environments_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestSetuidIgnoresVariables runs a set-user-ID program as another user: the
// kernel sets AT_SECURE, and no variable may have a say.
func TestSetuidIgnoresVariables(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: making a set-user-ID program of another user needs root")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "setuid")
	for d := dir; d != "/"; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err == nil && info.Mode().Perm()&0o001 == 0 {
			if err := os.Chmod(d, info.Mode().Perm()|0o001); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(d, info.Mode().Perm()) })
		}
	}
	if err := os.WriteFile(path, probetest.Read(t, testenv.Probe(t).Packed), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	command := func() *exec.Cmd {
		cmd := exec.Command(path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		return cmd
	}
	if got := probetest.Start(t, command()).Report(t); got.EUID != 0 {
		t.Errorf("effective user %d: want 0, whose file it is", got.EUID)
	}
	wantVariablesIgnored(t, probetest.MachineLevel(t), command)
}

// wantVariablesIgnored starts a packed probe with each variable of the launcher.
func wantVariablesIgnored(t *testing.T, level goamd64.Level, command func() *exec.Cmd) {
	t.Helper()
	for _, variables := range [][]string{
		{"GOAMD64=v1"}, {"GOMULTIARCH=bad"}, {"GOMULTIARCH=max=v1"},
		{"GOMULTIARCH=log"}, {"MGODEBUG=log"}, {"GOMULTIARCH=extract"}, {"MGODEBUG=extract"},
	} {
		got := probetest.Start(t, command(), variables...)
		if report := got.Report(t); report.Level != level.String() || got.Stderr != "" {
			t.Errorf("%q: started %s, printed %q: want %v, and nothing printed", variables, report.Level, got.Stderr, level)
		}
	}
}

// TestNoEnvironment packs a file that ignores the variables.
func TestNoEnvironment(t *testing.T) {
	probe := testenv.Probe(t)
	out := filepath.Join(t.TempDir(), "packed")
	args := []string{"create", "-no-environment", "-launcher", testenv.Launcher(t), "-o", out, "v1=" + probe.Variants[1], "v2=" + probe.Variants[2]}
	if text, err := exec.Command(testenv.Packer(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("packer %q: %v\n%s", args, err, text)
	}
	wantVariablesIgnored(t, min(2, probetest.MachineLevel(t)), func() *exec.Cmd { return exec.Command(out) })
}

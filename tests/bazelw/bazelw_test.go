// Package bazelw_test proves which Bazel bazelw takes, and that what it prepares
// is never half made.
package bazelw_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// machine is a folder that a run of bazelw takes for the whole machine: its
// commands and its home.
type machine struct{ bin, home string }

// newMachine has the commands that scripts need, but neither Go, nor apt, nor
// any Bazel.
func newMachine(t *testing.T) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{filepath.Join(dir, "bin"), filepath.Join(dir, "home")}
	for _, folder := range []string{m.bin, m.home} {
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"bash", "basename", "cat", "cut", "dirname", "du", "flock", "getent", "head", "id", "mkdir", "mv", "readlink",
		"rm", "sed", "sha256sum", "sleep", "sort", "tail", "tar", "uname",
	} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// install writes a Bazel that prints its version and what it is told to do.
func (m machine) install(t *testing.T, name, version string) string {
	t.Helper()
	path := filepath.Join(m.bin, name)
	script := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'bazel " + version + "'; else echo \"" + name + "-" + version + ": $*\"; fi\n"
	if err := os.WriteFile(path, []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// stub writes commands that add to a log in the machine's home how they are
// called, and then run a script.
func (m machine) stub(t *testing.T, script string, names ...string) {
	t.Helper()
	for _, name := range names {
		text := "#!/bin/sh\necho \"" + name + " $*\" >>\"$HOME/log\"\n" + script + "\n"
		if err := os.WriteFile(filepath.Join(m.bin, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

// called returns how stubs were called since it was last asked, without most of
// their arguments.
func (m machine) called(t *testing.T) string {
	t.Helper()
	path := filepath.Join(m.home, "log")
	log, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	os.Remove(path)
	var calls []string
	for line := range strings.Lines(string(log)) {
		words := strings.Fields(line)
		calls = append(calls, strings.Join(words[:min(2, len(words))], " "))
	}
	return strings.Join(calls, ", ")
}

func (m machine) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + m.bin, "HOME=" + m.home}
	return cmd
}

// bazelw runs it and returns what it prints, and its exit status.
func (m machine) bazelw(t *testing.T, variables ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := m.command("../../bazelw", "build", "//...")
	cmd.Env = append(cmd.Env, variables...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return out.String(), log.String(), cmd.ProcessState.ExitCode()
}

func TestOrder(t *testing.T) {
	m := newMachine(t)
	bazel := m.install(t, "bazel", "8.1.0")
	expect := func(wantOut, wantErr string, variables ...string) {
		t.Helper()
		stdout, stderr, status := m.bazelw(t, variables...)
		if status != 0 || stdout != wantOut || stderr != wantErr {
			t.Errorf("status %d, %q, %q: want %q, %q", status, stdout, stderr, wantOut, wantErr)
		}
	}
	expect("bazel-8.1.0: build //...\n", "bazelw: using Bazel 8.1.0, from bazel on PATH ("+bazel+")\n")

	bazelisk := m.install(t, "bazelisk", "7.7.0")
	expect("bazelisk-7.7.0: build //...\n", "bazelw: using Bazel 7.7.0, from bazelisk on PATH ("+bazelisk+")\n")

	own := m.install(t, "own", "9.0.0rc1")
	expect("own-9.0.0rc1: build //...\n", "bazelw: using Bazel 9.0.0, from $BAZEL ("+own+")\n", "BAZEL="+own)

	m.install(t, "bazelisk", "7.6.2")
	expect("bazel-8.1.0: build //...\n",
		"bazelw: passing over bazelisk on PATH: "+bazelisk+" is Bazel 7.6.2, and 7.7 or newer is needed\n"+
			"bazelw: using Bazel 8.1.0, from bazel on PATH ("+bazel+")\n")
}

// TestItself has bazelw on PATH in the place of what it looks for there.
func TestItself(t *testing.T) {
	m := newMachine(t)
	bazel := m.install(t, "bazel", "8.1.0")
	itself := filepath.Join(m.bin, "bazelisk")
	path, err := filepath.Abs("../../bazelw")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, itself); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := m.bazelw(t)
	want := "bazelw: passing over bazelisk on PATH: " + itself + " is this bazelw\n" +
		"bazelw: using Bazel 8.1.0, from bazel on PATH (" + bazel + ")\n"
	if status != 0 || stdout != "bazel-8.1.0: build //...\n" || stderr != want {
		t.Errorf("status %d, %q, %q: want %q", status, stdout, stderr, want)
	}
	if _, stderr, status := m.bazelw(t, "BAZEL="+itself); status == 0 || !strings.Contains(stderr, "cannot use $BAZEL: "+itself+" is this bazelw.") {
		t.Errorf("as $BAZEL: status %d, %q", status, stderr)
	}
}

// fetchers are commands that bazelw has no use for once all is prepared.
var fetchers = []string{"apt-config", "apt-get", "curl", "dpkg-deb", "wget"}

// TestBazelisk has a Go that builds Bazelisk, which finds a Bazel. A second call
// builds nothing.
func TestBazelisk(t *testing.T) {
	m := newMachine(t)
	m.install(t, "built", "8.2.0")
	m.stub(t, `mv "${0%/*}/built" "$GOBIN/bazelisk"`, "go")
	m.stub(t, "exit 1", fetchers...)
	for _, want := range []string{"go install", ""} {
		stdout, stderr, status := m.bazelw(t)
		if status != 0 || stdout != "built-8.2.0: build //...\n" ||
			!strings.Contains(stderr, "using Bazel 8.2.0, from Bazelisk ") || !strings.Contains(stderr, " that was built from source (") {
			t.Errorf("status %d, %q, %q: want the Bazelisk that go builds", status, stdout, stderr)
		}
		if got := m.called(t); got != want {
			t.Errorf("calls %q, want %q", got, want)
		}
	}
}

// TestDebianLast has a Bazelisk that takes a while to find out that it cannot
// download a Bazel, or cannot be built; what is made of Debian's packages is there.
// A second call builds and fetches nothing, and does not wait again.
func TestDebianLast(t *testing.T) {
	for name, test := range map[string]struct{ goes, first string }{
		"no download": {`mv "${0%/*}/built" "$GOBIN/bazelisk"`, "go install, built --version, "},
		"no proxy":    {"sleep 2; echo no network; exit 1", "go install, "},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.stub(t, "sleep 2; echo no network; exit 1", "built")
			m.stub(t, test.goes, "go")
			m.stub(t, `echo "$2: $4 $5"`, "enter.sh")
			m.stub(t, "exit 1", fetchers...)
			prepare := m.command("bash", "-euo", "pipefail", "-c", `
				tools=../../tools/bazel
				source "$tools/common.sh"
				source "$tools/choose.sh"
				prepare_once() { mkdir --parents "$1"; }
				find_cache
				prepare_offline
				echo 7.7.1 >"$offline_root/version"
				mv "$PATH/enter.sh" "$offline_root"
			`)
			if out, err := prepare.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			const enter = "enter.sh " // and the root
			for _, want := range []string{test.first + enter, enter} {
				stdout, stderr, status := m.bazelw(t)
				if status != 0 || stdout != "/usr/share/bazel/bazel: build //...\n" ||
					!strings.Contains(stderr, "using Bazel 7.7.1, from Debian's packages (") {
					t.Errorf("status %d, %q, %q: want the Bazel of Debian's packages", status, stdout, stderr)
				}
				if got, _, _ := strings.Cut(m.called(t), "/"); got != want {
					t.Errorf("calls %q, want %q", got, want)
				}
			}
		})
	}
}

func TestUnusableBAZEL(t *testing.T) {
	m := newMachine(t)
	m.install(t, "bazel", "8.1.0")
	old := m.install(t, "old", "6.5.0")
	for value, want := range map[string]string{
		old:        "bazelw: cannot use $BAZEL: " + old + " is Bazel 6.5.0, and 7.7 or newer is needed. Set it to a Bazel of version 7.7 or newer, or unset it\n",
		"/nowhere": "bazelw: cannot use $BAZEL: '/nowhere' is no command. Set it to a Bazel of version 7.7 or newer, or unset it\n",
	} {
		if _, stderr, status := m.bazelw(t, "BAZEL="+value); status != 1 || stderr != want {
			t.Errorf("$BAZEL %s: status %d, %q: want 1, %q", value, status, stderr, want)
		}
	}
}

// TestNothingWorks has a machine with nothing to make a Bazel from.
func TestNothingWorks(t *testing.T) {
	_, stderr, status := newMachine(t).bazelw(t)
	if status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	for _, want := range []string{
		"bazelw: found no Bazel that works. Tried, in this order:\n",
		"  - $BAZEL: not set\n",
		"  - bazelisk on PATH: there is none\n",
		"  - bazel on PATH: there is none\n",
		"  - Bazelisk built from source: no 'go' on PATH to build it with\n",
		"  - Debian's packages: no 'go' on PATH",
		"bazelw: install Bazelisk (https://github.com/bazelbuild/bazelisk); or set BAZEL",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
}

// prepare starts prepare_once for a folder in the machine's home. The command
// writes one line into a file of the folder, waits for a file called go in the
// home, and writes another.
func (m machine) prepare(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := m.command("bash", "-euo", "pipefail", "-c", `
		source ../../tools/bazel/common.sh
		make_it() {
			echo one >"$1/file"
			echo started >>"$HOME/starts"
			while [[ ! -e $HOME/go ]]; do sleep 0.01; done
			[[ ! -s $HOME/go ]] || { cat "$HOME/go"; return 1; }
			echo two >>"$1/file"
		}
		prepare_once "$HOME/folder" make_it || die "$problem"
	`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = new(bytes.Buffer)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// started waits until the command has been started n times.
func (m machine) started(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if text, _ := os.ReadFile(filepath.Join(m.home, "starts")); bytes.Count(text, []byte("\n")) >= n {
			return
		}
	}
	t.Fatalf("not started %d times in a minute", n)
}

func (m machine) goOn(t *testing.T, reasonToFail string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.home, "go"), []byte(reasonToFail), 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkMade checks the folder, and how often the command was started for it.
func (m machine) checkMade(t *testing.T, starts string) {
	t.Helper()
	for name, want := range map[string]string{"folder/file": "one\ntwo\n", "starts": starts} {
		if got, err := os.ReadFile(filepath.Join(m.home, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v: want %q", name, got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(m.home, "folder.partial")); err == nil {
		t.Error("folder.partial is left")
	}
}

// TestTwoAtOnce lets eight calls prepare the same folder.
func TestTwoAtOnce(t *testing.T) {
	m := newMachine(t)
	var calls []*exec.Cmd
	for range 8 {
		calls = append(calls, m.prepare(t))
	}
	m.started(t, 1)
	m.goOn(t, "")
	var wait sync.WaitGroup
	for _, call := range calls {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := call.Wait(); err != nil {
				t.Errorf("%v: %s", err, call.Stderr)
			}
		}()
	}
	wait.Wait()
	m.checkMade(t, "started\n")
}

// TestKilled kills a call in the middle, with all it started.
func TestKilled(t *testing.T) {
	m := newMachine(t)
	call := m.prepare(t)
	m.started(t, 1)
	if err := syscall.Kill(-call.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	call.Wait()
	if _, err := os.Stat(filepath.Join(m.home, "folder")); err == nil {
		t.Error("a killed call leaves a folder")
	}
	call = m.prepare(t)
	m.started(t, 2)
	m.goOn(t, "")
	if err := call.Wait(); err != nil {
		t.Errorf("%v: %s", err, call.Stderr)
	}
	m.checkMade(t, "started\nstarted\n")
}

// TestFailed lets the command fail.
func TestFailed(t *testing.T) {
	m := newMachine(t)
	m.goOn(t, "no such package")
	call := m.prepare(t)
	if err := call.Wait(); err == nil {
		t.Error("no error")
	}
	const want = "bazelw: no such package\n"
	if got := call.Stderr.(*bytes.Buffer).String(); got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	for _, name := range []string{"folder", "folder.partial"} {
		if _, err := os.Stat(filepath.Join(m.home, name)); err == nil {
			t.Errorf("%s is left", name)
		}
	}
}

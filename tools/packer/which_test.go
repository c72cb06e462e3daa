package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// start starts the probe, which waits to be killed, and returns its process id
// once it has reported: before, its launcher may not be through.
func start(t *testing.T, path string, env ...string) int {
	t.Helper()
	cmd := exec.Command(path, "-forever", "-echo")
	cmd.Env = env
	if _, err := cmd.StdinPipe(); err != nil { // which it waits for
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestWhich(t *testing.T) {
	probe := testenv.Probe(t)
	for name, test := range map[string]struct {
		pid  int
		want string
	}{
		"packed, v1": {start(t, probe.Packed, "GOMULTIARCH=level=v1"), "v1\tpacked\t" + resolved(t, probe.Packed)},
		"packed, v2": {start(t, probe.Packed, "GOMULTIARCH=max=v2"), "v2\tpacked\t" + resolved(t, probe.Packed)},
		"plain":      {start(t, probe.Variants[1]), "v1\tplain\t" + resolved(t, probe.Variants[1])},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := must(t, "which", fmt.Sprint(test.pid)), fmt.Sprintf("%d\t%s\n", test.pid, test.want); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			var found []processInfo
			if err := json.Unmarshal([]byte(must(t, "which", "--json", fmt.Sprint(test.pid))), &found); err != nil || len(found) != 1 {
				t.Fatalf("%+v (%v)", found, err)
			}
			if p := found[0]; !strings.HasPrefix(test.want, p.Level) || p.Packed != strings.Contains(test.want, "packed") {
				t.Errorf("%+v", p)
			}
		})
	}
}

// resolved is a path as the kernel shows it.
func resolved(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	path, err = filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhichRefuses(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("skipped: no sleep")
	}
	other := exec.Command(sleep, "100")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		other.Process.Kill()
		other.Wait()
	}()
	ended := exec.Command(os.Args[0], "-test.run=none")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"":                              "packer: which: no process: want PID\n",
		"2":                             "process 2: ", // a thread of the kernel, where it is to be seen
		"x":                             "packer: which: \"x\": want the number of a process\n",
		"-1":                            "packer: which: unknown flag -1\n",
		fmt.Sprint(ended.Process.Pid):   fmt.Sprintf("packer: which: process %d: no such process\n", ended.Process.Pid),
		fmt.Sprint(other.Process.Pid):   "no Go build information",
		fmt.Sprint(1<<30 + 1):           "no such process",
		"99999999999999999999999999999": "want the number of a process",
	} {
		args := []string{"which"}
		if arg != "" {
			args = append(args, arg)
		}
		if r := packer(args...); r.status == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%q: status %d, %s", arg, r.status, r.stderr)
		}
	}
}

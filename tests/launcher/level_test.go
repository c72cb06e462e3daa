package launcher_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func TestStartsBestLevelHere(t *testing.T) {
	got := probetest.Start(t, exec.Command(testenv.Probe(t).Packed)).Report(t)
	want := probetest.MachineLevel(t).String()
	if got.Level != want || got.BuildInfo != want {
		t.Errorf("started %s (build information %s): want %s", got.Level, got.BuildInfo, want)
	}
}

func TestStartsBestLevelOfModel(t *testing.T) {
	probe := testenv.Probe(t)
	for _, m := range probetest.Models {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			got := probetest.Start(t, probetest.Emulate(t, m, probe.Packed)).Report(t)
			if got.Level != m.Level.String() {
				t.Errorf("started %s: want %v", got.Level, m.Level)
			}
		})
	}
}

// TestLevelImpliesGosOwnCheck runs each plain variant on each model: the level
// that the launcher picks is the highest one that passes Go's start-up check.
func TestLevelImpliesGosOwnCheck(t *testing.T) {
	probe := testenv.Probe(t)
	for _, m := range probetest.Models {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			for level := goamd64.Min; level <= goamd64.Max; level++ {
				got := probetest.Start(t, probetest.Emulate(t, m, probe.Variants[level]))
				if runs := got.Status == 0; runs != (level <= m.Level) {
					t.Errorf("plain %v: status %d, %q", level, got.Status, got.Stderr)
				}
			}
		})
	}
}

func TestControls(t *testing.T) {
	probe := testenv.Probe(t)
	best := probetest.MachineLevel(t)
	all := "v1, v2, v3, v4"
	name := "probe_multi: "
	tests := []struct {
		env    string // space-separated
		level  goamd64.Level
		status int
		stderr string
	}{
		{env: "GOAMD64=v1", level: 1},
		{env: "GOAMD64=v2", level: min(2, best)},
		{env: "GOAMD64=v4", level: best},
		{env: "GOAMD64=", level: best},
		{env: "GOMULTIARCH=", level: best},
		{env: "GOMULTIARCH=max=v2", level: min(2, best)},
		{env: "GOMULTIARCH=max=v3 GOAMD64=v2", level: min(2, best)},
		{env: "GOMULTIARCH=max=v2 GOAMD64=v3", level: min(2, best)},
		{env: "GOMULTIARCH=level=v1", level: 1},
		{env: "GOMULTIARCH=level=v1 GOAMD64=v2", level: 1},
		{env: "GOAMD64X=v1 XGOAMD64=v1 GOMULTIARCHX=max=v1 MGODEBUGX=log GO= G= M=", level: best},
		{env: "MGODEBUG=", level: best},
		{env: "GOMULTIARCH=log", level: best, stderr: fmt.Sprintf("%sstarting GOAMD64=%v of %s: this CPU runs %v\n", name, best, all, best)},
		{env: "GOMULTIARCH=log,max=v1", level: 1, stderr: fmt.Sprintf("%sstarting GOAMD64=v1 of %s: this CPU runs %v, at most v1 asked for\n", name, all, best)},
		{env: "GOMULTIARCH=level=v2,level=v1", level: 1},
		{env: "GOMULTIARCH=level=v1,log", level: 1, stderr: name + "starting GOAMD64=v1 of " + all + ": asked for by GOMULTIARCH=level\n"},
		{env: "MGODEBUG=log", level: best, stderr: fmt.Sprintf("[mgo] launcher: starting variant GOAMD64=%v: this CPU runs %v\n", best, best)},

		{env: "GOAMD64=v5", status: 127, stderr: name + "\"GOAMD64=v5\": not a level of GOAMD64, want v1, v2, v3 or v4\n"},
		{env: "GOAMD64=v", status: 127, stderr: name + "\"GOAMD64=v\": not a level"},
		{env: "GOAMD64=v33", status: 127, stderr: name + "\"GOAMD64=v33\": not a level"},
		{env: "GOAMD64=V3", status: 127, stderr: name + "\"GOAMD64=V3\": not a level"},
		{env: "GOMULTIARCH=level=v0", status: 127, stderr: name + "GOMULTIARCH has \"level=v0\", want level=vN, max=vN, log or extract"},
		{env: "GOMULTIARCH=max=v5", status: 127, stderr: name + "GOMULTIARCH has \"max=v5\""},
		{env: "GOMULTIARCH=log,", status: 127, stderr: name + "GOMULTIARCH has \"\""},
		{env: "GOMULTIARCH=log,lag", status: 127, stderr: name + "GOMULTIARCH has \"lag\""},
		{env: "GOMULTIARCH=logs", status: 127, stderr: name + "GOMULTIARCH has \"logs\""},
		{env: "GOMULTIARCH=level=v3x", status: 127, stderr: name + "GOMULTIARCH has \"level=v3x\""},
		{env: "MGODEBUG=max=v1", status: 127, stderr: name + "MGODEBUG has \"max=v1\", want log or extract"},
	}
	for _, test := range tests {
		t.Run(test.env, func(t *testing.T) {
			if test.status == 0 {
				saysWhatStarts(t, probe.Packed, test.env, test.level.String())
			} else {
				saysWhatStarts(t, probe.Packed, test.env, "")
			}
			got := probetest.Start(t, exec.Command(probe.Packed), strings.Fields(test.env)...)
			if got.Status != test.status {
				t.Fatalf("status %d, standard error %q: want status %d", got.Status, got.Stderr, test.status)
			}
			if test.status != 0 {
				if !strings.HasPrefix(got.Stderr, test.stderr) || got.Stdout != "" {
					t.Errorf("standard error %q, standard output %q: want %q", got.Stderr, got.Stdout, test.stderr)
				}
				return
			}
			if got.Stderr != test.stderr {
				t.Errorf("standard error %q: want %q", got.Stderr, test.stderr)
			}
			if level := got.Report(t).Level; level != test.level.String() {
				t.Errorf("started %s: want %v", level, test.level)
			}
		})
	}
}

// saysWhatStarts compares what packer info says of an environment, its variables
// separated by spaces.
func saysWhatStarts(t *testing.T, file, env, want string) {
	t.Helper()
	cmd := exec.Command(testenv.Packer(t), "info", "--json", file)
	cmd.Env = append(os.Environ(), strings.Fields(env)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Machine struct{ Starts, Reason string }
	}
	if err := json.Unmarshal(out, &info); err != nil || info.Machine.Starts != want || info.Machine.Reason == "" {
		t.Errorf("packer info says that %q starts, because %s: want %q (%v)", info.Machine.Starts, info.Machine.Reason, want, err)
	}
}

// TestLogLine reads what the launcher writes by system calls.
func TestLogLine(t *testing.T) {
	probe := testenv.Probe(t)
	for _, variable := range []string{"GOMULTIARCH=log,max=v1", "MGODEBUG=log"} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
		cmd := exec.Command(probe.Packed, "-quiet")
		cmd.Env = []string{variable}
		cmd.Stderr = theirs
		err = cmd.Run()
		theirs.Close()
		line := make([]byte, 1000)
		n, readErr := unix.Read(pair[0], line)
		ours.Close()
		if err != nil || readErr != nil || !strings.HasSuffix(string(line[:n]), "\n") {
			t.Errorf("%s: the first system call wrote %q (%v, %v): want the whole line", variable, line[:n], err, readErr)
		}
	}
}

func TestForcedLevelBeyondCPU(t *testing.T) {
	probe := testenv.Probe(t)
	got := probetest.Start(t, probetest.Emulate(t, probetest.V2, probe.Packed), "GOMULTIARCH=level=v3")
	want := "probe_multi: GOMULTIARCH=level=v3 asked for, but this CPU runs v2 at most\n"
	if got.Status != 126 || !strings.HasSuffix(got.Stderr, want) {
		t.Errorf("status %d, standard error %q: want 126 and %q", got.Status, got.Stderr, want)
	}
	if got := probetest.Start(t, probetest.Emulate(t, probetest.V2, probe.Packed), "GOAMD64=v4").Report(t); got.Level != "v2" {
		t.Errorf("GOAMD64=v4 on a v2 CPU started %s: want v2, for it is a cap", got.Level)
	}
}

// TestFewerLevels packs v2 and v3 alone.
func TestFewerLevels(t *testing.T) {
	probe := testenv.Probe(t)
	packed := repack(t, probe, 2, 3)
	for _, test := range []struct {
		model  probetest.Model
		env    string
		level  string
		status int
		stderr string
	}{
		{model: probetest.V3, level: "v3"},
		{model: probetest.V2, level: "v2"},
		{model: probetest.V1, status: 126, stderr: "packed: this CPU runs GOAMD64=v1 at most, this program is built for v2, v3\n"},
		{model: probetest.V3, env: "GOAMD64=v1", status: 127, stderr: "packed: at most v1 asked for, but this program is built for v2, v3\n"},
		{model: probetest.V3, env: "GOMULTIARCH=level=v4", status: 127, stderr: "packed: GOMULTIARCH=level=v4 asked for, but this program is built for v2, v3\n"},
	} {
		t.Run(test.model.Name+" "+test.env, func(t *testing.T) {
			got := probetest.Start(t, probetest.Emulate(t, test.model, packed), strings.Fields(test.env)...)
			if got.Status != test.status || !strings.HasSuffix(got.Stderr, test.stderr) {
				t.Fatalf("status %d, standard error %q: want %d and %q", got.Status, got.Stderr, test.status, test.stderr)
			}
			if test.status == 0 && got.Report(t).Level != test.level {
				t.Errorf("started %s: want %s", got.Report(t).Level, test.level)
			}
		})
	}
}

// TestControlCharacters has the launcher quote what a terminal takes for commands, and a
// name that is longer than its memory for messages.
func TestControlCharacters(t *testing.T) {
	long := strings.Repeat("a", 300) + strings.Repeat("\a", 300)
	for name, want := range map[string]string{
		"a\x1b[2J\n\x9b2J": `a\x1b[2J\x0a\x9b2J: "GOAMD64=\x1b]0;x\x07": not a level of GOAMD64, want v1, v2, v3 or v4` + "\n",
		"prögramm":         `prögramm: "GOAMD64=\x1b]0;x\x07": not a level of GOAMD64, want v1, v2, v3 or v4` + "\n",
		long:               strings.Repeat("a", 300) + `\x07`,
	} {
		cmd := exec.Command(testenv.Probe(t).Packed)
		cmd.Args[0] = name
		got := probetest.Start(t, cmd, "GOAMD64=\x1b]0;x\a")
		if got.Status != 127 || got.Stderr != want && name != long {
			t.Errorf("%q: status %d, %q: want 127, %q", name, got.Status, got.Stderr, want)
		}
		if name == long && (!strings.HasPrefix(got.Stderr, want) || !strings.HasSuffix(got.Stderr, "want v1, v2, v3 or v4\n")) {
			t.Errorf("a name of %d bytes: %q: want it to begin with %q, and the end of the message", len(name), got.Stderr, want)
		}
		if strings.ContainsFunc(strings.TrimSuffix(got.Stderr, "\n"), unicode.IsControl) {
			t.Errorf("%q: control characters in %q", name, got.Stderr)
		}
	}
}

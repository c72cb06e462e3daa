// Package probetest starts tests/probe, plain or packed, and reads what it
// reports.
package probetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
)

// Report is what tests/probe prints.
type Report struct {
	Level, BuildInfo, Executable, Stdin string
	Args, Env                           []string
	Ignored                             []int
	PID, EUID                           int
	Capabilities                        string
	CoreLimit                           uint64
	Zeroes                              bool
	Sum                                 int
}

// Result is how a process ended.
type Result struct {
	Status         int
	Stdout, Stderr string
}

// Start runs a command to its end. The environment is the one given, and
// nothing else.
func Start(t *testing.T, cmd *exec.Cmd, env ...string) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	if env == nil {
		env = []string{}
	}
	cmd.Env = env
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("starting %q: %v", cmd.Args, err)
	}
	return Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Report decodes what the probe printed and fails the test when it did not run.
func (r Result) Report(t *testing.T) Report {
	t.Helper()
	var decoded Report
	if err := json.Unmarshal([]byte(r.Stdout), &decoded); err != nil {
		t.Fatalf("status %d, standard output %q, standard error %q: %v", r.Status, r.Stdout, r.Stderr, err)
	}
	if !decoded.Zeroes {
		t.Error("variables without a value did not begin as zero")
	}
	return decoded
}

// MachineLevel is the level of this machine's CPU, by a library of others.
func MachineLevel(t *testing.T) goamd64.Level {
	t.Helper()
	level := goamd64.Level(cpuid.CPU.X64Level())
	if level < goamd64.Min {
		t.Fatalf("cpuid.CPU.X64Level() is %d", level)
	}
	return level
}

// Model is a CPU that qemu emulates, and its level.
type Model struct {
	Name  string
	Level goamd64.Level
}

// The least model of each level that qemu's translator can emulate; it has no
// AVX-512.
var (
	V1 = Model{"qemu64", 1}
	V2 = Model{"Nehalem", 2}
	V3 = Model{"Haswell", 3}
)

// Models has every level that can be emulated, and CPUs that lack one
// feature of their level.
var Models = []Model{
	V1,
	{"core2duo", 1},
	V2,
	{"SandyBridge", 2},
	V3,
	{"max", 3},
	{"Nehalem,-popcnt", 1},
	{"Nehalem,-lahf-lm", 1},
	{"Nehalem,-pni", 1}, // SSE3
	{"Nehalem,-ssse3", 1},
	{"Nehalem,-cx16", 1},
	{"Nehalem,-sse4.1", 1},
	{"Nehalem,-sse4.2", 1},
	{"Haswell,-abm", 2},
	{"Haswell,-movbe", 2},
	{"Haswell,-bmi1", 2},
	{"Haswell,-bmi2", 2},
	{"Haswell,-avx", 2},
	{"Haswell,-f16c", 2},
	{"Haswell,-avx2", 2},
	{"Haswell,-fma", 2},
	{"Haswell,-xsave", 2}, // AVX2 without the operating system's support
}

// Emulate returns a command under qemu-user.
func Emulate(t *testing.T, m Model, path string, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(testenv.Qemu(t), append([]string{"-cpu", m.Name, path}, args...)...)
}

// Read returns the contents of a file.
func Read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Runnable returns the levels that this machine can run natively.
func Runnable(t *testing.T) []goamd64.Level {
	var levels []goamd64.Level
	for level := goamd64.Min; level <= MachineLevel(t); level++ {
		levels = append(levels, level)
	}
	return levels
}

// EachLevel runs a test natively at every level that this machine can run. force
// is the environment variable that makes a packed file start that level.
func EachLevel(t *testing.T, test func(t *testing.T, force string)) {
	for _, level := range Runnable(t) {
		t.Run(level.String(), func(t *testing.T) { test(t, "GOMULTIARCH=level="+level.String()) })
	}
}

// Testlevel is the executable of every go_multiarch_test. It starts the test
// that was built for a level: natively where the CPU can run it, else in an
// emulator. Where neither is possible it reports the test as skipped, and why.
// For a test of several levels it starts the test of each.
//
// What to start stands in the folder NAME.level beside the executable, where
// NAME is what the executable is called; private/test.bzl puts it there.
// Arguments and environment are the test's.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
)

// printLevel is a variable that makes this program print the level of the CPU
// that it runs on, and nothing else.
const printLevel = "RULES_GO_MULTIARCH_PRINT_LEVEL"

// emulating is a variable that has the test's label in processes that it starts,
// when it is emulated. One decision holds for all of them.
const emulating = "RULES_GO_MULTIARCH_EMULATING"

func main() {
	if os.Getenv(printLevel) != "" {
		fmt.Println(cpu())
		return
	}
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

func cpu() goamd64.Level { return goamd64.Level(cpuid.CPU.X64Level()) }

// run returns only when the test does not start.
func run(args []string, stdout, stderr io.Writer) int {
	err := start(args, stdout, stderr)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "testlevel: %v\n", err)
	return 1
}

func start(args []string, stdout, stderr io.Writer) error {
	// os.Executable would follow the link that NAME is.
	self, err := exec.LookPath(args[0])
	if err == nil {
		self, err = filepath.Abs(self)
	}
	if err != nil {
		return fmt.Errorf("finding %q: %w", args[0], err)
	}
	s, err := readSettings(self + ".level")
	if err != nil {
		return err
	}
	if s.levels != nil {
		return startAll(s, self, args[1:], stdout, stderr)
	}
	again := os.Getenv(emulating) == s.Label
	p := plan{emulate: true}
	if !again {
		p = decide(s, cpu(), func() (goamd64.Level, error) { return emulated(s, self) })
	}
	if p.unable != "" {
		if s.MustRun {
			return fmt.Errorf("%s cannot run: %s (it would be reported as skipped without --@rules_go_multiarch//:every_level_must_run)", s.Label, p.unable)
		}
		return skip(s, p.unable, stdout)
	}

	// A test that starts itself again, as rules_go's do to write XML, starts
	// args[0]. It has to come by here once more, or it would leave the emulator.
	command := append([]string{self}, args[1:]...)
	path := s.Program
	env := os.Environ()
	if p.emulate {
		if !again {
			env = append(env, emulating+"="+s.Label)
			fmt.Fprintf(stderr, "testlevel: %s runs in %s -cpu %s: %s\n", s.Label, filepath.Base(s.Qemu), s.Model, p.reason)
		}
		command = append([]string{s.Qemu, "-cpu", s.Model, "-0", self, s.Program}, args[1:]...)
		path = s.Qemu
	}
	if err := syscall.Exec(path, command, env); err != nil {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	return nil
}

// emulated returns the level of the CPU that programs see in the emulator.
func emulated(s *settings, self string) (goamd64.Level, error) {
	c := exec.Command(s.Qemu, "-cpu", s.Model, self)
	c.Env = append(os.Environ(), printLevel+"=1")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return 0, err
	}
	var level goamd64.Level
	if _, err := fmt.Sscanf(string(out), "v%d", &level); err != nil {
		return 0, fmt.Errorf("it says its level is %q", out)
	}
	return level, nil
}

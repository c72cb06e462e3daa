package main

import (
	"fmt"

	"rules_go_multiarch/internal/goamd64"
)

// plan says how a test runs.
type plan struct {
	emulate bool
	reason  string // to emulate
	unable  string // why it cannot run at all, or ""
}

// decide plans for a CPU. emulated tells which level the emulator really has:
// older ones know models whose instructions they cannot run.
func decide(s *settings, cpu goamd64.Level, emulated func() (goamd64.Level, error)) plan {
	reason := fmt.Sprintf("this CPU runs %v at most", cpu)
	if cpu == 0 {
		reason = "this CPU is not an amd64 one"
	}
	if cpu >= s.level && s.Emulate != "always" {
		return plan{}
	}
	if s.Emulate == "always" {
		reason = `emulate = "always"`
	}
	because := func(format string, args ...any) plan {
		return plan{unable: reason + ", and " + fmt.Sprintf(format, args...)}
	}
	switch {
	case s.Emulate == "never":
		return because(`emulate = "never"`)
	case s.Qemu == "":
		return because("there is no emulator: no qemu-x86_64 on PATH where Bazel runs, and no toolchain of type " +
			"@rules_go_multiarch//qemu:toolchain_type")
	case s.Model == "":
		return because("the emulator has no CPU of level %v", s.level)
	}
	got, err := emulated()
	if err != nil {
		return because("the emulator does not work: %v", err)
	}
	if got < s.level {
		return because("the emulator's -cpu %s runs %v at most", s.Model, got)
	}
	return plan{emulate: true, reason: reason}
}

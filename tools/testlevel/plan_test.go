package main

import (
	"errors"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
)

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name     string
		s        settings
		cpu      goamd64.Level
		emulated goamd64.Level // 0 for an emulator that fails
		emulate  bool
		unable   string
	}{
		{name: "CPU of the level", s: settings{level: 3, Emulate: "auto"}, cpu: 3},
		{name: "better CPU", s: settings{level: 1, Emulate: "auto", Qemu: "q", Model: "m"}, cpu: 4, emulated: 1},
		{name: "better CPU, never", s: settings{level: 1, Emulate: "never"}, cpu: 4},
		{name: "lesser CPU", s: settings{level: 3, Emulate: "auto", Qemu: "q", Model: "m"}, cpu: 2, emulated: 3, emulate: true},
		{name: "always", s: settings{level: 2, Emulate: "always", Qemu: "q", Model: "m"}, cpu: 4, emulated: 2, emulate: true},
		{name: "lesser CPU, never", s: settings{level: 3, Emulate: "never", Qemu: "q", Model: "m"}, cpu: 2, emulated: 3,
			unable: `this CPU runs v2 at most, and emulate = "never"`},
		{name: "no emulator", s: settings{level: 3, Emulate: "auto"}, cpu: 2,
			unable: "this CPU runs v2 at most, and there is no emulator"},
		{name: "always, no emulator", s: settings{level: 1, Emulate: "always"}, cpu: 4,
			unable: `emulate = "always", and there is no emulator`},
		{name: "no model", s: settings{level: 4, Emulate: "auto", Qemu: "q"}, cpu: 3,
			unable: "this CPU runs v3 at most, and the emulator has no CPU of level v4"},
		{name: "old emulator", s: settings{level: 3, Emulate: "auto", Qemu: "q", Model: "Haswell"}, cpu: 2, emulated: 2,
			unable: "this CPU runs v2 at most, and the emulator's -cpu Haswell runs v2 at most"},
		{name: "broken emulator", s: settings{level: 3, Emulate: "auto", Qemu: "q", Model: "m"}, cpu: 2,
			unable: "this CPU runs v2 at most, and the emulator does not work: broken"},
		{name: "another CPU", s: settings{level: 1, Emulate: "never"}, cpu: 0,
			unable: `this CPU is not an amd64 one, and emulate = "never"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decide(&c.s, c.cpu, func() (goamd64.Level, error) {
				if c.emulated == 0 {
					return 0, errors.New("broken")
				}
				return c.emulated, nil
			})
			if got.emulate != c.emulate {
				t.Errorf("emulates: %t, want %t", got.emulate, c.emulate)
			}
			if c.unable == "" && got.unable != "" || !strings.HasPrefix(got.unable, c.unable) {
				t.Errorf("unable because %q, want %q", got.unable, c.unable)
			}
		})
	}
}

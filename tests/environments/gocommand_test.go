package environments_test

import (
	"os/exec"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestConfinedKinds confines the probe linked in other ways than Go's default.
func TestConfinedKinds(t *testing.T) {
	for name, test := range map[string]struct {
		link testenv.Link
		pack []string
	}{
		"PIE":     {link: testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true}},
		"dynamic": {link: testenv.Link{Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=external", Extld: "-no-pie"}},
		"remap":   {link: testenv.Link{Env: []string{"CGO_ENABLED=0"}, NoSlot: true}, pack: []string{"-remap"}},
	} {
		t.Run(name, func(t *testing.T) {
			variants := map[goamd64.Level]string{}
			test.link.Basename = "confined" + name
			for level := goamd64.Min; level <= goamd64.Max; level++ {
				variants[level] = testenv.Build(t, "./tests/probe", level, test.link)
			}
			packed := testenv.Pack(t, test.link.Basename, variants, test.pack...)
			moved := len(test.pack) > 0
			startConfined(t, packed, !moved)

			// What shows that the filter refuses.
			if moved && probetest.MachineLevel(t) > goamd64.Min {
				got := probetest.Start(t, confined(t, "-refuse=mremap", packed))
				if want := " into memory: error 1\n"; got.Status != 127 || !strings.HasSuffix(got.Stderr, want) {
					t.Errorf("without mremap: status %d, %q: want 127, %q", got.Status, got.Stderr, want)
				}
			}
			for _, model := range []string{"qemu64", "Haswell"} {
				cmd := exec.Command(testenv.Qemu(t), "-cpu", model, packed)
				if got := probetest.Start(t, cmd); got.Status != 0 {
					t.Errorf("%s: status %d, %q", model, got.Status, got.Stderr)
				}
			}
		})
	}
}

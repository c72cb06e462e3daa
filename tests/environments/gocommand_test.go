package environments_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestOtherKinds confines, emulates and truncates the probe linked in other ways than
// Go's default.
func TestOtherKinds(t *testing.T) {
	for name, test := range map[string]struct {
		link  testenv.Link
		pack  []string
		calls string // the launcher's system calls
	}{
		"PIE": {
			link:  testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true},
			calls: "access arch_prctl close getrandom mmap openat pread64 prlimit64",
		},
		"dynamic": {
			link:  testenv.Link{Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=external", Extld: "-no-pie"},
			calls: "access arch_prctl close mmap mprotect munmap openat pread64 prlimit64",
		},
		"remap": {
			link:  testenv.Link{Env: []string{"CGO_ENABLED=0"}, NoSlot: true},
			pack:  []string{"-remap"},
			calls: "arch_prctl mmap mremap munmap prlimit64",
		},
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
			compareSystemCalls(t, packed, test.calls)
			if name == "PIE" { // C's dynamic linker calls munmap for programs with libraries
				starts(t, confined(t, "-kill=munmap", packed))
			}
			truncate(t, packed)
			compareCharged(t, variants, packed)
			compareLeast(t, "data", variants[probetest.MachineLevel(t)], packed)
			for _, model := range []string{"qemu64", "Haswell"} {
				cmd := exec.Command(testenv.Qemu(t), "-cpu", model, packed)
				if got := probetest.Start(t, cmd); got.Status != 0 {
					t.Errorf("%s: status %d, %q", model, got.Status, got.Stderr)
				}
			}
		})
	}
}

// truncate starts what is left of a packed probe when its end is missing: the level
// that was asked for runs, or nothing does.
func truncate(t *testing.T, packed string) {
	data := probetest.Read(t, packed)
	path := filepath.Join(t.TempDir(), "truncated")
	for _, level := range probetest.Runnable(t) {
		ran := 0
		const parts = 16
		for part := range parts + 1 {
			if err := os.WriteFile(path, data[:len(data)*part/parts], 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path)
			cmd.Env = []string{"GOMULTIARCH=level=" + level.String()}
			out, err := cmd.Output()
			if err == nil {
				ran++
			}
			if own := strings.Contains(string(out), `"Level":"`+level.String()+`"`); own != (err == nil) || !own && len(out) > 0 {
				t.Errorf("%v, %d of %d parts: %v, printed %.60q", level, part, parts, err, out)
			}
		}
		if ran == 0 || ran == parts+1 {
			t.Errorf("%v: ran in %d of %d lengths", level, ran, parts+1)
		}
	}
}

// TestHighestLevelsData checks what the launcher unmaps where the CPU chooses the level: the
// data of the lowest one, and of the highest one where the kernel counts too much of that.
func TestHighestLevelsData(t *testing.T) {
	probe := testenv.Probe(t)
	compareUnmapped(t, probe.Variants, probe.Packed, "-limit-data=0", goamd64.Min)
	compareUnmapped(t, probe.Variants, probe.Packed, "-limit-data=1099511627776", goamd64.Min, goamd64.Max)

	variants := map[goamd64.Level]string{}
	for highest := goamd64.Min; highest <= goamd64.Max; highest++ {
		variants[highest] = testenv.Build(t, "./tests/environments/muchbss", highest, testenv.Link{})
		compareUnmapped(t, variants, testenv.Pack(t, "muchbss", variants), "-limit-data=0", goamd64.Min, highest)
	}
}

// compareUnmapped starts a packed file on emulated CPUs of several levels, under a limit
// (0 is none). The data of the levels want must be unmapped, but for that which runs.
func compareUnmapped(t *testing.T, variants map[goamd64.Level]string, packed, limit string, want ...goamd64.Level) {
	t.Helper()
	for _, model := range []probetest.Model{probetest.V1, probetest.V2, probetest.V3} {
		got := probetest.Start(t, confined(t, limit, testenv.Qemu(t), "-strace", "-cpu", model.Name, packed))
		if got.Status != 0 {
			t.Fatalf("%s, %s: status %d, %q", limit, model.Name, got.Status, got.Stderr)
		}
		runs := min(model.Level, goamd64.Level(len(variants)))
		for level, path := range variants {
			unmapped := strings.Contains(got.Stderr, fmt.Sprintf(" munmap(0x%016x,", dataStart(t, path)))
			if want := level != runs && slices.Contains(want, level); unmapped != want {
				t.Errorf("%s, %v of %d runs: the data of %v is unmapped: %v, want %v:\n%s", limit, runs, len(variants), level, unmapped, want, got.Stderr)
			}
		}
	}
}

// dataStart returns the first address of an executable's first writable page.
func dataStart(t *testing.T, path string) uint64 {
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 {
			return p.Vaddr &^ 4095
		}
	}
	t.Fatalf("%s: no writable segment", path)
	return 0
}

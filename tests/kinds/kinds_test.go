package kinds_test

import (
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	pure = "CGO_ENABLED=0"
	cgo  = "CGO_ENABLED=1"
)

// kind is a way to link the program.
type kind struct {
	name   string
	link   testenv.Link
	pie    bool   // what it is: position-independent
	interp bool   // dynamically linked
	flags  string // of the packer
	needs  string // a command without which this kind cannot be built
}

var kinds = []kind{
	{name: "static", link: testenv.Link{Env: []string{pure}}},
	{name: "static, stripped", link: testenv.Link{Env: []string{pure}, LDFlags: "-s -w"}},
	{name: "dynamic, Go's linker", link: testenv.Link{Env: []string{cgo}, LDFlags: "-linkmode=internal", Flags: []string{"-tags=nocfiles"}}, interp: true},
	{name: "dynamic, system linker", link: testenv.Link{Env: []string{cgo}, LDFlags: "-linkmode=external", Extld: "-no-pie"}, interp: true},
	{name: "cgo, static", link: testenv.Link{Env: []string{cgo}, LDFlags: "-linkmode=external", Extld: "-static", Flags: []string{"-tags=netgo,osusergo"}}},
	{name: "cgo, static, musl", link: testenv.Link{Env: []string{cgo, "CC=musl-gcc"}, LDFlags: "-linkmode=external", Extld: "-static", Flags: []string{"-tags=netgo,osusergo"}}, needs: "musl-gcc"},
	{name: "PIE, Go's linker", link: testenv.Link{Env: []string{pure}, Flags: []string{"-buildmode=pie"}, NoSlot: true}, pie: true, interp: true},
	{name: "PIE, system linker", link: testenv.Link{Env: []string{cgo}, Flags: []string{"-buildmode=pie"}, LDFlags: "-linkmode=external", NoSlot: true}, pie: true, interp: true},
	{name: "PIE, static", link: testenv.Link{Env: []string{cgo}, Flags: []string{"-buildmode=pie", "-tags=netgo,osusergo"}, LDFlags: "-linkmode=external", Extld: "-static-pie", NoSlot: true}, pie: true},
	{name: "race", link: testenv.Link{Env: []string{cgo}, Flags: []string{"-race"}, LDFlags: "-linkmode=external", Extld: "-no-pie"}, interp: true},
	{name: "static, overlapping", link: testenv.Link{Env: []string{pure}, NoSlot: true}, flags: "-remap"},
	{name: "dynamic, overlapping", link: testenv.Link{Env: []string{cgo}, LDFlags: "-linkmode=external", Extld: "-no-pie", NoSlot: true}, interp: true, flags: "-remap"},
}

// TestKinds builds, packs and starts the program in every kind at every level.
func TestKinds(t *testing.T) {
	for i, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			if _, err := exec.LookPath(k.needs); k.needs != "" && err != nil {
				t.Skipf("skipped: no %s", k.needs)
			}
			variants := map[goamd64.Level]string{}
			for level := goamd64.Min; level <= goamd64.Max; level++ {
				link := k.link
				link.Basename = fmt.Sprintf("kind%d", i)
				variants[level] = testenv.Build(t, "./tests/kinds/program", level, link)
				k.checkIsWhatItSays(t, variants[level])
			}
			packed := testenv.Pack(t, fmt.Sprintf("kind%d", i), variants, strings.Fields(k.flags)...)
			startAll(t, packed, variants)
			stripped := packed + ".stripped"
			if out, err := exec.Command(testenv.Tool(t, "strip"), "-o", stripped, packed).CombinedOutput(); err != nil {
				t.Fatalf("strip: %v\n%s", err, out)
			}
			startAll(t, stripped, variants)
			if k.interp {
				refused(t, edited(t, packed, "patchelf --add-needed libm.so.6"), variants, `but that of v4 is [`)
			}
			if k.pie {
				basesDiffer(t, packed)
			}
		})
	}
}

// checkIsWhatItSays makes sure that the table tests what it says.
func (k *kind) checkIsWhatItSays(t *testing.T, path string) {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pie := file.Type == elf.ET_DYN
	interp := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	if pie != k.pie || interp != k.interp {
		t.Fatalf("position-independent: %v, with an interpreter: %v: want %v, %v", pie, interp, k.pie, k.interp)
	}
}

// startAll starts every level of a packed file that this machine can run.
func startAll(t *testing.T, packed string, levels map[goamd64.Level]string) {
	t.Helper()
	for _, level := range probetest.Runnable(t) {
		if levels[level] == "" {
			continue
		}
		got := probetest.Start(t, exec.Command(packed, "a", "b"), "GOMULTIARCH=level="+level.String())
		if want := level.String() + " ok a b\n"; got.Status != 3 || got.Stdout != want {
			t.Errorf("%v: status %d, %q, %q: want 3, %q", level, got.Status, got.Stdout, got.Stderr, want)
		}
	}
}

// basesDiffer starts the packed file until it has been at two addresses.
func basesDiffer(t *testing.T, packed string) {
	t.Helper()
	seen := map[string]bool{}
	for range 20 {
		out, err := exec.Command(packed, "base").Output()
		if err != nil {
			t.Fatal(err)
		}
		seen[string(out)] = true
		if len(seen) > 1 {
			return
		}
	}
	t.Error("the base address is the same in 20 starts")
}

// TestLarge packs programs of 300 MiB and more.
func TestLarge(t *testing.T) {
	compile := func(t *testing.T, level goamd64.Level, mib int, flags ...string) string {
		t.Helper()
		out := filepath.Join(t.TempDir(), fmt.Sprintf("%v-%d", level, mib))
		args := append(flags, fmt.Sprintf("-DLEVEL=%d", level), fmt.Sprintf("-DLARGE=%d", mib<<20), "-O1", "-o", out, "testdata/program.c")
		if text, err := exec.Command(testenv.Tool(t, "gcc"), args...).CombinedOutput(); err != nil {
			t.Fatalf("gcc %q: %v\n%s", args, err, text)
		}
		return out
	}
	slot := func(level goamd64.Level) string {
		return fmt.Sprintf("-Wl,-Ttext-segment=%#x", slots.Of(level).Base)
	}
	t.Run("in slots", func(t *testing.T) {
		variants := map[goamd64.Level]string{1: compile(t, 1, 310, "-static", "-no-pie")}
		for level := goamd64.Level(2); level <= goamd64.Max; level++ {
			variants[level] = compile(t, level, 310, "-static", "-no-pie", slot(level))
		}
		startAll(t, testenv.Pack(t, "large", variants), variants)
	})
	t.Run("PIE", func(t *testing.T) {
		variants := map[goamd64.Level]string{}
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			variants[level] = compile(t, level, 340, "-fPIE", "-static-pie")
		}
		startAll(t, testenv.Pack(t, "large-pie", variants), variants)
	})
	t.Run("too large", func(t *testing.T) {
		args := []string{"create", "-launcher", testenv.Launcher(t), "-o", filepath.Join(t.TempDir(), "out"),
			"v1=" + compile(t, 1, 1, "-static", "-no-pie"), "v3=" + compile(t, 3, 340, "-static", "-no-pie", slot(3))}
		text, err := exec.Command(testenv.Packer(t), args...).CombinedOutput()
		if want := "but its slot has 335 MiB: make it smaller, build it with -buildmode=pie, which needs no slots, or leave levels out"; err == nil || !strings.Contains(string(text), want) {
			t.Errorf("%v: %s: want an error with %q", err, text, want)
		}
	})
}

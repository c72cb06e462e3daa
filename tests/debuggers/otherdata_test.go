package debuggers_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
)

// TestOtherLevelsData serves another level than the one that a variable picked: no
// debugger shows a value.
func TestOtherLevelsData(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		dir, path := k.pack(t, level)
		for served := goamd64.Min; served <= goamd64.Max; served++ {
			packer(t, "debug", "-level", served.String(), path)
			out, _ := combined(at(level, gdbAtInner(t, path)))
			checkServed(t, k, out, served, level)
		}
		other := level%goamd64.Max + 1
		packer(t, "debug", "-level", other.String(), path)
		pid := start(t, level, path)
		out, _ := combined(delve(t, dir, []string{"attach", strconv.Itoa(pid)}, printVariables...))
		for _, shown := range variables(other) {
			if strings.Contains(out, shown) {
				t.Errorf("Delve shows %v's data where %v runs:\n%s", other, level, out)
			}
		}
		if !k.link.NoSlot {
			want(t, out, "input/output error")
		}

		// Nor does gdb of a core dump. Delve does (docs/tools.md).
		core := coreDump(t, level, dir, path)
		_, otherBuild := packUpTo(t, k, goamd64.Max, "-no-environment")
		said, err := exec.Command(testenv.Packer(t), "debug", "-core", core, otherBuild).CombinedOutput()
		if want := "core: is of another build than " + otherBuild + ": build id "; err == nil || !strings.Contains(string(said), want) {
			t.Errorf("packer debug of another file with the same code says %q: want %q", said, want)
		}
		for served := goamd64.Min; served <= goamd64.Max; served++ {
			packer(t, "debug", "-level", served.String(), path)
			// In quotes, for the frame is in assembly, whose language has no packages.
			out, _ := combined(gdb(t, "-ex", "print 'main.counter'", "-ex", "print 'main.total'", path, core))
			shown := value.FindAllString(out, -1)
			if served == level && len(shown) != 2 || served != level && len(notShown(k, out)) != 2 {
				t.Errorf("gdb shows %q of %v, the core dump is of %v:\n%s", shown, served, level, out)
			}
		}
	})
}

// TestLowestLevelsData has a CPU's choice debugged without a companion: the packed file's
// own symbols are the lowest level's, and show its variables where that one runs alone.
func TestLowestLevelsData(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		dir, path := packUpTo(t, k, level)
		ask := []string{"-ex", "x/gd &'main.counter'", "-ex", "x/gd &'main.total'"}
		live, _ := combined(at(byCPU, gdb(t, append([]string{"-ex", "break main.inner", "-ex", "run"}, append(slices.Clone(ask), path)...)...)))
		core, _ := combined(gdb(t, append(slices.Clone(ask), path, coreDump(t, byCPU, dir, path))...))
		for what, out := range map[string]string{"process": live, "core dump": core} {
			shown := examined.FindAllString(out, -1)
			if level == goamd64.Min {
				if len(shown) != 2 {
					t.Errorf("%s: gdb shows %q:\n%s", what, shown, out)
				}
			} else if what == "process" && !k.link.NoSlot && len(shown) != 0 || len(notShown(k, out)) != 2 {
				t.Errorf("%s at %v: gdb shows %q of %v's data:\n%s", what, level, shown, goamd64.Min, out)
			}
		}
	})
}

// TestIsolated serves another level than the one that the CPU chose: of a file that was
// packed with -isolate, gdb shows no value.
func TestIsolated(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		_, path := packUpTo(t, k, level, "-isolate")
		packer(t, "verify", path)
		for served := goamd64.Min; served <= level; served++ {
			packer(t, "debug", "-level", served.String(), path)
			out, _ := combined(at(byCPU, gdbAtInner(t, path)))
			checkServed(t, k, out, served, level)
		}
	})
}

// packUpTo packs a program's levels up to one, which this CPU chooses where it
// runs that.
func packUpTo(t *testing.T, k *kind, highest goamd64.Level, flags ...string) (dir, path string) {
	t.Helper()
	k.build(t)
	dir = t.TempDir()
	path = filepath.Join(dir, "program")
	args := append([]string{"create", "-launcher", testenv.Launcher(t), "-o", path}, flags...)
	for level := goamd64.Min; level <= highest; level++ {
		args = append(args, level.String()+"="+k.variants[level])
	}
	packer(t, args...)
	return dir, path
}

// gdbAtInner has gdb print the variables in main.inner.
func gdbAtInner(t *testing.T, path string) *exec.Cmd {
	args := append([]string{"-ex", "break main.inner", "-ex", "run"}, gdbPrintVariables...)
	return gdb(t, append(args, path)...)
}

// checkServed fails the test unless gdb, which has the companion of one level, printed
// variables if that is the level that runs, and none else, or zeroes in their place if the
// program is position-independent.
func checkServed(t *testing.T, k *kind, out string, served, running goamd64.Level) {
	t.Helper()
	if served == running {
		want(t, out, gdbVariables(running)...)
	} else if k.link.NoSlot {
		for _, shown := range gdbVariables(served) {
			if strings.Contains(out, shown) {
				t.Errorf("gdb shows %v's data where %v runs:\n%s", served, running, out)
			}
		}
		if len(notShown(k, out)) == 0 {
			t.Errorf("gdb says nothing of %v's data where %v runs:\n%s", served, running, out)
		}
	} else if value.MatchString(out) || !strings.Contains(out, "Cannot access memory") {
		t.Errorf("gdb shows %v's data where %v runs:\n%s", served, running, out)
	}
}

// notShown returns what gdb says of variables that are not there. Of
// position-independent programs it shows zeroes, for pages without access keep the place.
func notShown(k *kind, out string) []string {
	said := regexp.MustCompile(`Cannot access memory|(?m)^\$\d+ = .*$|^0x[0-9a-f]+ .*:\t\d+$`).FindAllString(out, -1)
	return slices.DeleteFunc(said, func(s string) bool {
		zero := strings.HasSuffix(s, " = 0") || strings.HasSuffix(s, ":\t0")
		return s != "Cannot access memory" && !(zero && k.link.NoSlot)
	})
}

// What gdb prints a value as, and memory.
var (
	value    = regexp.MustCompile(`(?m)^\$\d+ = .*`)
	examined = regexp.MustCompile(`(?m)^0x[0-9a-f]+ .*:\t\d+$`)
)

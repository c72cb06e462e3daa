package debuggers_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/tests/probetest"
)

// TestTracebacks checks what the runtime itself says of goroutines: on request,
// and when the program crashes.
func TestTracebacks(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		_, path := pack(t, level)
		want(t, output(t, at(level, exec.Command(path, "traceback"))),
			"goroutine 1 [running]:", "main.work(", "main.main()", "main.go:", "created by main.main in goroutine 1")
		out, err := combined(at(level, exec.Command(path, "crash")))
		if err == nil {
			t.Fatalf("it did not crash:\n%s", out)
		}
		want(t, out, "nil pointer dereference", "main.crash(", "main.work(", "main.main()", "main.go:")
	})
}

// TestPprof checks that a CPU profile names functions and lines, with the
// program at hand and without it; and code, which is in the program alone.
func TestPprof(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		dir, path := pack(t, level)
		profile := filepath.Join(dir, "cpu.pprof")
		output(t, at(level, exec.Command(path, "profile", profile)))
		for _, args := range [][]string{{profile}, {path, profile}} {
			out := output(t, exec.Command("go", append([]string{"tool", "pprof", "-top", "-lines"}, args...)...))
			// CPUs differ in which lines of the loop they interrupt, so its lines count together; runtime.asyncPreempt, which the
			// loop calls, has a share on a busy machine.
			share := 0.0
			for _, line := range regexp.MustCompile(`(?m)^ *\S+ +([\d.]+)% .* main\.burn .*program/main\.go:\d+`).FindAllStringSubmatch(out, -1) {
				percent, err := strconv.ParseFloat(line[1], 64)
				if err != nil {
					t.Fatal(err)
				}
				share += percent
			}
			if share < 80 {
				t.Errorf("the lines of main.burn have %.1f %% of the time, not nearly all, in\n%s", share, out)
			}
		}
		// Code it takes from the program: the lowest level's, or that of a file which has one (docs/tools.md).
		instructions := func(path string) int {
			output(t, at(level, exec.Command(path, "profile", profile)))
			out := output(t, exec.Command("go", "tool", "pprof", "-disasm", "main.burn", path, profile))
			return strings.Count(out, ";main.go:")
		}
		if n := instructions(path); (n > 3) != (level == goamd64.Min) {
			t.Errorf("pprof -disasm shows %d instructions", n)
		}
		if n := instructions(thin(t, level, path)); n <= 3 {
			t.Errorf("pprof -disasm shows %d instructions of what packer thin wrote", n)
		}
	})
}

// thin takes one level out of a packed file.
func thin(t *testing.T, level goamd64.Level, path string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	packer(t, "thin", "-level", level.String(), "-o", out, path)
	return out
}

// TestProc checks what /proc says of a process.
func TestProc(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		_, path := pack(t, level)
		pid := start(t, level, path)
		proc := fmt.Sprintf("/proc/%d/", pid)
		if exe, err := os.Readlink(proc + "exe"); err != nil || exe != path {
			t.Errorf("exe is %q (%v): want %q", exe, err, path)
		}
		if comm := string(probetest.Read(t, proc+"comm")); comm != "program\n" {
			t.Errorf("comm is %q", comm)
		}
		if cmdline := string(probetest.Read(t, proc+"cmdline")); cmdline != path+"\x00wait\x00" {
			t.Errorf("cmdline is %q", cmdline)
		}
		if out := packer(t, "which", strconv.Itoa(pid)); out != fmt.Sprintf("%d\t%v\tpacked\t%s\n", pid, level, path) {
			t.Errorf("packer which: %q", out)
		}
		checkMaps(t, string(probetest.Read(t, proc+"maps")), level, path)
	})
}

// checkMaps checks that executable pages in the level's slot are those of the
// file that its symbols are in, and writable ones the level's alone.
func checkMaps(t *testing.T, maps string, level goamd64.Level, path string) {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	slot := slots.Of(level)
	found := false
	for _, line := range strings.Split(maps, "\n") {
		var low, high, offset uint64
		var access, device, name string
		var inode uint64
		if n, _ := fmt.Sscanf(line, "%x-%x %s %x %s %d %s", &low, &high, &access, &offset, &device, &inode, &name); n < 6 || low >= 1<<31 {
			continue
		}
		if inode != 0 && name != path {
			t.Errorf("%q: want %s", line, path)
		}
		if access[1] == 'w' && inode != 0 && (low < slot.Base || low >= slot.Limit) && level != goamd64.Max && low < slots.Of(goamd64.Max).Base {
			t.Errorf("%q: writable, but not %v's", line, level)
		}
		for _, s := range symbols {
			if s.Name == "main.work" && s.Value >= low && s.Value < high && s.Value >= slot.Base && s.Value < slot.Limit {
				section := file.Sections[s.Section]
				if want := section.Offset + s.Value - section.Addr; access != "r-xp" || offset+s.Value-low != want {
					t.Errorf("main.work at %#x is in %q: want file offset %#x, r-xp", s.Value, line, want)
				}
				found = true
			}
		}
	}
	if !found {
		t.Errorf("main.work of %v is not mapped:\n%s", level, maps)
	}
}

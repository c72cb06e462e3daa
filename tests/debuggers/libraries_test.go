package debuggers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tests/probetest"
)

// TestSharedLibraries asks debuggers for the shared libraries of a process and of a core
// dump at each level: they are those that they find in the plain variant's.
func TestSharedLibraries(t *testing.T) {
	for _, k := range []*kind{withC, pieC} {
		t.Run(k.name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T, level goamd64.Level) {
				dir, path := k.pack(t, level)
				plain := filepath.Join(t.TempDir(), "program")
				if err := os.WriteFile(plain, probetest.Read(t, k.variants[level]), 0o755); err != nil {
					t.Fatal(err)
				}
				ask := func(dir, path string) map[string][]string {
					pid := strconv.Itoa(start(t, level, path))
					process, _ := combined(gdb(t, "-p", pid, "-ex", "info sharedlibrary"))
					checkMapped(t, pid, process)
					run := output(t, at(level, gdb(t, "-ex", "break main.inner", "-ex", "run", "-ex", "sharedlibrary", "-ex", "info sharedlibrary", path)))
					core, _ := combined(gdb(t, "-ex", "info sharedlibrary", path, coreDump(t, level, dir, path)))
					attached, _ := combined(delve(t, dir, []string{"attach", pid}, "libraries"))
					return map[string][]string{"gdb, process": libraries(process), "gdb, run": libraries(run), "gdb, core dump": libraries(core), "Delve": libraries(attached)}
				}
				want := ask(filepath.Dir(plain), plain)
				for where, got := range ask(dir, path) {
					if !slices.Equal(got, want[where]) || len(got) < 2 {
						t.Errorf("%s: %q: want those of the plain program, %q, two at least", where, got, want[where])
					}
				}
			})
		})
	}
}

// checkMapped fails the test unless each library in gdb's list is where the process has it.
func checkMapped(t *testing.T, pid, out string) {
	t.Helper()
	maps := string(probetest.Read(t, "/proc/"+pid+"/maps"))
	for _, found := range regexp.MustCompile(`(?m)^0x([0-9a-f]+) .*/(\S+)$`).FindAllStringSubmatch(out, -1) {
		from, err := strconv.ParseUint(found[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		inside := false
		for line := range strings.Lines(maps) {
			var low, high uint64
			fmt.Sscanf(line, "%x-%x", &low, &high)
			inside = inside || low <= from && from < high && strings.Contains(line, filepath.Base(found[2]))
		}
		if !inside {
			t.Errorf("gdb has %s at %#x, where the process has not:\n%s", found[2], from, maps)
		}
	}
}

// TestGdbLetsGo attaches gdb to a process, which goes on to a breakpoint while gdb is there
// and runs when gdb has left.
func TestGdbLetsGo(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		_, path := k.pack(t, level)
		pid := start(t, level, path)
		out := output(t, at(level, gdb(t, "-p", strconv.Itoa(pid), "-ex", "break runtime.nanotime1", "-ex", "continue", "-ex", "backtrace 2", "-ex", "delete")))
		want(t, out, "hit Breakpoint 1", "runtime.nanotime1")
		status := string(probetest.Read(t, fmt.Sprintf("/proc/%d/status", pid)))
		if !regexp.MustCompile(`(?m)^State:\t[RS]`).MatchString(status) {
			t.Errorf("gdb has left it as\n%sand said\n%s", status, out)
		}
	})
}

// libraries returns the shared libraries in a debugger's list.
func libraries(out string) []string {
	found := regexp.MustCompile(`/\S+\.so\.\d+`).FindAllString(out, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

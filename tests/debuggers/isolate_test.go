package debuggers_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
)

// TestIsolated serves another level than the one that runs: of a file that was
// packed with -isolate, no debugger shows a value.
func TestIsolated(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		_, usual := pack(t, level) // builds the variants
		dir := t.TempDir()
		path := filepath.Join(dir, "program")
		args := []string{"create", "-isolate", "-launcher", testenv.Launcher(t), "-o", path}
		for l, variant := range static.variants {
			args = append(args, l.String()+"="+variant)
		}
		packer(t, args...)
		packer(t, "verify", path)
		if out := output(t, at(level, exec.Command(path))); !strings.Contains(out, "level "+level.String()[1:]) {
			t.Errorf("it says %q", out)
		}
		for served := goamd64.Min; served <= goamd64.Max; served++ {
			packer(t, "debug", "-level", served.String(), path)
			args := append([]string{"-ex", "break main.inner", "-ex", "run"}, gdbPrintVariables...)
			out, _ := combined(at(level, gdb(t, append(args, path)...)))
			if served == level {
				want(t, out, gdbVariables(level)...)
			} else if shown := regexp.MustCompile(`(?m)^\$\d+ = `); shown.MatchString(out) {
				t.Errorf("gdb shows %v's data where %v runs:\n%s", served, level, out)
			}
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
		want(t, out, "input/output error")

		// Nor does gdb of a core dump. Delve does (docs/tools.md).
		core := coreDump(t, level, dir, path)
		said, err := exec.Command(testenv.Packer(t), "debug", "-core", core, usual).CombinedOutput()
		if want := "core: is of another build than " + usual + ": build id "; err == nil || !strings.Contains(string(said), want) {
			t.Errorf("packer debug of another file with the same code says %q: want %q", said, want)
		}
		for served := goamd64.Min; served <= goamd64.Max; served++ {
			packer(t, "debug", "-level", served.String(), path)
			// In quotes, for the frame is in assembly, whose language has no packages.
			out, _ := combined(gdb(t, "-ex", "print 'main.counter'", "-ex", "print 'main.total'", path, core))
			shown := regexp.MustCompile(`(?m)^\$\d+ = .*`).FindAllString(out, -1)
			if served == level && len(shown) != 2 || served != level && (len(shown) != 0 || strings.Count(out, "Cannot access memory") != 2) {
				t.Errorf("gdb shows %q of %v, the core dump is of %v:\n%s", shown, served, level, out)
			}
		}
	})
}

package debuggers_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func gdbVariables(level goamd64.Level) []string {
	return []string{
		fmt.Sprintf(" = %d\n", 7+10*level),
		fmt.Sprintf("\"level %d\"\n", level),
		fmt.Sprintf(" = %d\n", 1000+level),
		"go:itab.main.Square,main.Shape",
	}
}

var gdbPrintVariables = []string{"-ex", "print main.counter", "-ex", "print main.label", "-ex", "print main.total", "-ex", "print main.figure"}

func TestGdb(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		_, path := k.pack(t, level)
		args := append([]string{"-ex", "break main.inner", "-ex", "run", "-ex", "backtrace"}, gdbPrintVariables...)
		out := output(t, at(level, gdb(t, append(args, path)...)))
		want(t, out, gdbVariables(level)...)
		want(t, out, fmt.Sprintf("main.inner (n=%d", 7+10*level), "main.go:", "return local + 1", " in main.work (mode=", " in main.main ()")
		if strings.Contains(out, "CRC mismatch") || strings.Contains(out, "warning: ") && strings.Contains(out, "debug") {
			t.Errorf("gdb warns:\n%s", out)
		}
	})
}

// TestGdbWithoutCompanion checks that a breakpoint by name stops at every level
// with what is in the packed file alone, and that the backtrace names functions.
func TestGdbWithoutCompanion(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		dir := t.TempDir()
		pack(t, level)
		path := filepath.Join(dir, "alone")
		if err := os.WriteFile(path, probetest.Read(t, static.program), 0o755); err != nil {
			t.Fatal(err)
		}
		out := output(t, at(level, gdb(t, "-ex", "break main.inner", "-ex", "run", "-ex", "backtrace 2", path)))
		want(t, out, "Breakpoint 1")
		for _, name := range []string{"inner", "work"} { // gdb 13 takes them for D's, and writes main[inner]
			if !regexp.MustCompile(`#\d+ .*main[.\[]` + name + `\b`).MatchString(out) {
				t.Errorf("no main.%s in\n%s", name, out)
			}
		}
	})
}

func TestGdbCore(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		dir, path := k.pack(t, goamd64.Min)
		core := coreDump(t, level, dir, path)
		packer(t, "debug", "-core", core, path)
		// It stands in assembly, in whose language there are no packages.
		args := append([]string{"-ex", "backtrace", "-ex", "frame function main.crash"}, gdbPrintVariables...)
		out := output(t, gdb(t, append(args, path, core)...))
		want(t, out, gdbVariables(level)...)
		want(t, out, " in main.crash (", " in main.work (mode=", " in main.main ()", "main.go:")
	})
}

// TestGdbInC stops in C and looks for its callers, of which the packed file has
// nothing but at the lowest level, and for a variable of C's.
func TestGdbInC(t *testing.T) {
	for _, k := range []*kind{withC, pieC} {
		t.Run(k.name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T, level goamd64.Level) {
				_, path := k.pack(t, level)
				ask := func(path string) string {
					out := output(t, at(level, gdb(t, "-ex", "break c_inner", "-ex", "run", "-ex", "backtrace 5", "-ex", "next", "-ex", "next", "-ex", "print c_counter", path)))
					return strings.Join(regexp.MustCompile(`(?m)^#\d+ .*|^\$1 = .*`).FindAllString(out, -1), "\n")
				}
				address := regexp.MustCompile(`0x[0-9a-f]+`)
				got, plain := address.ReplaceAllString(ask(path), "0x"), address.ReplaceAllString(ask(k.variants[level]), "0x")
				if got != plain {
					t.Errorf("gdb says\n%s\nof the plain program\n%s", got, plain)
				}
				want(t, got, "c_inner (n=", fmt.Sprintf("in c_work (n=%d) at ", level), "c.go:18", "in runtime.asmcgocall () at ", fmt.Sprintf("$1 = %d", 7+level))
			})
		})
	}
}

// TestPackerRunsTheDebugger checks that what is started then is what is shown,
// whatever the environment asks for.
func TestPackerRunsTheDebugger(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		_, path := pack(t, goamd64.Min)
		args := []string{"debug", "-level", level.String(), path, "--"}
		args = append(args, gdb(t, append([]string{"-ex", "break main.inner", "-ex", "run"}, append(gdbPrintVariables, path)...)...).Args...)
		out := output(t, at(goamd64.Min, exec.Command(testenv.Packer(t), args...)))
		want(t, out, gdbVariables(level)...)
	})
}

// TestByBuildID has companions in a folder for debug files, where they are found by
// the build id of a file that is elsewhere.
func TestByBuildID(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		k.build(t)
		path := filepath.Join(t.TempDir(), "moved")
		if err := os.WriteFile(path, probetest.Read(t, k.program), 0o755); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		packer(t, "debug", "-o", dir, "-level", level.String(), path)
		args := append([]string{"-iex", "set debug-file-directory " + dir, "-ex", "break main.inner", "-ex", "run"}, gdbPrintVariables...)
		want(t, output(t, at(level, gdb(t, append(args, path)...))), gdbVariables(level)...)

		config := filepath.Join(dir, "dlv", "config.yml")
		if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config, []byte("debug-info-directories: ["+dir+"]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := at(level, delve(t, dir, []string{"exec", path}, append([]string{"break main.inner", "continue"}, printVariables...)...))
		cmd.Env = append(cmd.Env, "XDG_CONFIG_HOME="+dir)
		want(t, output(t, cmd), variables(level)...)
	})
}

// TestPackerFindsTheLevel checks that a process or core dump among a debugger's
// arguments says which level it shows.
func TestPackerFindsTheLevel(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		dir, path := pack(t, goamd64.Min)
		other := level%goamd64.Max + 1 // the one that would start
		run := func(want string, debugger *exec.Cmd) string {
			out, _ := combined(at(other, exec.Command(testenv.Packer(t), append([]string{"debug", path, "--"}, debugger.Args...)...)))
			if !strings.Contains(out, fmt.Sprintf("debuggers see %v (%s", level, want)) {
				t.Errorf("no %q in\n%s", want, out)
			}
			return out
		}
		core := coreDump(t, level, dir, path)
		want(t, run(core+" is of it", gdb(t, append(append([]string{"-ex", "frame function main.crash"}, gdbPrintVariables...), path, core)...)), gdbVariables(level)...)
		want(t, run(core+" is of it", gdb(t, append(append([]string{"--core=" + core, "-ex", "frame function main.crash"}, gdbPrintVariables...), path)...)), gdbVariables(level)...)
		want(t, run(core+" is of it", delve(t, dir, []string{"core", path, core}, printVariables...)), variables(level)...)
		pid := strconv.Itoa(start(t, level, path))
		want(t, run("process "+pid+" runs it", delve(t, dir, []string{"attach", pid}, printVariables...)), variables(level)...)
	})
}

// TestCoreInLibrary has C abort: its one thread is in libc then, and the stack alone says
// which level called it.
func TestCoreInLibrary(t *testing.T) {
	gcc, dir := testenv.Tool(t, "gcc"), t.TempDir()
	source := filepath.Join(dir, "aborts.c")
	if err := os.WriteFile(source, []byte("#include <stdlib.h>\nint answer = 40 + LEVEL;\nint main(void) { abort(); }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "app")
	args := []string{"create", "-launcher", testenv.Launcher(t), "-o", path}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		variant := filepath.Join(dir, level.String())
		output(t, exec.Command(gcc, "-g", "-fPIE", "-pie", fmt.Sprintf("-DLEVEL=%d", level), "-o", variant, source))
		args = append(args, level.String()+"="+variant)
	}
	output(t, exec.Command(testenv.Packer(t), args...))
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		core := filepath.Join(dir, "core."+level.String())
		combined(at(level, gdb(t, "-ex", "run", "-ex", "generate-core-file "+core, path)))
		got := output(t, exec.Command(testenv.Packer(t), append([]string{"debug", path, "--"}, gdb(t, "-ex", "print answer", path, core).Args...)...))
		want(t, got, fmt.Sprintf("debuggers see %v (%s is of it", level, core), fmt.Sprintf("$1 = %d", 40+int(level)))
	})
}

// Package debuggers_test looks at running, crashed and profiled packed programs
// with the tools that people use on plain ones.
package debuggers_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// kind is a way to link the program.
type kind struct {
	name     string
	link     testenv.Link
	once     sync.Once
	variants map[goamd64.Level]string
	program  string
}

var (
	static = &kind{name: "static", link: testenv.Link{Env: []string{"CGO_ENABLED=0"}}}
	pie    = &kind{name: "PIE", link: testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true}}
	withC  = &kind{name: "with C", link: testenv.Link{Env: []string{"CGO_ENABLED=1"}, Flags: []string{"-tags=withc"}, LDFlags: "-linkmode=external", Extld: "-no-pie"}}
	pieC   = &kind{name: "PIE with C", link: testenv.Link{Env: []string{"CGO_ENABLED=1"}, Flags: []string{"-tags=withc", "-buildmode=pie"}, LDFlags: "-linkmode=external", NoSlot: true}}
)

// eachKind runs a test with programs that are linked in different ways, at every
// level that this machine runs.
func eachKind(t *testing.T, test func(t *testing.T, k *kind, level goamd64.Level)) {
	for _, k := range []*kind{static, pie, pieC} {
		t.Run(k.name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T, level goamd64.Level) { test(t, k, level) })
		})
	}
}

func (k *kind) build(t *testing.T) {
	t.Helper()
	if k.link.LDFlags != "" {
		testenv.Tool(t, "gcc")
	}
	k.once.Do(func() {
		k.variants = map[goamd64.Level]string{}
		link := k.link
		link.Basename = strings.ReplaceAll(k.name, " ", "-")
		link.Flags = append([]string{"-trimpath=false"}, link.Flags...) // so that debuggers find the source
		for l := goamd64.Min; l <= goamd64.Max; l++ {
			k.variants[l] = testenv.Build(t, "./tests/debuggers/program", l, link)
		}
		k.program = testenv.Pack(t, link.Basename+"-program", k.variants)
	})
}

// pack returns a folder with the packed program of this package, called program,
// and its companions, of which debuggers find the one for level.
func (k *kind) pack(t *testing.T, level goamd64.Level) (dir, path string) {
	t.Helper()
	k.build(t)
	dir = t.TempDir()
	path = filepath.Join(dir, "program")
	if err := os.WriteFile(path, probetest.Read(t, k.program), 0o755); err != nil {
		t.Fatal(err)
	}
	packer(t, "debug", "-level", level.String(), path)
	return dir, path
}

func pack(t *testing.T, level goamd64.Level) (dir, path string) {
	t.Helper()
	return static.pack(t, level)
}

func packer(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, exec.Command(testenv.Packer(t), args...))
}

// eachLevel runs a test at every level that this machine runs.
func eachLevel(t *testing.T, test func(t *testing.T, level goamd64.Level)) {
	if best := probetest.MachineLevel(t); best < goamd64.Max {
		t.Logf("skipped: levels above %v, which this CPU does not run", best)
	}
	for _, level := range probetest.Runnable(t) {
		t.Run(level.String(), func(t *testing.T) { test(t, level) })
	}
}

// at makes a command start packed programs at a level, and its output plain.
func at(level goamd64.Level, cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), "TERM=dumb", "LC_ALL=C", "GOTRACEBACK=single")
	if level != byCPU {
		cmd.Env = append(cmd.Env, "GOMULTIARCH=level="+level.String())
	}
	return cmd
}

// byCPU stands for the level that the CPU chooses.
const byCPU goamd64.Level = 0

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// output runs a command to its end, which must come soon, and returns what it
// prints.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := combined(cmd)
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
	return out
}

func combined(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	go func() {
		<-ctx.Done()
		if ctx.Err() == context.DeadlineExceeded {
			cmd.Process.Kill()
		}
	}()
	err := cmd.Wait()
	return colour.ReplaceAllString(out.String(), ""), err
}

// want fails the test unless text has all parts.
func want(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// start starts the program so that it waits, and returns its number.
func start(t *testing.T, level goamd64.Level, path string) int {
	t.Helper()
	cmd := at(level, exec.Command(path, "wait"))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "waiting\n" {
		t.Fatalf("it said %q (%v)", line, err)
	}
	return cmd.Process.Pid
}

// coreDump makes the program crash and returns its core dump: the kernel's where
// it is left beside the program, else one that gdb writes at the same moment.
func coreDump(t *testing.T, level goamd64.Level, dir, path string) string {
	t.Helper()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err == nil && strings.TrimSpace(string(pattern)) == "core" {
		cmd := at(level, exec.Command("sh", "-c", "ulimit -c unlimited && exec ./program crash"))
		cmd.Dir = dir
		cmd.Env = append(cmd.Env, "GOTRACEBACK=crash")
		out, err := combined(cmd)
		if err == nil {
			t.Fatalf("it did not crash:\n%s", out)
		}
		found, err := filepath.Glob(filepath.Join(dir, "core*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("core dumps: %q (%v): want one", found, err)
		}
		return found[0]
	}
	core := filepath.Join(dir, "core")
	cmd := at(level, gdb(t, "-ex", "run", "-ex", "continue", "-ex", "generate-core-file "+core, "--args", path, "crash"))
	cmd.Env = append(cmd.Env, "GOTRACEBACK=crash")
	output(t, cmd)
	return core
}

// gdb returns a gdb without anybody's settings.
func gdb(t *testing.T, args ...string) *exec.Cmd {
	return exec.Command(testenv.Tool(t, "gdb"), append([]string{"-nx", "-batch", "-iex", "set auto-load no", "-iex", "set debuginfod enabled off"}, args...)...)
}

// delve returns a dlv that carries out commands and exits.
func delve(t *testing.T, dir string, args []string, commands ...string) *exec.Cmd {
	t.Helper()
	script := filepath.Join(dir, "commands")
	if err := os.WriteFile(script, []byte(strings.Join(append(commands, "exit"), "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testenv.Tool(t, "dlv"), append(args, "--allow-non-terminal-interactive=true", "--init", script)...)
	return cmd
}

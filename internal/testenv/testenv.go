// Package testenv gives tests the programs they work on: those that Bazel built
// and names in environment variables, or, under plain "go test", ones that it
// builds with the go command.
package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rules_go_multiarch/internal/goamd64"
)

const module = "rules_go_multiarch"

// BootEntry is the linker's name of the launcher's entry point.
const BootEntry = module + "/launcher/boot.entry"

// Program is a program of this repository in all its forms.
type Program struct {
	Packed   string
	Variants map[goamd64.Level]string
}

// Launcher returns the linked launcher.
func Launcher(t testing.TB) string {
	return tool(t, "LAUNCHER", "./launcher/program", "-ldflags=-E "+BootEntry)
}

// Packer returns the packer.
func Packer(t testing.TB) string { return tool(t, "PACKER", "./tools/packer") }

// Confine returns the program of tests/environments/confine.
func Confine(t testing.TB) string { return tool(t, "CONFINE", "./tests/environments/confine") }

// Probe returns the program of tests/probe, built and packed at all levels.
func Probe(t testing.TB) Program {
	t.Helper()
	p := Program{Variants: map[goamd64.Level]string{}}
	if path := fromBazel(t, "PROBE"); path != "" {
		p.Packed = path
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			p.Variants[level] = fromBazel(t, "PROBE_"+strings.ToUpper(level.String()))
		}
		return p
	}
	probeMutex.Lock()
	defer probeMutex.Unlock()
	if probe == "" {
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			variants[level] = Build(t, "./tests/probe", level, Link{Env: []string{"CGO_ENABLED=0"}})
		}
		probe = Pack(t, "probe_multi", variants)
	}
	return Program{Packed: probe, Variants: variants}
}

// What Probe built in this process.
var (
	probeMutex sync.Mutex
	probe      string
	variants   = map[goamd64.Level]string{}
)

// Qemu returns qemu-user for x86-64: $QEMU_X86_64, or the one on PATH. Without
// one the test is skipped, or fails when $RULES_GO_MULTIARCH_CI is set.
func Qemu(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("QEMU_X86_64"); path != "" {
		return path
	}
	for _, name := range []string{"qemu-x86_64", "qemu-x86_64-static"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("RULES_GO_MULTIARCH_CI") != "" {
		t.Fatal("no qemu-user: CI needs qemu-x86_64 on PATH or in $QEMU_X86_64")
	}
	t.Skip("skipped: no qemu-user")
	return ""
}

func tool(t testing.TB, variable, pkg string, flags ...string) string {
	t.Helper()
	if path := fromBazel(t, variable); path != "" {
		return path
	}
	out := filepath.Join(buildDir(t), filepath.Base(pkg))
	goBuild(t, out, pkg, []string{"GOAMD64=v1", "CGO_ENABLED=0"}, flags...)
	return out
}

// fromBazel returns the file whose runfiles path an environment variable has.
func fromBazel(t testing.TB, variable string) string {
	t.Helper()
	value := os.Getenv("TESTENV_" + variable)
	if value == "" {
		return ""
	}
	path := filepath.Join(os.Getenv("TEST_SRCDIR"), value)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("$TESTENV_%s: %v", variable, err)
	}
	return path
}

var (
	mutex sync.Mutex
	dir   string
	built = map[string]bool{}
)

// Main runs a package's tests and removes what they built. Packages whose tests
// build programs call it from TestMain.
func Main(m *testing.M) {
	status := m.Run()
	if dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// buildDir returns a folder for what tests of this process build.
func buildDir(t testing.TB) string {
	t.Helper()
	mutex.Lock()
	defer mutex.Unlock()
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", module); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func goBuild(t testing.TB, out, pkg string, env []string, flags ...string) {
	t.Helper()
	mutex.Lock()
	defer mutex.Unlock()
	if built[out] {
		return
	}
	args := append([]string{"build", "-trimpath", "-o", out}, flags...)
	env = append([]string{"GOOS=linux", "GOARCH=amd64"}, env...)
	run(t, env, "go", append(args, module+strings.TrimPrefix(pkg, "."))...)
	built[out] = true
}

func run(t testing.TB, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// Tool returns a program that tests look into files and processes with: the one
// that an environment variable names ($TOOL_EU_ELFLINT for eu-elflint), or the
// one on PATH. Without it the test is skipped, or fails when $RULES_GO_MULTIARCH_CI is
// set.
func Tool(t testing.TB, name string) string {
	t.Helper()
	variable := "TOOL_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("RULES_GO_MULTIARCH_CI") != "" {
		t.Fatalf("no %s: CI needs it on PATH or in $%s", name, variable)
	}
	t.Skipf("skipped: no %s", name)
	return ""
}

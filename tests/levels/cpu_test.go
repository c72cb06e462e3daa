// Package levels_test is run by go_multiarch_test, and finds out at which level.
package levels_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/tests/levels/compiled"
)

// child makes the test print the level of its CPU, as a process that a test
// started.
const child = "TESTS_LEVELS_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		fmt.Printf("v%d\n", cpuid.CPU.X64Level())
		return
	}
	os.Exit(m.Run())
}

// TestCompiled needs the level in the test's name, where Bazel runs it.
func TestCompiled(t *testing.T) {
	t.Logf("compiled for %s, on a CPU of level v%d", compiled.Level, cpuid.CPU.X64Level())
	if target := os.Getenv("TEST_TARGET"); target != "" && !strings.HasSuffix(target, "_"+compiled.Level) {
		t.Errorf("%s was compiled for %s", target, compiled.Level)
	}
}

// TestCPU is where rules_go has started the test once more, to write XML.
func TestCPU(t *testing.T) { checkCPU(t, cpuid.CPU.X64Level()) }

// TestCPUOfChild starts the test as many tests of command-line programs do.
func TestCPUOfChild(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("starting itself: %v", err)
	}
	var level int
	if _, err := fmt.Sscanf(string(out), "v%d", &level); err != nil {
		t.Fatalf("the child prints %q", out)
	}
	checkCPU(t, level)
}

// checkCPU wants the very level where an emulator has no more than that.
func checkCPU(t *testing.T, got int) {
	t.Helper()
	var want int
	if _, err := fmt.Sscanf(compiled.Level, "v%d", &want); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("EMULATED") == "" && got >= want || got == want {
		return
	}
	t.Errorf("compiled for %s, on a CPU of level v%d", compiled.Level, got)
}

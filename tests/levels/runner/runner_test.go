// Package runner_test starts tests that go_multiarch_test made the way Bazel
// starts them, on CPUs that this machine may not have.
package runner_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

func TestMain(m *testing.M) {
	if os.Getenv("TEST_SRCDIR") == "" {
		fmt.Println("no tests without Bazel: ./bazelw test //tests/levels/runner/...")
		return
	}
	os.Exit(m.Run())
}

// outcome is what a test left when it ended.
type outcome struct {
	log    string
	failed bool
	report struct {
		Suites []struct {
			Skipped int `xml:"skipped,attr"`
			Cases   []struct {
				Name    string `xml:"name,attr"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
}

// start starts the test whose runfiles path a variable has, on a CPU that is
// emulated, or on this machine's.
func start(t *testing.T, variable, cpu string, env ...string) outcome {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("$%s is not set", variable)
	}
	path = filepath.Join(os.Getenv("TEST_SRCDIR"), path)
	args := []string{path}
	if cpu != "" {
		args = append([]string{testenv.Qemu(t), "-cpu", cpu}, args...)
	}
	report := filepath.Join(t.TempDir(), "test.xml")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append([]string{"XML_OUTPUT_FILE=" + report, "GO_TEST_RUN_FROM_BAZEL=1", "GO_TEST_WRAP_TESTV=1", "PATH=" + os.Getenv("PATH")}, env...)
	cmd.Dir = filepath.Join(os.Getenv("TEST_SRCDIR"), os.Getenv("TEST_WORKSPACE"))
	out, err := cmd.CombinedOutput()
	o := outcome{log: string(out), failed: err != nil}
	text, err := os.ReadFile(report)
	if err == nil {
		err = xml.Unmarshal(text, &o.report)
	}
	if err != nil && !o.failed {
		t.Fatalf("%v in\n%s%s", err, text, out)
	}
	return o
}

func contains(t *testing.T, o outcome, want string) {
	t.Helper()
	if !strings.Contains(o.log, want) {
		t.Errorf("no %q in\n%s", want, o.log)
	}
}

// TestLesserCPU starts a test of v3 on a CPU of level v2. It has to be emulated,
// also where it starts itself again, and says so.
func TestLesserCPU(t *testing.T) {
	o := start(t, "CPU_V3", "Nehalem", "EMULATED=1")
	if o.failed {
		t.Errorf("failed:\n%s", o.log)
	}
	contains(t, o, "//tests/levels:cpu_test_v3 runs in ")
	contains(t, o, " -cpu Haswell-noTSX: this CPU runs v2 at most\n")
	contains(t, o, "compiled for v3, on a CPU of level v3")
	if strings.Count(o.log, " runs in ") != 1 {
		t.Errorf("says more than once that it is emulated:\n%s", o.log)
	}
	names := map[string]bool{}
	for _, s := range o.report.Suites {
		for _, c := range s.Cases {
			names[c.Name] = c.Skipped == nil
		}
	}
	if !names["TestCompiled"] || !names["TestCPU"] || !names["TestCPUOfChild"] {
		t.Errorf("XML has %v, want every test, and none skipped", names)
	}
}

// TestNativeCPU starts a test of v1 where there is nothing to emulate.
func TestNativeCPU(t *testing.T) {
	o := start(t, "CPU_V1", "")
	if o.failed || strings.Contains(o.log, " runs in ") {
		t.Errorf("failed, or emulated a CPU:\n%s", o.log)
	}
}

// TestNoCPU starts a test of v4 on a CPU of level v2. qemu's translator has no
// AVX-512, so nothing can run it.
func TestNoCPU(t *testing.T) {
	const reason = "this CPU runs v2 at most, and the emulator has no CPU of level v4"
	o := start(t, "CPU_V4", "Nehalem")
	if o.failed {
		t.Errorf("failed:\n%s", o.log)
	}
	contains(t, o, "--- SKIP: //tests/levels:cpu_test_v4\n    "+reason+"\n")
	s := o.report.Suites
	if len(s) != 1 || s[0].Skipped != 1 || len(s[0].Cases) != 1 || s[0].Cases[0].Skipped == nil || s[0].Cases[0].Skipped.Message != reason {
		t.Errorf("XML does not say that it is skipped: %+v", s)
	}
}

// TestNever starts a test that may not be emulated.
func TestNever(t *testing.T) {
	contains(t, start(t, "NEVER_V3", "Nehalem"),
		"--- SKIP: //tests/levels:never_test_v3\n    this CPU runs v2 at most, and emulate = \"never\"\n")
}

// TestSkippedByItself starts a test that no machine can run.
func TestSkippedByItself(t *testing.T) {
	contains(t, start(t, "NO_CPU_V4", ""),
		"--- SKIP: //tests/levels:no_cpu_test_v4\n    emulate = \"always\", and the emulator has no CPU of level v4\n")
}

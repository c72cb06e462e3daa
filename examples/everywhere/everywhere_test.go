package everywhere_test

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"os"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

func TestLinuxOnX86(t *testing.T) {
	path := locate(t, "LINUX_AMD64")
	if got := machine(t, path); got != elf.EM_X86_64 {
		t.Errorf("it is for %s, want %s", got, elf.EM_X86_64)
	}
	if got := builds(t, path); got < 4 {
		t.Errorf("it holds the program %d times, want once a level", got)
	}
}

func TestLinuxOnARM(t *testing.T) {
	path := locate(t, "LINUX_ARM64")
	if got := machine(t, path); got != elf.EM_AARCH64 {
		t.Errorf("it is for %s, want %s", got, elf.EM_AARCH64)
	}
	if got := builds(t, path); got != 1 {
		t.Errorf("it holds the program %d times, want once", got)
	}
}

func TestMacOS(t *testing.T) {
	path := locate(t, "DARWIN_ARM64")
	file, err := macho.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Cpu != macho.CpuArm64 {
		t.Errorf("it is for %s, want %s", file.Cpu, macho.CpuArm64)
	}
	if got := builds(t, path); got != 1 {
		t.Errorf("it holds the program %d times, want once", got)
	}
}

func machine(t *testing.T, path string) elf.Machine {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return file.Machine
}

// builds counts how often Go's build information stands in a file.
func builds(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("\xff Go buildinf:"))
}

func locate(t *testing.T, variable string) string {
	t.Helper()
	path, err := runfiles.Rlocation(os.Getenv(variable))
	if err != nil {
		t.Fatalf("looking for $%s: %v", variable, err)
	}
	return path
}

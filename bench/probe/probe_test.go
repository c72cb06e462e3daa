package probe

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

func TestProbesRun(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the programs are for Linux on x86-64")
	}
	for name, program := range map[string][]byte{"exit": Exit(), "cpuid": CPUID(1), "cpuid twice": CPUID(2)} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, program, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command(path).Run(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTargets builds for another architecture and for another system.
func TestTargets(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/target\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		os, arch, variable, level string
	}{
		{"linux", "arm64", "GOARM64", "v8.1,lse"},
		{"windows", "amd64", "GOAMD64", "v3"},
	} {
		out := filepath.Join(dir, "out")
		cmd := exec.Command("go", "build", "-o", out)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+test.os, "GOARCH="+test.arch, test.variable+"="+test.level)
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%+v: %v\n%s", test, err, output)
		}
		if x, err := read(t, out); err != nil || x.OS != test.os || x.Arch != test.arch || x.Level != test.level {
			t.Errorf("%+v: %+v (%v)", test, x, err)
		}
	}
}

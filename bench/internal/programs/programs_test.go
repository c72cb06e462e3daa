package programs

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestLauncherFlags checks that the launcher still has what CPULevel changes.
func TestLauncherFlags(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &Set{Options: Options{Dir: t.TempDir(), CPULevel: 3}, root: root}
	flags, err := s.launcherFlags()
	if err != nil {
		t.Fatal(err)
	}
	if len(flags) != 2 || flags[0] != "-overlay" {
		t.Errorf("flags %q: want -overlay and a file", flags)
	}
	text, err := os.ReadFile(s.Path("cpu.go"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte("\treturn min(levelOf(&f), 3)\n"); !bytes.Contains(text, want) {
		t.Errorf("cpu.go:\n%s\nwant a line %q", text, want)
	}
}

package tools_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestToolsThatWrite lets tools that change executables have a go at the packed
// file. After each of them it runs at every level, and "packer verify" says what
// is different.
func TestToolsThatWrite(t *testing.T) { toolsThatWrite(t, testenv.Probe(t).Packed) }

func toolsThatWrite(t *testing.T, packed string) {
	moved := []string{"bytes, it was packed with", "its levels were moved in the file"}
	nameless := append(moved, "it has no symbol table")
	for _, test := range []struct {
		command string
		want    []string // what is said of the file, or nothing: it is as it was
	}{
		{"strip FILE", nameless},
		{"strip -g FILE", moved},
		{"strip --strip-unneeded FILE", nameless},
		{"objcopy FILE", moved},
		{"objcopy --remove-section=.gnu_debuglink FILE", append(moved, "debuggers are not led to its debug file")},
		{"objcopy --only-keep-debug FILE OTHER", nil},
		{"dd if=/proc/version of=FILE oflag=append conv=notrunc", []string{"bytes were appended to it"}},
		{"eu-strip FILE", []string{"has lost its manifest"}},
		{"patchelf --print-interpreter FILE", nil},
		{"patchelf --print-needed FILE", nil},
		{"patchelf --print-rpath FILE", nil},
		{"patchelf --print-soname FILE", nil},
		{"debugedit --base-dir=/ --dest-dir=/usr/src FILE", nil},
		{"debugedit --build-id FILE", nil},
		{"dwz FILE", nil},
	} {
		t.Run(test.command, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "app")
			before := probetest.Read(t, packed)
			if err := os.WriteFile(path, before, 0o755); err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(strings.NewReplacer("FILE", path, "OTHER", path+".other").Replace(test.command))
			cmd := exec.Command(testenv.Tool(t, words[0]), words[1:]...)
			// Some end with a status of their own: nothing to do in a file without
			// DWARF, no interpreter in a static one.
			if out, err := cmd.CombinedOutput(); err != nil && test.want != nil {
				t.Fatalf("%q: %v\n%s", words, err, out)
			}
			verify := exec.Command(testenv.Packer(t), "verify", path)
			said, err := verify.CombinedOutput()
			if test.want == nil && (err != nil || !bytes.Equal(before, probetest.Read(t, path))) {
				t.Errorf("the file was changed: %s", said)
			}
			for _, want := range test.want {
				if err == nil || !strings.Contains(string(said), want) {
					t.Errorf("packer verify does not say %q:\n%s", want, said)
				}
			}
			probetest.EachLevel(t, func(t *testing.T, force string) {
				got := probetest.Start(t, exec.Command(path), force).Report(t)
				if got.Level != force[len(force)-2:] {
					t.Errorf("started %s with %s", got.Level, force)
				}
			})
		})
	}
}

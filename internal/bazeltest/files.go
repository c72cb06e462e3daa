package bazeltest

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files returns the contents of the files that targets build, by path below
// the execution root. Bazel has to have built them, with the same flags.
func (w Workspace) Files(t testing.TB, targets []string, flags ...string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	w.readOutputs(t, targets, flags, func(path string, text []byte) { files[path] = text })
	return files
}

// Sums returns the SHA-256 of the files that targets build, as Files does. Of a
// folder it has all files.
func (w Workspace) Sums(t testing.TB, targets []string, flags ...string) map[string][sha256.Size]byte {
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	w.readOutputs(t, targets, flags, func(path string, text []byte) { sums[path] = sha256.Sum256(text) })
	return sums
}

func (w Workspace) readOutputs(t testing.TB, targets, flags []string, each func(path string, text []byte)) {
	t.Helper()
	root := strings.TrimSpace(w.Bazel(t, "info", "execution_root"))
	args := append([]string{"cquery", "--output=files", strings.Join(targets, " + ")}, flags...)
	outputs := strings.Fields(w.Bazel(t, args...))
	if len(outputs) == 0 {
		t.Fatalf("%v: no output", targets)
	}
	for _, output := range outputs {
		err := filepath.WalkDir(filepath.Join(root, output), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			each(name, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

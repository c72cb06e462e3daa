package conventions_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// walk calls a function with every file of the checkout, by its path in there.
func walk(t *testing.T, file func(path string)) {
	t.Helper()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case entry.Type().IsRegular():
			file(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoWorkspace wants modules, and nothing beside them.
func TestNoWorkspace(t *testing.T) {
	modules := 0
	walk(t, func(path string) {
		switch name := filepath.Base(path); {
		case name == "MODULE.bazel":
			modules++
		case strings.HasPrefix(name, "WORKSPACE"):
			t.Errorf("%s is there", path)
		}
	})
	if modules < 2 {
		t.Errorf("%d modules, want more", modules)
	}
}

var printing = regexp.MustCompile(`(?m)^[^#"]*\bprint\(`)

// TestNothingPrints wants Bazel to print nothing of ours when it loads and
// analyses everything for the first time, and no file to be able to.
func TestNothingPrints(t *testing.T) {
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".bzl") && !strings.HasSuffix(path, ".bazel") {
			return
		}
		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		if m := printing.Find(text); m != nil {
			t.Errorf("%s prints: %s", path, m)
		}
	})
	for name, w := range modules(t) {
		w.Bazel(t, "shutdown") // it would not load again what another test had it load
		_, stderr, err := w.Run("build", "--nobuild", "//...")
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, stderr)
		}
		for _, line := range strings.Split(stderr, "\n") {
			switch {
			case !strings.Contains(line, "DEBUG: ") && !strings.Contains(line, "WARNING: "):
			case strings.Contains(line, "WARNING: Download from "):
				// Where nothing can be downloaded.
			default:
				t.Errorf("%s: analysing //... prints %s", name, line)
			}
		}
	}
}

// TestLoadVisibility loads each file of private/ from a package that has no
// business there.
func TestLoadVisibility(t *testing.T) {
	w := modules(t)["examples"]
	files, err := filepath.Glob("../../private/*.bzl")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files in private/ (%v)", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		bazeltest.Write(t, filepath.Join(w.Dir, "loads", name, "BUILD.bazel"), fmt.Sprintf("load(\"@rules_go_multiarch//private:%s\", \"anything\")\n", name))
	}
	defer os.RemoveAll(filepath.Join(w.Dir, "loads"))
	stderr := w.Fails(t, "query", "--keep_going", "//loads/...")
	for _, file := range files {
		want := fmt.Sprintf("//private:%s is not visible for loading from package //loads/%[1]s", filepath.Base(file))
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
}

package conventions_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

var bazelDep = regexp.MustCompile(`(?m)^bazel_dep\(\s*name = "([a-z_]+)",\s*version = "([0-9.]+)"(.*)\)$`)

// TestVersionsOfDependencies wants what we and the examples depend on directly
// not to be older than what rules_go asks for: Bazel warns of that, where versions
// come from a registry.
func TestVersionsOfDependencies(t *testing.T) {
	w := examples(t)
	w.Bazel(t, "query", "@rules_go//go:def.bzl")
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(w.Bazel(t, "info", "output_base")), "external", "rules_go[~+]", "MODULE.bazel"))
	if err != nil || len(files) != 1 {
		t.Fatalf("MODULE.bazel of rules_go is %q (%v)", files, err)
	}
	versions := func(file string, dev bool) map[string]string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, m := range bazelDep.FindAllStringSubmatch(string(text), -1) {
			if dev || !strings.Contains(m[3], "dev_dependency") {
				all[m[1]] = m[2]
			}
		}
		return all
	}
	theirs := versions(files[0], false)
	for _, file := range []string{"../../MODULE.bazel", "../../examples/MODULE.bazel"} {
		compared := 0
		for name, version := range versions(file, true) {
			if want := theirs[name]; want != "" {
				compared++
				if slices.Compare(numbers(t, version), numbers(t, want)) < 0 {
					t.Errorf("%s has %s %s, rules_go asks for %s", file, name, version, want)
				}
			}
		}
		if compared < 3 {
			t.Errorf("%s has %d modules that rules_go has, want more", file, compared)
		}
	}
}

// numbers returns what is between the dots of a version.
func numbers(t *testing.T, version string) (all []int) {
	t.Helper()
	for _, part := range strings.Split(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

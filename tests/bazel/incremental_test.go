package bazel_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestIncremental pins which actions run after a change, beside those of Bazel
// itself.
func TestIncremental(t *testing.T) {
	w := elsewhere(t)
	w.Build(t, packed...)
	const (
		packs = "GoMultiarchPack //tests/bazel/programs:"
		tests = "//tests/bazel/programs"
	)
	packAll := map[string]int{packs + "four_levels": 1, packs + "two_levels": 1, packs + "other_two_levels": 1}
	for _, c := range []struct {
		name, file, old, new string
		want                 map[string]int
	}{
		{"nothing", "tests/bazel/programs/main.go", "", "", map[string]int{}},
		{"comment", "tests/bazel/programs/main.go", "// A program", "// The program", map[string]int{
			// It compiles to the same bytes.
			"GoCompilePkg " + tests + ":program": 4,
		}},
		{"package", "tests/bazel/programs/greeting/greeting.go", "compiled", "made", map[string]int{
			// What it exports is the same, so that what imports it is not compiled.
			"GoCompilePkg " + tests + "/greeting:greeting": 4,
			"GoLink " + tests + ":program":                 4,
			"GoLink " + tests + "/other:other":             2,
			packs + "four_levels":                          1,
			packs + "two_levels":                           1,
			packs + "other_two_levels":                     1,
		}},
		{"launcher", "launcher/program/main.go", "func main() {", "func init() { println() }\n\nfunc main() {", with(packAll, map[string]int{
			"GoCompilePkg //launcher/program:program": 1,
			"GoLink //launcher/program:program":       1,
			// For "packer build", which has no Bazel, it carries the sources.
			"GoCompilePkg //launcher:launcher": 1,
			"GoLink //tools/packer:pack":       1,
		})},
		{"packer", "tools/packer/main.go", "memoryAim = 40", "memoryAim = 41", with(packAll, map[string]int{
			"GoCompilePkg //tools/packer:pack": 1,
			"GoLink //tools/packer:pack":       1,
		})},
	} {
		edit(t, filepath.Join(w.Dir, c.file), c.old, c.new)
		got := w.Build(t, packed...).Names()
		delete(got, "BazelWorkspaceStatusAction ")
		if !maps.Equal(got, c.want) {
			t.Errorf("after a change to %s, %s, these actions ran:\n%v\nwant\n%v", c.name, c.file, got, c.want)
		}
	}

	// The flag leaves one level, which is the same as it was among the others.
	one := append([]string{"--@rules_go_multiarch//settings:levels=v3"}, packed...)
	for name := range w.Build(t, one...).Names() {
		if strings.HasPrefix(name, "Go") && packAll[name] == 0 {
			t.Errorf("with one level alone %s ran, which was there", name)
		}
	}
	edit(t, filepath.Join(w.Dir, "tests/bazel/programs/greeting/greeting.go"), "made", "built")
	got := w.Build(t, one...).Names()
	delete(got, "BazelWorkspaceStatusAction ")
	want := with(packAll, map[string]int{
		"GoCompilePkg " + tests + "/greeting:greeting": 1,
		"GoLink " + tests + ":program":                 1,
		"GoLink " + tests + "/other:other":             1,
	})
	if !maps.Equal(got, want) {
		t.Errorf("with one level alone, after a change to a package, these actions ran:\n%v\nwant\n%v", got, want)
	}
}

func with(a, b map[string]int) map[string]int {
	c := maps.Clone(a)
	maps.Copy(c, b)
	return c
}

// edit replaces the first old in a file, which has to have it.
func edit(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if old == "" {
		return
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s: no %q in it", path, old)
	}
	t.Cleanup(func() { bazeltest.Write(t, path, string(text)) })
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
}

package conventions_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOtherPlatforms builds everything for other systems: what can be packed is
// the plain program there, and what cannot be built is said to be incompatible.
func TestOtherPlatforms(t *testing.T) {
	for name, w := range modules(t) {
		for _, platform := range []string{"linux_arm64", "darwin_arm64"} {
			t.Run(name+"/"+platform, func(t *testing.T) {
				w.Bazel(t, "build", "--platforms=@rules_go//go/toolchain:"+platform, "//...")
			})
		}
	}
}

// TestOldRulesGo has a rules_go in the build that says it is too old.
func TestOldRulesGo(t *testing.T) {
	w := modules(t)["rules_go_multiarch"]
	base := strings.TrimSpace(w.Bazel(t, "info", "output_base"))
	w.Bazel(t, "query", "@rules_go//go:all") // brings it
	old := filepath.Join(t.TempDir(), "rules_go")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(base, "external", "rules_go~"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(old, "MODULE.bazel")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const version = "\n    version = \""
	before, behind, found := bytes.Cut(text, []byte(version))
	_, behind, closed := bytes.Cut(behind, []byte("\""))
	if !found || !closed {
		t.Fatalf("%s: no version in %s", path, text)
	}
	if err := os.WriteFile(path, []byte(string(before)+version+"0.63.0\""+string(behind)), 0o666); err != nil {
		t.Fatal(err)
	}
	stderr := w.Fails(t, "query", "--override_module=rules_go="+old, "//tests/bazel/programs:four_levels")
	if want := "rules_go: this build has version 0.63.0, but rules_go_multiarch needs 0.64.0 or later"; !strings.Contains(stderr, want) {
		t.Errorf("says\n%s\nwant %q in it", stderr, want)
	}
}

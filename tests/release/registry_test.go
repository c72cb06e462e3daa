package release_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRegistryTemplates makes the archive of a release as the workflow does, and
// looks for it where the templates for Bazel's registry say that it is. What
// fills them in is https://github.com/bazel-contrib/publish-to-bcr.
func TestRegistryTemplates(t *testing.T) {
	const tag, version, repository = "v1.2.3", "1.2.3", "rules_go_multiarch"
	fill := strings.NewReplacer("{OWNER}", "owner", "{REPO}", repository, "{VERSION}", version, "{TAG}", tag).Replace

	command := regexp.MustCompile(`(?m)^      - run: (git archive .*)$`).FindStringSubmatch(read(t, ".github/workflows/release.yml"))
	if command == nil {
		t.Fatal("release.yml makes no archive")
	}
	out := t.TempDir()
	run(t, "../..", []string{"GITHUB_REF_NAME=" + tag}, "bash", "-euc", strings.ReplaceAll(command[1], "--output=", "--output="+out+"/"))
	archives, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("%q makes %v (%v), want one file", command[1], archives, err)
	}

	var source struct {
		URL         string
		StripPrefix string `json:"strip_prefix"`
	}
	if err := json.Unmarshal([]byte(read(t, ".bcr/source.template.json")), &source); err != nil {
		t.Fatal(err)
	}
	if got, want := filepath.Base(fill(source.URL)), filepath.Base(archives[0]); got != want {
		t.Errorf("the registry would fetch %s, the release has %s", got, want)
	}
	files := run(t, out, nil, "tar", "--list", "--file", archives[0])
	presubmit := read(t, ".bcr/presubmit.yml")
	module := regexp.MustCompile(`(?m)^  module_path: (.*)$`).FindStringSubmatch(presubmit)
	if module == nil {
		t.Fatal("presubmit.yml names no module")
	}
	for _, name := range []string{"MODULE.bazel", "defs.bzl", module[1] + "/MODULE.bazel"} {
		if want := fill(source.StripPrefix) + "/" + name + "\n"; !strings.Contains(files, want) {
			t.Errorf("no %s in the archive", want)
		}
	}
	if want := "bazel: [7.x, 8.x, 9.x]"; !strings.Contains(presubmit, want) {
		t.Errorf("presubmit.yml has no %q", want)
	}
	var metadata struct{ Homepage, Repository any }
	if err := json.Unmarshal([]byte(read(t, ".bcr/metadata.template.json")), &metadata); err != nil || metadata.Homepage == nil || metadata.Repository == nil {
		t.Errorf("metadata.template.json: %+v (%v)", metadata, err)
	}
}

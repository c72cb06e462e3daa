package release_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

const repository, tag, version = "rules_go_multiarch", "v1.2.3", "1.2.3"

func read(t *testing.T, dir, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replace replaces the first match of a pattern, which has to be in a file.
func replace(t *testing.T, dir, path, pattern, with string) {
	t.Helper()
	text := read(t, dir, path)
	at := regexp.MustCompile(pattern).FindStringIndex(text)
	if at == nil {
		t.Fatalf("no %q in %s", pattern, path)
	}
	if err := os.WriteFile(filepath.Join(dir, path), []byte(text[:at[0]]+with+text[at[1]:]), 0o666); err != nil {
		t.Fatal(err)
	}
}

// refused runs the script that makes the archive, and wants it to say what is left to do.
func refused(t *testing.T, dir, tag string, want ...string) {
	t.Helper()
	out := t.TempDir()
	cmd := exec.Command(filepath.Join(dir, ".ci/release"), tag, out)
	text, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("releases %s, want it to refuse because of %q", tag, want)
	}
	if files, _ := os.ReadDir(out); len(files) > 0 {
		t.Errorf("made %v all the same", files)
	}
	for _, line := range want {
		if !strings.Contains(string(text), line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

// TestRegistryTemplates does what CONTRIBUTING.md says of a release, and makes
// its archive, which the templates for Bazel's registry have to fit. What fills
// them in is https://github.com/bazel-contrib/publish-to-bcr.
func TestRegistryTemplates(t *testing.T) {
	dir := bazeltest.Clone(t)
	if want := `run: .ci/release "$GITHUB_REF_NAME" .`; !strings.Contains(read(t, dir, ".github/workflows/release.yml"), want) {
		t.Errorf("release.yml has no %q", want)
	}

	// As it is before the first release, whenever the test is run.
	const account = ".bcr/metadata.template.json"
	replace(t, dir, account, `github:[^/]+/`, "github:OWNER/")
	replace(t, dir, account, `github\.com/[^/]+/`, "github.com/OWNER/")
	bazeltest.Commit(t, dir)
	const unset = account + ": OWNER is in the place of an account"
	refused(t, dir, tag, "MODULE.bazel: the module's version is not 1.2.3", "CHANGELOG.md: no section 1.2.3", unset)
	replace(t, dir, "MODULE.bazel", `    version = ".*",\n`, `    version = "`+version+"\",\n")
	replace(t, dir, "CHANGELOG.md", `\n## `, "\n## "+version+"\n\n## ")
	bazeltest.Commit(t, dir)
	refused(t, dir, tag, unset)

	_, section, _ := strings.Cut(read(t, dir, "CONTRIBUTING.md"), "\n## Release\n")
	command := regexp.MustCompile(`(?m)^    (git grep .*)$`).FindStringSubmatch(section)
	if command == nil {
		t.Fatal("CONTRIBUTING.md does not say how the account is put in")
	}
	run(t, dir, []string{"account=example"}, "bash", "-euo", "pipefail", "-c", command[1])
	bazeltest.Commit(t, dir)
	refused(t, dir, "1.2.3", "tag 1.2.3: want vX.Y.Z")
	refused(t, dir, "v1.2.4", "version is not 1.2.4", "no section 1.2.4")
	out := t.TempDir()
	run(t, dir, nil, ".ci/release", tag, out)
	archives, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("made %v (%v), want one file", archives, err)
	}

	var metadata struct {
		Homepage    string
		Maintainers []struct{ GitHub, Name string }
		Repository  []string
		Versions    []string
		Yanked      map[string]string `json:"yanked_versions"`
	}
	if err := json.Unmarshal([]byte(read(t, dir, ".bcr/metadata.template.json")), &metadata); err != nil {
		t.Fatalf("metadata.template.json: %v", err)
	}
	if m := metadata; m.Homepage != "https://github.com/example/"+repository || len(m.Repository) != 1 || m.Repository[0] != "github:example/"+repository ||
		len(m.Maintainers) == 0 || m.Maintainers[0].GitHub == "" || m.Maintainers[0].Name == "" || m.Versions == nil || len(m.Versions) > 0 || m.Yanked == nil {
		t.Errorf("metadata.template.json has %+v", m)
	}

	fill := strings.NewReplacer("{OWNER}", "example", "{REPO}", repository, "{VERSION}", version, "{TAG}", tag).Replace
	var source struct {
		Integrity   *string
		URL         string
		StripPrefix string `json:"strip_prefix"`
	}
	if err := json.Unmarshal([]byte(read(t, dir, ".bcr/source.template.json")), &source); err != nil {
		t.Fatal(err)
	}
	want := "https://github.com/example/" + repository + "/releases/download/" + tag + "/" + filepath.Base(archives[0])
	if got := fill(source.URL); got != want || source.Integrity == nil {
		t.Errorf("the registry would fetch %s, the release has %s", got, want)
	}
	run(t, out, nil, "tar", "--extract", "--file", archives[0])
	unpacked := filepath.Join(out, fill(source.StripPrefix))

	// What the registry tests is the archive with the patches.
	patches, err := filepath.Glob(filepath.Join(unpacked, ".bcr/patches/*.patch"))
	if err != nil || len(patches) == 0 {
		t.Fatalf("%d patches (%v)", len(patches), err)
	}
	for _, patch := range patches {
		run(t, unpacked, nil, "git", "apply", "-p1", patch)
	}
	presubmit := read(t, unpacked, ".bcr/presubmit.yml")
	module := regexp.MustCompile(`(?m)^  module_path: (.*)$`).FindStringSubmatch(presubmit)
	if module == nil {
		t.Fatal("presubmit.yml names no module")
	}
	sdk := regexp.MustCompile(`(?m)^go_sdk\.download\(version = "(1\.[0-9]+)\.[0-9]+"\)$`).FindStringSubmatch(read(t, unpacked, module[1]+"/MODULE.bazel"))
	if sdk == nil {
		t.Error("the presubmit's module does not download Go")
	} else if want := "\ngo " + sdk[1] + "."; !strings.Contains(read(t, unpacked, module[1]+"/go.mod"), want) {
		t.Errorf("the presubmit's module has Go %s, its go.mod no %q", sdk[1], want)
	}
	for _, want := range []string{"\n    bazel: [7.x, 8.x, 9.x]\n", "\n      bazel: ${{ bazel }}\n", "\n      platform: ${{ platform }}\n", "\n      build_targets:\n", "\n      test_targets:\n"} {
		if !strings.Contains(presubmit, want) {
			t.Errorf("presubmit.yml has no %q", want)
		}
	}
	targets := regexp.MustCompile(`(?m)^        - (.*)$`).FindAllStringSubmatch(presubmit, -1)
	if len(targets) < 2 {
		t.Errorf("presubmit.yml has targets %q", targets)
	}
	for _, target := range targets {
		pkg, all := strings.CutSuffix(strings.TrimPrefix(target[1], "//"), "...")
		if _, err := os.Stat(filepath.Join(unpacked, module[1], pkg)); !all || err != nil {
			t.Errorf("presubmit.yml has %s: want a package that is there, with /... (%v)", target[1], err)
		}
	}
	if !strings.Contains(read(t, unpacked, "MODULE.bazel"), "\n    version = \""+version+"\",\n") {
		t.Error("the archive has another version")
	}
}

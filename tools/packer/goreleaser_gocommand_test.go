//go:build linux

package main

import (
	"bytes"
	"debug/macho"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// TestGoReleaser runs what GoReleaser 2.15 runs for the script and the configuration of
// docs/goreleaser.md: TOOL build FLAGS -ldflags=... -o PATH MAIN, in the project's folder,
// with all of the target's variables set, empty ones too. Source: buildGoBuildLine and
// Target.env in GoReleaser's internal/builders/golang.
func TestGoReleaser(t *testing.T) {
	page := string(contents(t, "../../docs/goreleaser.md"))
	config := block(t, page, "yaml")
	dir := tree(t, map[string]string{
		"go.mod":  "module example.com/hello\n\ngo 1.24\n",
		"main.go": "package main\n\nvar version = \"none\"\n\nfunc main() { println(version) }\n",
	})
	write(t, filepath.Join(dir, "packer-go"), []byte(block(t, page, "sh")), 0o755)
	quiet(t)
	t.Setenv("GOFLAGS", "")
	t.Setenv("PATH", filepath.Dir(testenv.Packer(t))+":"+os.Getenv("PATH"))
	t.Chdir(dir)

	version := strings.NewReplacer("{{.Version}}", "1.2.3")
	ldflags := version.Replace(strings.Join(items(t, config, "ldflags"), " "))
	_, tool, found := strings.Cut(config, "\n    tool: ")
	if !found {
		t.Fatal("the configuration has no tool")
	}
	tool, _, _ = strings.Cut(tool, "\n")
	build := func(goos, goarch string, levels ...string) string {
		out := filepath.Join(dir, "dist", "hello_"+strings.Join(append([]string{goos, goarch}, levels...), "_"), "hello")
		env := append(items(t, config, "env"), "GOOS="+goos, "GOARCH="+goarch, "GOAMD64="+strings.Join(levels, ""),
			"GO386=", "GOARM=", "GOARM64="+map[string]string{"arm64": "v8.0"}[goarch], "GOMIPS=", "GOMIPS64=", "GOPPC64=", "GORISCV64=")
		args := append([]string{"build"}, items(t, config, "flags")...)
		if printed := output(t, env, tool, append(args, "-ldflags="+ldflags, "-o", out, ".")...); printed != "" {
			t.Errorf("%s/%s: printed %s", goos, goarch, printed)
		}
		return out
	}

	packed := build("linux", "amd64", "v1")
	if levels := levelsOf(t, packed); levels != "v1,v2,v3,v4" {
		t.Errorf("linux/amd64 has the levels %s", levels)
	}
	if printed := output(t, nil, packed); printed != "1.2.3\n" {
		t.Errorf("it prints %q", printed)
	}
	for _, name := range []string{build("darwin", "arm64"), build("darwin", "amd64", "v1")} {
		if file, err := macho.Open(name); err != nil {
			t.Error(err)
		} else {
			file.Close()
		}
	}
	if data := contents(t, build("linux", "arm64")); bytes.Contains(data, []byte(".gomultiarch")) {
		t.Error("linux/arm64 is packed")
	}
}

// block returns what the page has between ```LANGUAGE and ```.
func block(t *testing.T, page, language string) string {
	t.Helper()
	_, text, found := strings.Cut(page, "\n```"+language+"\n")
	text, _, closed := strings.Cut(text, "\n```\n")
	if !found || !closed {
		t.Fatalf("the page has no block of %s", language)
	}
	return text + "\n"
}

// items returns the list that a field of a build has.
func items(t *testing.T, config, field string) (list []string) {
	t.Helper()
	_, text, _ := strings.Cut(config, "\n    "+field+":\n")
	for line := range strings.Lines(text) {
		item, found := strings.CutPrefix(line, "      - ")
		if !found {
			break
		}
		list = append(list, strings.TrimSpace(item))
	}
	if len(list) == 0 {
		t.Fatalf("the configuration has no %s", field)
	}
	return list
}

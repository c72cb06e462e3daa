package newcomer_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// What rules_go's documentation has people put into their repository for editors.
const driverScript = `#!/usr/bin/env bash
exec bazel run -- @rules_go//go/tools/gopackagesdriver "${@}"
`

// Programs in the two forms, and a package that only Bazel knows the path of:
// the module has no go.mod.
var editorFiles = map[string]string{
	"shout/shout.go": `package shout

func Hello() string { return "HELLO" }
`,
	"shout/BUILD.bazel": `load("@rules_go//go:def.bzl", "go_library")

go_library(
    name = "shout",
    srcs = ["shout.go"],
    importpath = "example.com/loud/shout",
    visibility = ["//visibility:public"],
)
`,
	"wrapped/main.go": editorMain,
	"wrapped/BUILD.bazel": `load("@rules_go//go:def.bzl", "go_binary")
load("@rules_go_multiarch//:defs.bzl", "go_multiarch_binary")

go_binary(
    name = "plain",
    srcs = ["main.go"],
    deps = ["//shout"],
)

go_multiarch_binary(
    name = "wrapped",
    target = ":plain",
)
`,
	"own/main.go": editorMain,
	"own/BUILD.bazel": `load("@rules_go_multiarch//:defs.bzl", "go_multiarch_binary")

go_multiarch_binary(
    name = "own",
    srcs = ["main.go"],
    deps = ["//shout"],
)
`,
}

const editorMain = `package main

import "example.com/loud/shout"

func main() { println(shout.Hello()) }
`

// editorModule returns the module with the programs above, and the environment
// in which editors use rules_go's driver.
func editorModule(t *testing.T) (w bazeltest.Workspace, env []string) {
	t.Helper()
	w = gettingStarted(t)
	for name, text := range editorFiles {
		bazeltest.Write(t, filepath.Join(w.Dir, name), text)
	}
	script := filepath.Join(w.Dir, "tools", "gopackagesdriver.sh")
	bazeltest.Write(t, script, driverScript)
	if err := os.Chmod(script, 0o777); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(w.Folder(), "bin")
	return w, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GOPACKAGESDRIVER="+script,
		"GOPACKAGESDRIVER_BAZEL="+filepath.Join(bin, "bazel"))
}

// TestPackagesDriver asks the driver for the package that a file is in, as
// gopls does when the file is opened.
func TestPackagesDriver(t *testing.T) {
	w, env := editorModule(t)
	for folder, inner := range map[string]string{"wrapped": "//wrapped:plain", "own": "//own:own.go_binary"} {
		file := filepath.Join(w.Dir, folder, "main.go")
		cmd := exec.Command(filepath.Join(w.Dir, "tools", "gopackagesdriver.sh"), "file="+file)
		cmd.Dir, cmd.Env = w.Dir, env
		// Name, files, imports and dependencies; see packages.LoadMode.
		cmd.Stdin = strings.NewReader(`{"mode": 31, "tests": true}`)
		var log strings.Builder
		cmd.Stderr = &log
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, &log)
		}
		// As package packages reads it.
		var response struct {
			NotHandled bool
			Roots      []string
			Packages   []struct {
				ID, Name        string
				CompiledGoFiles []string
				Imports         map[string]string
			}
		}
		if err := json.Unmarshal(out, &response); err != nil {
			t.Fatalf("%v in\n%s\n%s", err, out, &log)
		}
		if len(response.Roots) != 1 || !strings.HasSuffix(response.Roots[0], inner) {
			t.Errorf("%s is in %q, want %s alone\n%s", file, response.Roots, inner, &log)
			continue
		}
		found := false
		for _, p := range response.Packages {
			if p.ID != response.Roots[0] {
				continue
			}
			found = true
			if p.Name != "main" || !slices.Equal(p.CompiledGoFiles, []string{file}) {
				t.Errorf("%s is package %s of %q, want main of %s", p.ID, p.Name, p.CompiledGoFiles, file)
			}
			if got := p.Imports["example.com/loud/shout"]; !strings.HasSuffix(got, "//shout:shout") {
				t.Errorf("%s imports %v, want //shout among them", p.ID, p.Imports)
			}
		}
		if !found {
			t.Errorf("%s: the package is not among those returned", response.Roots[0])
		}
	}
}

// TestGopls jumps from a call to what is called, which no go.mod leads to.
func TestGopls(t *testing.T) {
	w, env := editorModule(t)
	bin := t.TempDir()
	install := exec.Command("go", "install", "golang.org/x/tools/gopls@v0.20.0")
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		bazeltest.Unavailable(t, "gopls cannot be installed: "+string(out))
	}
	for _, folder := range []string{"wrapped", "own"} {
		// Line and column of Hello.
		cmd := exec.Command(filepath.Join(bin, "gopls"), "definition", filepath.Join(folder, "main.go")+":5:29")
		cmd.Dir, cmd.Env = w.Dir, env
		var log strings.Builder
		cmd.Stderr = &log
		out, err := cmd.Output()
		if want := filepath.Join(w.Dir, "shout", "shout.go") + ":3:6"; err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: gopls prints %q (%v), want %s\n%s", folder, out, err, want, &log)
		}
	}
}

package newcomer_test

import (
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestMistakes makes the mistakes that are easily made, and wants to be told
// what is wrong, where, and what is accepted.
func TestMistakes(t *testing.T) {
	w := gettingStarted(t)
	for name, c := range map[string]struct{ call, want string }{
		"library": {
			`go_multiarch_binary(name = "app", target = ":lib")`,
			"Error in fail: target: //mistakes/library:lib is a go_library, want a go_binary\n",
		},
		"no_such_target": {
			`go_multiarch_binary(name = "app", target = ":ap")`,
			"Error in fail: target: //mistakes/no_such_target:ap is a file, or not there at all, want a go_binary\n",
		},
		"level": {
			`go_multiarch_binary(name = "app", embed = [":lib"], goamd64 = ["v1", "v5"])`,
			`Error in fail: goamd64: unknown level "v5", want some of v1, v2, v3, v4`,
		},
		"misspelt": {
			`go_multiarch_binary(name = "app", embed = [":lib"], goamd46 = ["v1"])`,
			"no such attribute 'goamd46' in 'go_binary' rule",
		},
		"misspelt_beside_target": {
			`go_multiarch_binary(name = "app", target = ":bin", goamd46 = ["v1"])`,
			`Error in fail: go_multiarch_binary(name = "app"): target and goamd46 are both set, want beside target only env_override, exec_properties, force, goamd64, isolate, out, pack_as_tool, platforms, strip, tags and `,
		},
		"nothing": {
			`go_multiarch_binary(name = "app")`,
			`Error in fail: go_multiarch_binary(name = "app"): none of target, srcs and embed is set, want a target or the attributes of go_binary` + "\n",
		},
		"test": {
			`go_multiarch_test(name = "app_test", target = ":bin")`,
			"Error in fail: target: //mistakes/test:bin is not a go_test, want a go_test\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(w.Dir, "mistakes", name)
			bazeltest.Write(t, filepath.Join(folder, "main.go"), "package main\n\nfunc main() {}\n")
			bazeltest.Write(t, filepath.Join(folder, "BUILD.bazel"), `load("@rules_go//go:def.bzl", "go_binary", "go_library")
load("@rules_go_multiarch//:defs.bzl", "go_multiarch_binary", "go_multiarch_test")

go_library(
    name = "lib",
    srcs = ["main.go"],
    importpath = "example.com/lib",
)

go_binary(
    name = "bin",
    embed = [":lib"],
)

`+c.call+"\n")
			stderr := w.Fails(t, "build", "//mistakes/"+name+":all")
			if !strings.Contains(stderr, c.want) {
				t.Errorf("no %q in\n%s", c.want, stderr)
			}
		})
	}
}

package bazel_test

import (
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestLoadingErrors writes BUILD files that cannot be loaded. What fails later
// than that is tested in tests/analysis.
func TestLoadingErrors(t *testing.T) {
	w := elsewhere(t)
	const load = `load("//:defs.bzl", "go_multiarch_binary")` + "\n"
	cases := []struct{ name, build, want string }{
		{
			"target_and_srcs",
			load + `go_multiarch_binary(name = "app", target = ":x", srcs = ["main.go"], pure = "on")`,
			`go_multiarch_binary(name = "app"): target and pure, srcs are both set, want beside target only env_override,`,
		},
		{
			"nothing",
			load + `go_multiarch_binary(name = "app", pure = "on")`,
			`go_multiarch_binary(name = "app"): none of target, srcs and embed is set, want a target or the attributes of go_binary`,
		},
		{
			"level",
			`load("//:defs.bzl", "go_multiarch_platforms")` + "\n" +
				`go_multiarch_platforms(name = "fleet", parent = ":x", level_exec_properties = {"v5": {}})`,
			`go_multiarch_platforms(name = "fleet"): level_exec_properties has "v5", want some of v1, v2, v3, v4`,
		},
		{
			"private",
			`load("//private:levels.bzl", "LEVELS")`,
			"//private:levels.bzl is not visible for loading from package //broken/private",
		},
	}
	for _, c := range cases {
		bazeltest.Write(t, filepath.Join(w.Dir, "broken", c.name, "BUILD.bazel"), c.build+"\n")
	}
	stderr := w.Fails(t, "query", "--keep_going", "//broken/...")
	for _, c := range cases {
		if !strings.Contains(stderr, c.want) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, stderr)
		}
	}
}

// TestPackErrors builds what only the packer can refuse: a program of 400 MiB,
// in a place that has room for less.
func TestPackErrors(t *testing.T) {
	w := elsewhere(t)
	bazeltest.Write(t, filepath.Join(w.Dir, "large", "main.go"), `package main

var zeroes [400 << 20]byte

func main() { println(zeroes[len(zeroes)-1]) }
`)
	bazeltest.Write(t, filepath.Join(w.Dir, "large", "BUILD.bazel"), `load("//:defs.bzl", "go_multiarch_binary")

go_multiarch_binary(
    name = "large",
    srcs = ["main.go"],
    goamd64 = ["v1", "v3"],
)
`)
	stderr := w.Fails(t, "build", "//large")
	for _, want := range []string{
		"Packing //large:large failed",
		"v1 takes 40",
		"make it smaller",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
}

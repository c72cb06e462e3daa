package bazel_test

import (
	"path/filepath"
	"strings"
	"testing"
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
			"private",
			`load("//private:levels.bzl", "LEVELS")`,
			"//private:levels.bzl is not visible for loading from package //broken/private",
		},
	}
	for _, c := range cases {
		write(t, filepath.Join(w.dir, "broken", c.name, "BUILD.bazel"), c.build+"\n")
	}
	stderr := w.fails(t, "query", "--keep_going", "//broken/...")
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
	write(t, filepath.Join(w.dir, "large", "main.go"), `package main

var zeroes [400 << 20]byte

func main() { println(zeroes[len(zeroes)-1]) }
`)
	write(t, filepath.Join(w.dir, "large", "BUILD.bazel"), `load("//:defs.bzl", "go_multiarch_binary")

go_multiarch_binary(
    name = "large",
    srcs = ["main.go"],
    goamd64 = ["v1", "v3"],
)
`)
	stderr := w.fails(t, "build", "//large")
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

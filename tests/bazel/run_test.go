package bazel_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
	"rules_go_multiarch/internal/goamd64"
)

// TestRun runs a program with "bazel run", plain and packed in both ways: it has to
// get the same arguments, environment and data, and its exit status is handed on.
func TestRun(t *testing.T) {
	w := elsewhere(t)
	folder := filepath.Join(w.Dir, "running")
	bazeltest.Write(t, filepath.Join(folder, "words.txt"), "some words\n")
	bazeltest.Write(t, filepath.Join(folder, "main.go"), `package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

func main() {
	fmt.Printf("%q\n", os.Args[1:])
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "RUNNING_") {
			fmt.Println(variable)
		}
	}
	for _, name := range []string{os.Args[1], os.Getenv("RUNNING_DATA")} {
		path, err := runfiles.Rlocation(name)
		show(path, err)
	}
	show(os.Args[2], nil) // as seen from the folder that it is started in
	os.Exit(7)
}

func show(path string, err error) {
	text, readErr := os.ReadFile(path)
	if err != nil || readErr != nil {
		fmt.Println(err, readErr)
	}
	fmt.Printf("%s", text)
}
`)
	// No $(rlocationpath) finds the data of a target that is wrapped.
	bazeltest.Write(t, filepath.Join(folder, "BUILD.bazel"), `load("@rules_go//go:def.bzl", "go_binary")
load("//:defs.bzl", "go_multiarch_binary")

ARGS = ["$(rlocationpath words.txt)", "$(rootpath words.txt)", "'of BUILD'", "\\$$HOME"]

ENV = {"RUNNING_DATA": "$(rlocationpath words.txt)", "RUNNING_TEXT": "a  b=c"}

DEPS = ["@rules_go//go/runfiles"]

go_binary(
    name = "plain",
    srcs = ["main.go"],
    args = ARGS,
    data = ["words.txt"],
    env = ENV,
    deps = DEPS,
)

go_multiarch_binary(
    name = "packed",
    srcs = ["main.go"],
    args = ARGS,
    data = ["words.txt"],
    env = ENV,
    goamd64 = ["v1", "v3"],
    deps = DEPS,
)

go_multiarch_binary(
    name = "wrapping",
    args = ["_main/running/words.txt", "running/words.txt"] + ARGS[2:],
    goamd64 = ["v1", "v3"],
    target = ":plain",
)
`)
	const want = `["_main/running/words.txt" "running/words.txt" "of BUILD" "$HOME" "of the command line" "" "-x"]
RUNNING_DATA=_main/running/words.txt
RUNNING_TEXT=a  b=c
some words
some words
some words
`
	for _, name := range []string{"plain", "packed", "wrapping"} {
		got, stderr, err := w.Run("run", "//running:"+name, "--", "of the command line", "", "-x")
		var ended *exec.ExitError
		if got != want || !errors.As(err, &ended) || ended.ExitCode() != 7 {
			t.Errorf("%s: ended with %v and printed\n%s\nwant exit status 7 and\n%s\n%s", name, err, got, want, stderr)
		}
	}
}

// TestRunOfTest runs the name of a go_multiarch_test, as people run a go_test to see one
// case of it, and tests it.
func TestRunOfTest(t *testing.T) {
	w := bazeltest.Checkout(t).Module("examples")
	const name = "//numeric:floats_test"
	got := w.Bazel(t, "run", name, "--", "-test.run=ExampleCumSum", "-test.v")
	if strings.Count(got, "--- PASS: ExampleCumSum ") != 1 {
		t.Errorf("bazel run printed %q, want one test that passed", got)
	}
	w.Bazel(t, "test", name)
	log, err := os.ReadFile(filepath.Join(w.Dir, "bazel-testlogs/numeric/floats_test/test.log"))
	if err != nil {
		t.Fatal(err)
	}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		if want := "testlevel: " + name + " at " + level.String(); !strings.Contains(string(log), want) {
			t.Errorf("bazel test printed\n%s\nwant %q in it", log, want)
		}
	}
}

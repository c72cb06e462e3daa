package bazel_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// merger is a stand-in for Bazel's own, which has to be downloaded: reports are
// put one behind the other.
const merger = `#!/usr/bin/env bash
for arg in "$@"; do
  case $arg in
  --coverage_dir=*) dir=${arg#*=} ;;
  --output_file=*) out=${arg#*=} ;;
  esac
done
find "$dir" -name '*.dat' -exec cat {} + >"$out"
`

// coverage runs "bazel coverage" on a test and returns the reports of all of its
// shards.
func coverage(t *testing.T, w bazeltest.Workspace, label, instrumented string) string {
	t.Helper()
	folder := filepath.Join(w.Dir, "merger")
	bazeltest.Write(t, filepath.Join(folder, "merger.sh"), merger)
	if err := os.Chmod(filepath.Join(folder, "merger.sh"), 0o777); err != nil {
		t.Fatal(err)
	}
	bazeltest.Write(t, filepath.Join(folder, "BUILD.bazel"), `load("@rules_shell//shell:sh_binary.bzl", "sh_binary")

sh_binary(
    name = "merger",
    srcs = ["merger.sh"],
    visibility = ["//visibility:public"],
)
`)
	clearLogs(t, w, label)
	w.Bazel(t, "coverage", label, "--coverage_output_generator=//merger", "--coverage_report_generator=//merger",
		"--instrumentation_filter=^"+instrumented)
	all := ""
	for _, report := range logs(t, w, label, "coverage.dat") {
		all += report
	}
	return all
}

func TestLevelTestCoverage(t *testing.T) {
	all := coverage(t, elsewhere(t), features+"_v3", "//tests/levels/features")
	// Line 5 begins the function, line 7 panics, line 9 returns.
	if want := "SF:tests/levels/features/half/half.go\nDA:5,1\nDA:6,1\nDA:7,0\nDA:9,1\n"; !strings.Contains(all, want) {
		t.Errorf("the reports of the shards are\n%s\nwant in one of them\n%s", all, want)
	}
}

// TestCoverageWithProgram covers a test that starts a program from its data. Both
// are built for coverage and report what they ran, whether the program is packed
// or not.
func TestCoverageWithProgram(t *testing.T) {
	w := elsewhere(t)
	for name, text := range map[string]string{
		"double/double.go": `package double

func Of(n int) int {
	if n == 0 {
		return 0
	}
	return 2 * n
}
`,
		"main.go": `package main

import (
	"fmt"

	"rules_go_multiarch/covered/double"
)

func main() { fmt.Println(double.Of(21)) }
`,
		"double/double_test.go": `package double

import (
	"os"
	"os/exec"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

func TestOf(t *testing.T) {
	program, err := runfiles.Rlocation(os.Getenv("PROGRAM"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program).Output(); string(out) != "42\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if Of(0) != 0 {
		t.Error("not 0")
	}
}
`,
		"BUILD.bazel": `load("@rules_go//go:def.bzl", "go_binary")
load("//:defs.bzl", "go_multiarch_binary")

go_binary(
    name = "plain",
    srcs = ["main.go"],
    visibility = ["//visibility:public"],
    deps = ["//covered/double"],
)

go_multiarch_binary(
    name = "packed",
    goamd64 = ["v1", "v3"],
    target = ":plain",
    visibility = ["//visibility:public"],
)
`,
		"double/BUILD.bazel": `load("@rules_go//go:def.bzl", "go_library", "go_test")

go_library(
    name = "double",
    srcs = ["double.go"],
    importpath = "rules_go_multiarch/covered/double",
    visibility = ["//visibility:public"],
)

[
    go_test(
        name = form + "_test",
        srcs = ["double_test.go"],
        data = ["//covered:" + form],
        embed = [":double"],
        env = {"PROGRAM": "$(rlocationpath //covered:{})".format(form)},
        deps = ["@rules_go//go/runfiles"],
    )
    for form in ["packed", "plain"]
]
`,
	} {
		bazeltest.Write(t, filepath.Join(w.Dir, "covered", name), text)
	}
	packed := coverage(t, w, "//covered/double:packed_test", "//covered")
	// The program gets to line 7, the test to line 5.
	for _, want := range []string{
		"SF:covered/main.go\nDA:9,1\n",
		"SF:covered/double/double.go\nDA:3,1\nDA:4,1\nDA:5,0\nDA:6,0\nDA:7,1\n",
		"SF:covered/double/double.go\nDA:3,1\nDA:4,1\nDA:5,1\nDA:6,1\nDA:7,0\n",
	} {
		if !strings.Contains(packed, want) {
			t.Errorf("the report is\n%s\nwant in it\n%s", packed, want)
		}
	}
	plain := coverage(t, w, "//covered/double:plain_test", "//covered")
	if got, want := records(packed), records(plain); !slices.Equal(got, want) {
		t.Errorf("the report with a packed program is\n%s\nwith the plain one\n%s", got, want)
	}
}

// records returns what a report says of each file of each program, sorted.
func records(report string) []string {
	all := strings.SplitAfter(report, "end_of_record\n")
	slices.Sort(all)
	return all
}

package bazel_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestConfiguredTargets counts what Bazel analyses: for one program more its
// go_binary and link options once a level and once in its own configuration, and the
// packed one; for one level more always the same.
// How long that takes bench/scale measures.
func TestConfiguredTargets(t *testing.T) {
	w := elsewhere(t)
	bazeltest.Write(t, filepath.Join(w.Dir, "many", "main.go"), "package main\n\nfunc main() {}\n")
	bazeltest.Write(t, filepath.Join(w.Dir, "many", "BUILD.bazel"), `load("//:defs.bzl", "go_multiarch_binary")

[go_multiarch_binary(
    name = "program%d" % i,
    srcs = ["main.go"],
) for i in range(4)]

[go_multiarch_binary(
    name = "levels%d" % n,
    srcs = ["main.go"],
    goamd64 = ["v1", "v2", "v3", "v4"][:n],
) for n in [1, 2, 3, 4]]
`)
	count := func(labels ...string) int {
		return strings.Count(w.Bazel(t, "cquery", "deps("+strings.Join(labels, " + ")+")"), "\n")
	}

	var programs []string
	before := 0
	for i := range 4 {
		programs = append(programs, fmt.Sprintf("//many:program%d", i))
		n := count(programs...)
		if more := n - before; i > 0 && more != 2*(4+1)+1 {
			t.Errorf("program %d adds %d configured targets, want 11", i, more)
		}
		before = n
	}

	var counts, steps []int
	for n := 1; n <= 4; n++ {
		counts = append(counts, count(fmt.Sprintf("//many:levels%d", n)))
		if n > 1 {
			steps = append(steps, counts[n-1]-counts[n-2])
		}
	}
	if steps[0] != steps[1] || steps[1] != steps[2] {
		t.Errorf("one to four levels are %d configured targets, want as many more for each level", counts)
	}
}

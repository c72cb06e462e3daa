// Total prints the total length of the rivers, in kilometres.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

// Set by x_defs in BUILD.bazel.
var riversPath string

func main() {
	path, err := runfiles.Rlocation(riversPath)
	if err != nil {
		fail(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	total := 0
	for line := range strings.Lines(string(data)) {
		var name string
		var length int
		if _, err := fmt.Sscan(line, &name, &length); err != nil {
			fail(fmt.Errorf("reading %q in %s: %w", line, path, err))
		}
		total += length
	}
	fmt.Println(total)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "total:", err)
	os.Exit(1)
}

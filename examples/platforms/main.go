// Where says which site it was built for.
package main

import (
	"fmt"

	"rules_go_multiarch_examples/level"
)

// Set by x_defs in BUILD.bazel.
var site = "unset"

func main() {
	fmt.Printf("built for the %s, GOAMD64=%s\n", site, level.Compiled)
}

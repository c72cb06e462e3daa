// Another program that links fast.
package main

import (
	"os"

	"rules_go_multiarch/tests/bazel/programs/greeting"
)

// Set by the linker.
var value = "no value"

func main() { os.Stdout.WriteString(greeting.Of("with " + value)) }

// A program that links fast, and says what it was compiled for.
package main

import (
	"os"

	"rules_go_multiarch/tests/bazel/programs/greeting"
)

func main() { os.Stdout.WriteString(greeting.Of(level)) }

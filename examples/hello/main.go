// Hello greets, and says what it was compiled for.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"rules_go_multiarch_examples/level"
)

func main() {
	names := os.Args[1:]
	if len(names) == 0 {
		names = []string{"world"}
	}
	fmt.Printf("Hello, %s! This is %s/%s, GOAMD64=%s.\n",
		strings.Join(names, " and "), runtime.GOOS, runtime.GOARCH, level.Compiled)
}

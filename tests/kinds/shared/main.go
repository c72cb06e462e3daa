// Shared is linked with a shared library of the same build. It prints "vN ok"
// with the level that it was compiled for, and exits with status 3.
package main

// int answer(void);
import "C"

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if got := C.answer(); got != 42 {
		fmt.Println(level, "failed: the library answers", got)
		os.Exit(1)
	}
	fmt.Println(level, "ok", strings.Join(os.Args[1:], " "))
	os.Exit(3)
}

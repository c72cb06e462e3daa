// Cgo asks the C library for its version and its own C code for a sum.
package main

import (
	"fmt"

	"rules_go_multiarch_examples/level"
)

// #include <gnu/libc-version.h>
// #include "sum.h"
import "C"

func main() {
	values := []C.long{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	fmt.Printf("GOAMD64=%s, C library %s, sum %d\n",
		level.Compiled, C.GoString(C.gnu_get_libc_version()), C.sum(&values[0], C.size_t(len(values))))
}

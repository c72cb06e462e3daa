package multiarch_test

import (
	"fmt"

	"rules_go_multiarch/multiarch"
)

// A plain build runs at one level, and its CPU may be good for more.
func Example() {
	fmt.Println(multiarch.Compiled() <= multiarch.CPU())
	// Output: true
}

// A line for a program's log, or its answer to --version.
func ExampleRead() {
	info, err := multiarch.Read()
	if err != nil {
		fmt.Println(err)
	}
	if info.Packed {
		fmt.Printf("running %v of %d levels on a CPU for %v\n", info.Compiled, len(info.Levels), info.CPU)
	} else {
		fmt.Println("a plain build")
	}
	// Output: a plain build
}

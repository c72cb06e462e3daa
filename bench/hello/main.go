// Hello is the smallest program worth packing: what it takes to start is
// nearly all that it does. With an argument it closes its standard output then,
// and waits for the end of its standard input.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	fmt.Println("hello")
	if len(os.Args) == 1 {
		return
	}
	os.Stdout.Close()
	io.Copy(io.Discard, os.Stdin)
}

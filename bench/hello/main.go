// Hello is the smallest program worth packing: what it takes to start is
// nearly all that it does.
package main

import "fmt"

func main() { fmt.Println("hello") }

// Muchbss is a program with more .bss than the kernel may map for a level that does not
// run without charging for it.
package main

var much [1 << 20]byte

func main() { println(much[len(much)/2]) }

// Muchbss is a program with as much .bss as crypto/tls brings along: more than the kernel
// may map for a level that does not run without charging for it. It prints what
// /proc/self/status says of its memory. With arguments it ends at once, with status 9.
package main

import "os"

var much [32 << 20]byte

func main() {
	if len(os.Args) > 1 {
		os.Exit(9)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.Write(status[much[len(much)/2]:])
}

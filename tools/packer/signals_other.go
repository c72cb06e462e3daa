//go:build !unix

package main

import "os"

// endSignals are those that ask a program to end.
var endSignals = []os.Signal{os.Interrupt}

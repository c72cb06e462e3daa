//go:build !unix

package main

import "os"

// endSignals are those that ask a program to end.
var endSignals = []os.Signal{os.Interrupt}

func keepBrokenPipes() {}

// terminalSignals are those that a terminal sends for keys, to all that run in it.
var terminalSignals = []os.Signal{os.Interrupt}

//go:build unix

package main

import (
	"os"
	"syscall"
)

// endSignals are those that ask a program to end.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// terminalSignals are those that a terminal sends for keys, to all that run in it.
var terminalSignals = []os.Signal{os.Interrupt, syscall.SIGQUIT}

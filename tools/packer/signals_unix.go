//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// endSignals are those that ask a program to end.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// keepBrokenPipes has writing to a pipe that nobody reads fail, on standard output too,
// where it would end the process with temporary files left behind.
func keepBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// terminalSignals are those that a terminal sends for keys, to all that run in it.
var terminalSignals = []os.Signal{os.Interrupt, syscall.SIGQUIT}

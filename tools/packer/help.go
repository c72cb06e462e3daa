package main

import (
	"fmt"
	"io"
)

func help(w io.Writer) {
	fmt.Fprintln(w, "packer puts the GOAMD64 levels of one program into a single executable.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "usage: packer VERB [arguments]")
	fmt.Fprintln(w)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-10s %s\n", v.name, v.summary)
	}
	fmt.Fprintf(w, "  %-10s %s\n", "help", "explain a verb: packer help VERB")
}

func runHelp(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		help(stdout)
		return exitOK
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			fmt.Fprintf(stdout, "usage: packer %s\n", v.usage)
			return exitOK
		}
	}
	fmt.Fprintf(stderr, "packer: help: unknown verb %q\n", args[0])
	return exitUsage
}

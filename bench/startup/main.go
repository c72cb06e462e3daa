// Startup measures how long programs take from their start to their exit. With
// no arguments it builds a small program in every way that is worth comparing:
// plain, packed, and with the baseline's memory file. See bench/README.md.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"rules_go_multiarch/bench/internal/programs"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit statuses.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args)
	if errors.Is(err, errHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "startup: %v\n%s", err, usage)
		return exitUsage
	}
	if err := compare(o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "startup: %v\n", err)
		return exitFailure
	}
	return exitOK
}

// compare builds what is missing, measures and reports.
func compare(o *options, stdout, stderr io.Writer) error {
	commands := o.commands
	if len(commands) == 0 {
		set, err := programs.Build(programs.Options{Dir: o.keep, SizeMB: o.sizeMB, Strip: o.strip, CPULevel: o.cpuLevel, Log: stderr})
		if err != nil {
			return err
		}
		defer set.Close()
		commands = commandsOf(set)
	}
	for i := range commands {
		commands[i].args = append(commands[i].args, o.args...)
	}
	dir, err := os.MkdirTemp("", "startup")
	if err != nil {
		return fmt.Errorf("making a temporary directory: %w", err)
	}
	defer os.RemoveAll(dir)
	probes, err := writeProbes(dir)
	if err != nil {
		return err
	}
	if o.readAhead > 0 {
		restore, err := setReadAhead(o.readAhead, commands)
		if err != nil {
			return err
		}
		defer restore()
	}
	results, err := measure(o, append(slices.Clip(commands), probes...))
	if err != nil {
		return err
	}
	r := newReport(o, commands, results)
	if o.json != "" {
		if err := r.writeJSON(o.json); err != nil {
			return err
		}
	}
	return r.writeText(stdout)
}

// commandsOf returns what to compare. The first is what the user of a plain go
// build has at the level that the packed file starts.
func commandsOf(set *programs.Set) []command {
	best := set.Best.String()
	commands := []command{
		{name: "plain " + best, path: set.Path(programs.Plain)},
		{name: "again", path: set.Path(programs.Again)},
		{name: "in its slot", path: set.Path(best)},
		{name: packedName, path: set.Path(programs.Packed)},
	}
	if set.CPULevel == 0 {
		commands = append(commands, command{name: "memfd", path: set.Path(programs.Memfd)})
	}
	return append(commands,
		command{name: "plain v1", path: set.Path("v1")},
		command{name: "packed, v1", path: set.Path(programs.Packed), env: []string{"GOAMD64=v1"}})
}

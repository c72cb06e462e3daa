package main

import (
	"fmt"
	"strconv"

	"rules_go_multiarch/tools/packer/internal/process"
)

var whichVerb = verb{
	name:    "which",
	summary: "tell the level that a running process uses",
	usage: `which [--json] PID...

Tells from /proc which level a process runs, for packed and for plain Go
programs.

  --json   print JSON (schema: tools/packer/SCHEMA.md)

example: packer which 4711`,
	run: runWhich,
}

// processInfo is one element of what "which --json" prints; SCHEMA.md documents
// it.
type processInfo struct {
	PID        int    `json:"pid"`
	Level      string `json:"level"`
	Packed     bool   `json:"packed"`
	Executable string `json:"executable"`
}

func runWhich(w *world, args []string) error {
	flags := newFlags("which")
	asJSON := flags.Bool("json", false, "")
	operands, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(operands) == 0 {
		return usagef("no process: want PID")
	}
	var pids []int
	for _, operand := range operands {
		pid, err := strconv.Atoi(operand)
		if err != nil || pid <= 0 {
			return usagef("%q: want the number of a process", operand)
		}
		pids = append(pids, pid)
	}
	found := []processInfo{}
	for _, pid := range pids {
		p, err := process.Read(pid)
		if err != nil {
			return fmt.Errorf("process %d: %w", pid, err)
		}
		found = append(found, processInfo{PID: pid, Level: p.Level.String(), Packed: p.Packed, Executable: p.Executable})
	}
	if *asJSON {
		return w.writeJSON(found)
	}
	for _, p := range found {
		kind := "plain"
		if p.Packed {
			kind = "packed"
		}
		fmt.Fprintf(w.stdout, "%d\t%s\t%s\t%s\n", p.PID, p.Level, kind, p.Executable)
	}
	return nil
}

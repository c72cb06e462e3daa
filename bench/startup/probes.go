package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rules_go_multiarch/bench/probe"
)

// writeProbes writes the programs that CPUID is measured with into dir.
func writeProbes(dir string) ([]command, error) {
	commands := []command{
		{name: "exit", path: filepath.Join(dir, "exit")},
		{name: "cpuid", path: filepath.Join(dir, "cpuid")},
		{name: "cpuid twice", path: filepath.Join(dir, "cpuid-twice")},
	}
	for i, program := range [][]byte{probe.Exit(), probe.CPUID(1), probe.CPUID(2)} {
		if err := os.WriteFile(commands[i].path, program, 0o777); err != nil {
			return nil, fmt.Errorf("writing a program to measure CPUID with: %w", err)
		}
	}
	return commands, nil
}

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rules_go_multiarch/bench/probe"
)

// writeProbes writes the two programs that CPUID is measured with into dir.
func writeProbes(dir string) ([]command, error) {
	commands := []command{
		{name: "exit", path: filepath.Join(dir, "exit")},
		{name: "cpuid", path: filepath.Join(dir, "cpuid")},
	}
	for i, program := range [][]byte{probe.Exit(), probe.CPUID()} {
		if err := os.WriteFile(commands[i].path, program, 0o777); err != nil {
			return nil, fmt.Errorf("writing a program to measure CPUID with: %w", err)
		}
	}
	return commands, nil
}

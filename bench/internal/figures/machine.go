// Package figures has what all benchmarks print: statistics, and the machine
// that they were measured on.
package figures

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine is what a reader must know of the machine to compare figures.
type Machine struct {
	Model  string `json:"model"`  // of the CPU
	CPUs   int    `json:"cpus"`   // that this process may use
	Kernel string `json:"kernel"` // release
	Go     string `json:"go"`     // version
}

// ThisMachine describes the machine that this process runs on.
func ThisMachine() Machine {
	m := Machine{Model: "unknown CPU", CPUs: runtime.NumCPU(), Kernel: "unknown", Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
				m.Model = strings.TrimSpace(value)
				break
			}
		}
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	return m
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %d CPUs, Linux %s, %s", m.Model, m.CPUs, m.Kernel, m.Go)
}

package main

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// lastCPU returns the highest CPU that this process may use, which on most
// machines has fewer interrupts than the first one, or -1 when it is unknown.
func lastCPU() int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return -1
	}
	last := -1
	for cpu, found := 0, 0; found < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			last = cpu
			found++
		}
	}
	return last
}

// pin binds this goroutine's thread, and processes started from it, to a CPU
// until unpin is called. With a negative number it does nothing.
func pin(cpu int) (unpin func(), err error) {
	if cpu < 0 {
		return func() {}, nil
	}
	runtime.LockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("reading the CPU affinity: %w", err)
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return nil, fmt.Errorf("binding to CPU %d: %w", cpu, err)
	}
	return func() {
		unix.SchedSetaffinity(0, &before)
		runtime.UnlockOSThread()
	}, nil
}

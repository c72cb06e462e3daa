package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// command is one program that is started over and over.
type command struct {
	name string
	path string
	args []string // without argv[0]
	env  []string
}

// measurement is what one start of a command took, from before the fork until
// the exit status was there. Times are in microseconds.
type measurement struct {
	wall   float64
	cpu    float64 // user and system time of the process, all threads
	faults float64 // page faults that needed no reading (ru_minflt)
}

// starter starts commands with nothing but their own environment, and with
// standard input, output and error on the null device.
type starter struct{ null *os.File }

func newStarter() (*starter, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the null device: %w", err)
	}
	return &starter{null}, nil
}

func (s *starter) close() { s.null.Close() }

// start runs a command to its end. syscall.ForkExec is
// clone(CLONE_VM|CLONE_VFORK), so what it costs does not depend on how much
// memory this process has (syscall/exec_linux.go, forkAndExecInChild1).
func (s *starter) start(c *command) (measurement, error) {
	null := s.null.Fd()
	argv := append([]string{c.path}, c.args...)
	attributes := &syscall.ProcAttr{Env: c.env, Files: []uintptr{null, null, null}}
	var status syscall.WaitStatus
	var usage syscall.Rusage

	begin := time.Now()
	pid, err := syscall.ForkExec(c.path, argv, attributes)
	if err != nil {
		return measurement{}, fmt.Errorf("starting %s: %w", c.name, err)
	}
	for {
		_, err = syscall.Wait4(pid, &status, 0, &usage)
		if err != syscall.EINTR {
			break
		}
	}
	wall := time.Since(begin)

	switch {
	case err != nil:
		return measurement{}, fmt.Errorf("waiting for %s: %w", c.name, err)
	case status.Signaled():
		return measurement{}, fmt.Errorf("running %s: killed by signal %v", c.name, status.Signal())
	case status.ExitStatus() != 0:
		return measurement{}, fmt.Errorf("running %s: exit status %d", c.name, status.ExitStatus())
	}
	return measurement{
		wall:   microseconds(wall),
		cpu:    microseconds(time.Duration(usage.Utime.Nano() + usage.Stime.Nano())),
		faults: float64(usage.Minflt),
	}, nil
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

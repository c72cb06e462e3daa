//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// group puts a command into a process group of its own, so that compilers and
// linkers that it starts end with it.
func group(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interrupt(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }

// sweep kills what is left of a command's process group once it has ended.
func sweep(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

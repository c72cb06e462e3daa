//go:build !unix

package gobuild

import (
	"os/exec"
)

func group(*exec.Cmd) {}

func interrupt(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func sweep(*exec.Cmd) {}

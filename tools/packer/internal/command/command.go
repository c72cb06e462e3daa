// Package command runs programs that start others, as the go command does, so
// that all of them end with a context.
package command

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// InGroup returns a command in a process group of its own, in the given directory or the
// current one. When ctx ends, the group is asked to end, and a while later the command
// is killed.
func InGroup(ctx context.Context, name, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	if dir != "" {
		if absolute, err := filepath.Abs(dir); err == nil {
			dir = absolute
		}
		cmd.Dir = dir
	}
	group(cmd)
	cmd.Cancel = func() error { return interrupt(cmd) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// Run runs a command that InGroup has returned. When ctx, which is InGroup's, has ended, it
// kills what is left of the group, and the error is that of ctx.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	err := cmd.Run()
	if ctx.Err() != nil {
		sweep(cmd)
		return ctx.Err()
	}
	return err
}

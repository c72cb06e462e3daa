package gobuild

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// command returns a command of a build, in the given directory or the current
// one. When ctx ends, it and what it started are asked to end, and a while later
// killed.
func command(ctx context.Context, name, dir string, args ...string) *exec.Cmd {
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

// Package golauncher builds the launcher with the go command, from the sources
// that this program carries with it.
package golauncher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rules_go_multiarch/launcher"
	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/command"
)

// goMod is that of a module which holds nothing but the launcher.
const goMod = "module " + launcher.Module + "\n\ngo 1.24.0\n"

// Build links the launcher in a temporary directory and returns its boot code.
// What the user set for builds of their own does not reach this one, so that
// its bytes depend on the toolchain alone. The go command's build cache makes
// the second build a matter of linking.
func Build(ctx context.Context) (*bootcode.Code, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("building the launcher takes the go command, and there is none on PATH: install Go, or give a linked launcher with -launcher FILE")
	}
	dir, err := os.MkdirTemp("", "packer-launcher-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := writeSources(dir); err != nil {
		return nil, fmt.Errorf("writing the launcher's sources: %w", err)
	}

	out := filepath.Join(dir, "linked")
	cmd := command.InGroup(ctx, tool, dir, "build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-pgo=off",
		"-ldflags=-E "+launcher.BootEntry, "-o", out, launcher.Program)
	cmd.Env = append(os.Environ(),
		"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0",
		"GOFLAGS=-mod=mod", // not empty: that would mean what "go env -w" has
		"GOWORK=off", "GO111MODULE=on", "GOTMPDIR="+dir, "PWD="+dir)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := command.Run(ctx, cmd); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("building the launcher: %w\n%s", err, strings.TrimSpace(output.String()))
	}
	file, err := os.Open(out)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	code, err := bootcode.Read(file)
	if err != nil {
		return nil, fmt.Errorf("the launcher that was just built: %w", err)
	}
	return code, nil
}

func writeSources(dir string) error {
	sources, err := launcher.Sources()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(goMod), 0o600); err != nil {
		return err
	}
	for path, text := range sources {
		path = filepath.Join(dir, launcher.Directory, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"rules_go_multiarch/tools/packer/internal/command"
)

// MinGo is the oldest Go version that packer build works with: the one that the
// launcher's sources are written for.
const MinGo = "1.24"

// Environment is what the go command says of itself, in the directory of the
// build: files of "go env -w", go.mod and GOTOOLCHAIN have a part in it.
type Environment struct {
	GOOS, GOARCH, GOHOSTOS, GOHOSTARCH, GOAMD64, GOFLAGS, GOVERSION, GOTMPDIR, GOMODCACHE, CC, CXX, CGO_LDFLAGS string
}

// ReadEnvironment asks the go command, which may download a newer one for that.
func ReadEnvironment(ctx context.Context, dir string, log *Log) (*Environment, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("no go command on PATH: install Go")
	}
	if dir != "" {
		if info, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("-C %s: %w", dir, errors.Unwrap(err))
		} else if !info.IsDir() {
			return nil, fmt.Errorf("-C %s: not a directory", dir)
		}
	}
	cmd := command.InGroup(ctx, tool, dir, "env", "-json", "GOOS", "GOARCH", "GOHOSTOS", "GOHOSTARCH", "GOAMD64", "GOFLAGS", "GOVERSION", "GOTMPDIR", "GOMODCACHE", "CC", "CXX", "CGO_LDFLAGS")
	var out, stderr bytes.Buffer
	downloads := log.downloads(&stderr)
	cmd.Stdout, cmd.Stderr = &out, downloads
	err = command.Run(ctx, cmd)
	downloads.end()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			return nil, fmt.Errorf("go env: %s", strings.TrimSpace(stderr.String()))
		}
		return nil, fmt.Errorf("go env: %w", err)
	}
	env := &Environment{}
	if err := json.Unmarshal(out.Bytes(), env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return env, nil
}

// ForeignTarget is the error of a build for a platform that has no levels.
type ForeignTarget struct{ GOOS, GOARCH string }

func (e *ForeignTarget) Error() string {
	return fmt.Sprintf("GOOS=%s GOARCH=%s: only linux/amd64 has packed files; give --fallback for a plain build on other targets", e.GOOS, e.GOARCH)
}

// Check refuses what cannot be packed.
func (e *Environment) Check() error {
	if e.GOOS != "linux" || e.GOARCH != "amd64" {
		return &ForeignTarget{e.GOOS, e.GOARCH}
	}
	if value := os.Getenv("GOAMD64"); value != "" {
		return fmt.Errorf("GOAMD64=%s is set, but packer sets it for each level: unset it, and choose levels with -levels", value)
	}
	if e.GOAMD64 != "" && e.GOAMD64 != "v1" {
		return fmt.Errorf("the go command's configuration has GOAMD64=%s, but packer sets it for each level: go env -u GOAMD64, and choose levels with -levels", e.GOAMD64)
	}
	if !atLeast(e.GOVERSION, MinGo) {
		return fmt.Errorf("the go command is %s: want go%s or newer", e.GOVERSION, MinGo)
	}
	return nil
}

// crosses reports whether the go command is one of another platform than linux/amd64.
func (e *Environment) crosses() bool { return e.GOHOSTOS != "linux" || e.GOHOSTARCH != "amd64" }

// atLeast reports whether a Go version such as go1.26.8 or go1.27rc1 is a
// release or newer. What is no release, such as devel, counts as newer.
func atLeast(version, minimum string) bool {
	text, found := strings.CutPrefix(version, "go")
	if !found {
		return true
	}
	have, want := strings.SplitN(text, ".", 3), strings.SplitN(minimum, ".", 3)
	for i := range want {
		if i >= len(have) {
			return false
		}
		a, err := strconv.Atoi(digits(have[i]))
		if err != nil {
			return true
		}
		b, _ := strconv.Atoi(want[i])
		if a != b {
			return a > b
		}
	}
	return true
}

func digits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}

// Concurrency returns how many levels to build at once, and the -p of each. It
// is bounded by -p, or MGO_PARALLEL_BUILD, or the number of processors.
func Concurrency(levels, parallel, processors int) (builds, each int, err error) {
	limit := processors
	if parallel > 0 {
		limit = parallel
	} else if value := os.Getenv("MGO_PARALLEL_BUILD"); value != "" {
		if limit, err = strconv.Atoi(value); err != nil || limit < 1 {
			return 0, 0, fmt.Errorf("MGO_PARALLEL_BUILD=%s: want a positive number", value)
		}
	}
	builds = min(limit, levels)
	if parallel == 0 {
		limit = max(limit, processors)
	}
	return builds, (limit + builds - 1) / builds, nil
}

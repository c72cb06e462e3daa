package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
)

const module = "rules_go_multiarch"

// builder builds the programs to compare in a directory of its own.
type builder struct {
	root  string // of this module
	dir   string
	keep  bool
	best  goamd64.Level // of this CPU
	flags string
	size  int // MB, 0 for the small program
	log   io.Writer
}

func newBuilder(o *options, log io.Writer) (*builder, error) {
	b := &builder{keep: o.keep != "", best: max(goamd64.Level(cpuid.CPU.X64Level()), goamd64.Min), size: o.sizeMB, log: log}
	if o.strip {
		b.flags = "-s -w "
	}
	root, err := output(exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module))
	if err != nil {
		return nil, fmt.Errorf("finding module %s (run this inside it): %w", module, err)
	}
	b.root = strings.TrimSpace(string(root))
	if b.keep {
		if b.dir, err = filepath.Abs(o.keep); err == nil {
			err = os.MkdirAll(b.dir, 0o777)
		}
	} else {
		b.dir, err = os.MkdirTemp("", "startup")
	}
	if err != nil {
		return nil, fmt.Errorf("making a directory to build in: %w", err)
	}
	return b, nil
}

func (b *builder) close() {
	if !b.keep {
		os.RemoveAll(b.dir)
	}
}

// build returns the commands to compare. The first is the file of the level that
// the packed one starts, not packed: the same bytes at the same addresses, so
// that packing is all they differ in. The second is a copy of it: what that
// differs by is noise.
func (b *builder) build() ([]command, error) {
	program, err := b.program()
	if err != nil {
		return nil, err
	}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		ldflags := fmt.Sprintf("%s-T %#x", b.flags, slots.Of(level).Base+slots.TextOffset)
		if err := b.goBuild(program, level, b.path(level.String()), ldflags); err != nil {
			return nil, err
		}
	}
	best := b.best.String()
	if err := copyFile(b.path("again"), b.path(best)); err != nil {
		return nil, err
	}
	if err := b.pack(); err != nil {
		return nil, err
	}
	if err := b.memfd(); err != nil {
		return nil, err
	}
	return []command{
		{name: "plain " + best, path: b.path(best)},
		{name: "again", path: b.path("again")},
		{name: packedName, path: b.path("packed")},
		{name: "memfd", path: b.path("memfd")},
		{name: "plain v1", path: b.path("v1")},
		{name: "packed, v1", path: b.path("packed"), env: []string{"GOAMD64=v1"}},
	}, nil
}

func (b *builder) path(name string) string { return filepath.Join(b.dir, name) }

// source is a package to build: its path and the directory of its module.
type source struct{ dir, path string }

func (b *builder) program() (source, error) {
	if b.size == 0 {
		return source{b.root, "./bench/hello"}, nil
	}
	dir := b.path("program")
	if err := generate(dir, b.size); err != nil {
		return source{}, fmt.Errorf("generating a program of %d MB: %w", b.size, err)
	}
	return source{dir, "."}, nil
}

func (b *builder) goBuild(from source, level goamd64.Level, out, ldflags string, flags ...string) error {
	fmt.Fprintf(b.log, "building %s\n", filepath.Base(out))
	args := append([]string{"build", "-trimpath", "-ldflags=" + ldflags, "-o", out}, flags...)
	c := exec.Command("go", append(args, from.path)...)
	c.Dir = from.dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64="+level.String())
	if _, err := output(c); err != nil {
		return fmt.Errorf("building %s: %w", filepath.Base(out), err)
	}
	return nil
}

func (b *builder) pack() error {
	launcher := "-E " + module + "/launcher/boot.entry"
	if err := b.goBuild(source{b.root, "./launcher/program"}, goamd64.Min, b.path("launcher"), launcher); err != nil {
		return err
	}
	if err := b.goBuild(source{b.root, "./tools/packer"}, goamd64.Min, b.path("packer"), ""); err != nil {
		return err
	}
	c := exec.Command(b.path("packer"), "create", "-launcher", "launcher", "-o", "packed", "v1=v1", "v2=v2", "v3=v3", "v4=v4")
	c.Dir = b.dir
	if _, err := output(c); err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	return nil
}

// memfd builds the baseline, with the variants in place of the empty files that
// stand in the source tree.
func (b *builder) memfd() error {
	var overlay struct{ Replace map[string]string }
	overlay.Replace = make(map[string]string)
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		name := level.String()
		overlay.Replace[filepath.Join(b.root, "bench/memfd/variants", name)] = b.path(name)
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return fmt.Errorf("encoding the overlay: %w", err)
	}
	if err := os.WriteFile(b.path("overlay.json"), text, 0o666); err != nil {
		return err
	}
	return b.goBuild(source{b.root, "./bench/memfd"}, goamd64.Min, b.path("memfd"), b.flags, "-overlay", b.path("overlay.json"))
}

// output runs a command and returns its standard output; the error holds the
// end of what it wrote to standard error.
func output(c *exec.Cmd) ([]byte, error) {
	text, err := c.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		lines := bytes.Split(bytes.TrimSpace(failed.Stderr), []byte("\n"))
		lines = slices.Clip(lines[max(0, len(lines)-5):])
		return nil, fmt.Errorf("%w: %s", err, bytes.Join(lines, []byte("\n")))
	}
	return text, err
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o777)
}

package testenv

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
)

// Link says how the go command links a program for a level.
type Link struct {
	Env      []string // of the go command, besides GOAMD64
	Flags    []string // of go build
	LDFlags  string   // of Go's linker
	Extld    string   // of the system linker
	NoSlot   bool     // leave the program where linkers put every program
	Basename string   // of the executable; the level is appended
}

// Build builds a package of this module for a level. It needs the go command, and gcc
// with cgo.
func Build(t testing.TB, pkg string, level goamd64.Level, link Link) string {
	t.Helper()
	if slices.Contains(link.Env, "CGO_ENABLED=1") {
		Tool(t, "gcc")
	}
	ldflags, extld := link.LDFlags, link.Extld
	if base := slots.Of(level).Base; !link.NoSlot && level > goamd64.Min {
		ldflags = strings.TrimSpace(fmt.Sprintf("%s -T %#x", ldflags, base+slots.TextOffset))
		extld = strings.TrimSpace(fmt.Sprintf("%s -Wl,-Ttext-segment=%#x", extld, base))
	}
	if extld != "" {
		ldflags = strings.TrimSpace(ldflags + " '-extldflags=" + extld + "'")
	}
	name := link.Basename
	if name == "" {
		name = filepath.Base(pkg)
	}
	out := filepath.Join(buildDir(t), name+"."+level.String())
	env := append([]string{"GOAMD64=" + level.String()}, link.Env...)
	goBuild(t, out, pkg, env, append(slices.Clone(link.Flags), "-ldflags="+ldflags)...)
	return out
}

// Pack packs executables, one a level, and returns the packed file.
func Pack(t testing.TB, name string, variants map[goamd64.Level]string, flags ...string) string {
	t.Helper()
	out := filepath.Join(buildDir(t), name)
	args := append([]string{"create", "-launcher", Launcher(t), "-o", out}, flags...)
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		if path, ok := variants[level]; ok {
			args = append(args, level.String()+"="+path)
		}
	}
	run(t, nil, Packer(t), args...)
	return out
}

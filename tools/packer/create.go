package main

import (
	"errors"
	"fmt"
	"io"

	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/manifest"
	"rules_go_multiarch/tools/packer/internal/pack"
	"rules_go_multiarch/tools/packer/internal/paramfile"
	"rules_go_multiarch/tools/packer/internal/strip"
	"rules_go_multiarch/tools/packer/internal/variant"
)

var createVerb = verb{
	name:    "create",
	summary: "pack executables that were built for different levels",
	usage: `create -o OUT [flags] [vN=]FILE...

Packs executables, one a level, into OUT. The level of a FILE given without
one is read from its Go build information. An argument @FILE stands for the
lines of FILE.

  -o OUT             the packed file
  -launcher FILE     take the launcher from FILE: a linked one, or a packed file;
                     else it is the packer's own, or built with the go command
  -variant vN=FILE   same as vN=FILE
  -manifest FILE     also write the manifest, as JSON
  -no-environment    the packed file ignores GOAMD64, GOMULTIARCH and MGODEBUG
  -remap             accept executables that were linked to overlapping addresses;
                     the one that starts is moved into place, and profilers see
                     no function names in it
  -isolate           the launcher hides the data of all levels that it does not
                     start, so that no debugger shows it; costs some microseconds.
                     It does so anyway if a variable picks the level, and in
                     position-independent, dynamically linked and remapped programs
                     and many that the system's linker made
  -strip MODE        leave out of every level: all (symbols and debug information),
                     debug (debug information), none (nothing, the default)
  -force             pack executables of different programs, or of different builds of
                     one: other versions, revisions or flags
  -debuglink NAME    the debug file that debuggers look for beside OUT (packer help
                     debug); a name that ends in .debug; by default the build id
                     with .debug behind it

OUT gets the permissions that a linker gives: 0777 less the umask.

example: packer create -o app v1=app.v1 v3=app.v3`,
	run: runCreate,
}

type createArgs struct {
	out, launcher, manifest string
	debugLink               string
	strip                   strip.Mode
	noEnvironment, remap    bool
	force, isolate          bool
	inputs                  []input
}

func parseCreate(args []string) (*createArgs, error) {
	args, err := paramfile.Expand(args)
	if err != nil {
		return nil, err
	}
	c := &createArgs{}
	flags := newFlags("create")
	flags.StringVar(&c.out, "o", "", "")
	flags.StringVar(&c.launcher, "launcher", "", "")
	flags.StringVar(&c.manifest, "manifest", "", "")
	flags.BoolVar(&c.noEnvironment, "no-environment", false, "")
	flags.BoolVar(&c.remap, "remap", false, "")
	flags.BoolVar(&c.force, "force", false, "")
	flags.BoolVar(&c.isolate, "isolate", false, "")
	flags.StringVar(&c.debugLink, "debuglink", "", "")
	flags.Var(&c.strip, "strip", "")
	flags.Func("variant", "", func(s string) error {
		in, err := parseInput(s)
		c.inputs = append(c.inputs, in)
		return err
	})
	operands, err := parse(flags, args)
	if err != nil {
		return nil, err
	}
	for _, s := range operands {
		in, err := parseInput(s)
		if err != nil {
			return nil, usageError{err}
		}
		c.inputs = append(c.inputs, in)
	}
	switch {
	case c.out == "":
		return nil, usageError{errors.New("no output: want -o OUT")}
	case c.debugLink != "" && debuglink.Check(c.debugLink) != nil:
		return nil, usagef("-debuglink %q: %w", c.debugLink, debuglink.Check(c.debugLink))
	case len(c.inputs) == 0:
		return nil, usageError{errors.New("no executables: want at least one vN=FILE")}
	}
	return c, nil
}

func runCreate(w *world, args []string) error {
	c, err := parseCreate(args)
	if err != nil {
		return err
	}
	var variants []*variant.Variant
	for _, in := range c.inputs {
		v, err := openInput(in.path, in.level)
		if err != nil {
			return fmt.Errorf("%s: %w", in.path, err)
		}
		defer v.Close()
		if err := checkApart(c.out, in.path); err != nil {
			return err
		}
		if v, err = strip.Variant(v, c.strip); err != nil {
			return fmt.Errorf("%s: %w", in.path, err)
		}
		variants = append(variants, v)
	}
	if !c.force {
		if err := w.checkSameBuild("create", variants); err != nil {
			return err
		}
	}
	launcher, err := w.launcher(c.launcher)
	if err != nil {
		return err
	}
	file, err := pack.New(w.ctx, variants, pack.Options{Launcher: launcher, NoEnvironment: c.noEnvironment, Remap: c.remap, Isolate: c.isolate, DebugLink: c.debugLink})
	if err != nil {
		return err
	}
	return w.writeFile(c.out, 0o777, file.Size(), func(out io.Writer) error {
		if err := file.Write(out); err != nil || c.manifest == "" {
			return err
		}
		return writeManifest(w, c.manifest, file.Manifest)
	})
}

func writeManifest(w *world, path string, m *manifest.Manifest) error {
	text, err := m.Encode()
	if err != nil {
		return err
	}
	return w.writeFile(path, 0o666, 0, func(out io.Writer) error {
		_, err := out.Write(text)
		return err
	})
}

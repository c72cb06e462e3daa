package main

import (
	"fmt"
	"slices"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/pack"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/variant"
)

var thinVerb = verb{
	name:    "thin",
	summary: "keep some levels of a packed file",
	usage: `thin -level vN[,vN...] -o OUT FILE

Writes a packed file of the given levels alone. It is byte-identical to what
create makes of the same executables, and has the permissions of FILE. OUT may
be FILE.

  -level vN,...   the levels to keep
  -o OUT          the packed file

example: packer thin -level v1,v3 -o app.thin app`,
	run: runThin,
}

var removeVerb = verb{
	name:    "remove",
	summary: "drop levels of a packed file",
	usage: `remove -level vN[,vN...] -o OUT FILE

Writes a packed file without the given levels. It is byte-identical to what
create makes of the other executables, and has the permissions of FILE. OUT may
be FILE.

  -level vN,...   the levels to drop
  -o OUT          the packed file

example: packer remove -level v4 -o app app`,
	run: runRemove,
}

var replaceVerb = verb{
	name:    "replace",
	summary: "exchange levels of a packed file",
	usage: `replace -o OUT [-force] [-remap] FILE vN=NEW...

Writes a packed file in which the executables NEW stand for their levels. It is
byte-identical to what create makes of the same executables, and has the
permissions of FILE. OUT may be FILE.

  -o OUT   the packed file
  -force   accept an executable of another program, or of another build of it
  -remap   accept executables that were linked to overlapping addresses

example: packer replace -o app app v3=app.v3`,
	run: runReplace,
}

func runThin(w *world, args []string) error {
	return keep(w, "thin", args, func(file *packed.File, named []goamd64.Level) (kept []packed.Level) {
		for _, l := range file.Levels {
			if slices.Contains(named, l.Level) {
				kept = append(kept, l)
			}
		}
		return kept
	})
}

func runRemove(w *world, args []string) error {
	return keep(w, "remove", args, func(file *packed.File, named []goamd64.Level) (kept []packed.Level) {
		for _, l := range file.Levels {
			if !slices.Contains(named, l.Level) {
				kept = append(kept, l)
			}
		}
		return kept
	})
}

// keep runs a verb that writes a selection of a file's levels.
func keep(w *world, verb string, args []string, choose func(*packed.File, []goamd64.Level) []packed.Level) error {
	flags := newFlags(verb)
	out := flags.String("o", "", "")
	var named levelsFlag
	flags.Var(&named, "level", "")
	file, err := openOne(flags, args, func() error { return levelAndOut(len(named), *out) })
	if err != nil {
		return err
	}
	defer file.Close()
	path := file.Path
	for _, level := range named {
		if _, err := file.Level(level); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	kept := choose(file, named)
	if len(kept) == 0 {
		return fmt.Errorf("%s: no level would be left", path)
	}
	return repack(w, file, kept, nil, *out, true, false)
}

func runReplace(w *world, args []string) error {
	flags := newFlags("replace")
	out := flags.String("o", "", "")
	force := flags.Bool("force", false, "")
	remap := flags.Bool("remap", false, "")
	operands, err := parse(flags, args)
	switch {
	case err != nil:
		return err
	case *out == "":
		return usagef("no output: want -o OUT")
	case len(operands) < 2:
		return usagef("want FILE and at least one vN=NEW")
	}
	path := operands[0]
	if in, err := parseInput(path); err == nil && in.level != 0 {
		return usagef("%q comes first: want FILE, the packed one, before it", path)
	}
	file, err := openPacked(path)
	if err != nil {
		return err
	}
	defer file.Close()

	kept := slices.Clone(file.Levels)
	var replaced []*variant.Variant
	for _, operand := range operands[1:] {
		in, err := parseInput(operand)
		if err != nil {
			return usageError{err}
		}
		v, err := openInput(in.path, in.level)
		if err != nil {
			return fmt.Errorf("%s: %w", in.path, err)
		}
		defer v.Close()
		if err := checkApart(*out, in.path); err != nil {
			return err
		}
		at := slices.IndexFunc(kept, func(l packed.Level) bool { return l.Level == v.Level })
		if at < 0 {
			if _, err := file.Level(v.Level); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			return usagef("%s: %v twice", in.path, v.Level)
		}
		kept = slices.Delete(kept, at, at+1)
		replaced = append(replaced, v)
	}
	return repack(w, file, kept, replaced, *out, *force, *remap)
}

// take returns levels of a packed file as variants.
func take(file *packed.File, levels []packed.Level) ([]*variant.Variant, error) {
	var variants []*variant.Variant
	for _, l := range levels {
		v, err := file.Variant(l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		variants = append(variants, v)
	}
	return variants, nil
}

// repack packs levels of a packed file, and others, with its launcher and
// choices.
func repack(w *world, file *packed.File, kept []packed.Level, others []*variant.Variant, out string, force, remap bool) error {
	variants, err := take(file, kept)
	if err != nil {
		return err
	}
	variants = append(variants, others...)
	if !force {
		if err := w.checkSameBuild("replace", variants); err != nil {
			return err
		}
	}
	// Where nothing overlaps, Remap changes nothing.
	options := pack.Options{Launcher: file.Launcher(), NoEnvironment: file.NoEnvironment, Isolate: file.Isolate, Remap: remap || file.Layout() == packed.Remapped}
	if file.DebugLink != debuglink.Name(file.Manifest.BuildID) {
		options.DebugLink = file.DebugLink
	}
	ctx, done := w.readingAll(variants)
	made, err := pack.New(ctx, variants, options)
	if err == nil {
		err = made.Wait()
	}
	done()
	if err != nil {
		return err
	}
	if err := checkDigests(file, kept, made); err != nil {
		return err
	}
	return w.writeCopy(out, file.Mode, made.Size(), made.Write)
}

// checkDigests refuses levels that were damaged since they were packed.
func checkDigests(file *packed.File, kept []packed.Level, made *pack.File) error {
	for _, l := range kept {
		for _, m := range made.Manifest.Levels {
			if m.Level == l.Level.String() && m.SHA256 != l.SHA256 {
				return fmt.Errorf("%s: %v: the SHA-256 of its bytes is %s, the manifest has %s: the file is damaged", file.Path, l.Level, m.SHA256, l.SHA256)
			}
		}
	}
	return nil
}

package main

import (
	"fmt"

	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/variant"
)

var verifyVerb = verb{
	name:    "verify",
	summary: "check that a packed file is sound",
	usage: `verify [--json] [--against vN=FILE]... FILE

Recomputes the digests of a packed file and checks that each slot holds the
level that it claims, that the launcher is whole, that segments are sound and do
not overlap, and that each level, once started, has every byte of its
executable where it belongs, with the right access. Problems make the exit
status 1.

  --against vN=FILE   also compare a level with a plain executable
  --json              print JSON (schema: tools/packer/SCHEMA.md)

example: packer verify --against v3=app.v3 app`,
	run: runVerify,
}

// verification is what "verify --json" prints; SCHEMA.md documents it.
type verification struct {
	File     string           `json:"file"`
	OK       bool             `json:"ok"`
	Levels   []string         `json:"levels"`
	Problems []packed.Problem `json:"problems"`
}

func runVerify(w *world, args []string) error {
	flags := newFlags("verify")
	asJSON := flags.Bool("json", false, "")
	var against []input
	flags.Func("against", "", func(s string) error {
		in, err := parseInput(s)
		against = append(against, in)
		return err
	})
	file, err := openOne(flags, args, nil)
	if err != nil {
		return err
	}
	defer file.Close()
	path := file.Path
	ctx, done := w.reading(path, file.Size)
	problems, err := file.Verify(ctx)
	done()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, in := range against {
		found, err := compare(w, file, in)
		if err != nil {
			return err
		}
		problems = append(problems, found...)
	}

	if *asJSON {
		result := verification{File: path, OK: len(problems) == 0, Problems: problems}
		if problems == nil {
			result.Problems = []packed.Problem{}
		}
		for _, l := range file.Levels {
			result.Levels = append(result.Levels, l.Level.String())
		}
		if err := w.writeJSON(result); err != nil {
			return err
		}
	}
	for _, p := range problems {
		fmt.Fprintf(w.stderr, "packer: verify: %s: %s\n", path, p)
	}
	if len(problems) > 0 {
		return errReported
	}
	if !*asJSON {
		fmt.Fprintf(w.stdout, "%s: sound:", path)
		for _, l := range file.Levels {
			fmt.Fprintf(w.stdout, " %v", l.Level)
		}
		fmt.Fprintln(w.stdout)
	}
	return nil
}

// compare compares a level with a plain executable.
func compare(w *world, file *packed.File, in input) ([]packed.Problem, error) {
	v, err := variant.Open(in.path, in.level)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.path, err)
	}
	defer v.Close()
	level, err := file.Level(v.Level)
	if err != nil {
		return []packed.Problem{{Reason: err.Error()}}, nil
	}
	ctx, done := w.reading(in.path, v.Size)
	reason, err := file.Against(ctx, level, v)
	done()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Path, err)
	}
	if reason != "" {
		return []packed.Problem{{Level: v.Level.String(), Reason: reason}}, nil
	}
	return nil, nil
}

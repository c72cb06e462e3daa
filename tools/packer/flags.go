package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"rules_go_multiarch/internal/goamd64"
)

// newFlags returns a flag set that reports errors to its caller alone.
func newFlags(verb string) *flag.FlagSet {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags
}

// parse parses flags that may stand before, between and behind the operands, as
// the tools have it that ours is used beside; "--" ends them.
func parse(flags *flag.FlagSet, args []string) (operands []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: "); unknown {
				return nil, usagef("unknown flag %s", name)
			}
			return nil, usageError{err}
		}
		rest := flags.Args()
		parsed := len(args) - len(rest)
		if len(rest) == 0 || parsed > 0 && args[parsed-1] == "--" {
			return notEmpty(append(operands, rest...))
		}
		operands = append(operands, rest[0])
		args = rest[1:]
	}
}

// notEmpty refuses what a shell makes of a variable that is not set.
func notEmpty(operands []string) ([]string, error) {
	if i := slices.Index(operands, ""); i >= 0 {
		return nil, usagef("argument %d is empty: is a variable not set?", i+1)
	}
	return operands, nil
}

// parseOne parses flags and the one operand FILE.
func parseOne(flags *flag.FlagSet, args []string) (file string, err error) {
	operands, err := parse(flags, args)
	switch {
	case err != nil:
		return "", err
	case len(operands) == 0:
		return "", usagef("no file: want FILE")
	case len(operands) > 1:
		return "", usagef("%d files, %s: want one FILE", len(operands), strings.Join(operands, " "))
	}
	return operands[0], nil
}

// levelsFlag is a list of levels: separated by commas, or given several times.
type levelsFlag []goamd64.Level

func (l *levelsFlag) String() string { return fmt.Sprint(*l) }

// Set adds levels.
func (l *levelsFlag) Set(s string) error {
	for _, name := range strings.Split(s, ",") {
		level, err := goamd64.Parse(name)
		if err != nil {
			return err
		}
		for _, other := range *l {
			if other == level {
				return fmt.Errorf("%v twice", level)
			}
		}
		*l = append(*l, level)
	}
	return nil
}

// input is one vN=FILE argument; level 0 stands for none given.
type input struct {
	level goamd64.Level
	path  string
}

// parseInput parses vN=FILE or FILE. A path with an equals sign in it is given
// with its level or with ./ in front.
func parseInput(s string) (input, error) {
	name, path, found := strings.Cut(s, "=")
	if !found || strings.Contains(name, "/") {
		return input{path: s}, nil
	}
	level, err := goamd64.Parse(name)
	if err != nil {
		return input{}, fmt.Errorf("%q: %w", s, err)
	}
	if path == "" {
		return input{}, fmt.Errorf("%q: no file: want %v=FILE", s, level)
	}
	return input{level, path}, nil
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"rules_go_multiarch/internal/goamd64"
)

const usage = `usage: startup [flags] [-cmd NAME=COMMAND]... [-- ARGUMENT...]

Starts programs over and over, each once a round, and compares the time from
start to exit with that of the first one. Without -cmd it builds a small program
plain, packed and for a memory file, and compares those.

  -cmd NAME=COMMAND  a program to start, optionally with variables in front and
                     arguments behind, separated by spaces: packed=GOAMD64=v3 ./app -h
                     the line about CPUID is for the one named packed
  -rounds N          rounds that count (default 2000)
  -blocks N          read the programs anew into the page cache N times, in even
                     parts of the rounds (default 20)
  -warmup N          rounds after that which do not count (default 5)
  -read-ahead KIB    as root: read them with this read-ahead of the file system
                     (Linux's own default is 128; unset, what the machine has)
  -keep-cache        leave the programs in the page cache as they are
  -cpu N             start everything on this CPU (default: the last one); -1
                     leaves it to the kernel
  -json FILE         also write the figures as JSON
  -strip             build without symbols and DWARF
  -size-mb N         build a program of about N MB instead of the small one
  -cpu-level LEVEL   build it with a launcher that takes the CPU for one of LEVEL, not
                     above its own, and without the memory file
  -keep DIR          build in DIR and leave everything there

ARGUMENTs are given to every program. Times are in microseconds.
`

var errHelp = flag.ErrHelp

type options struct {
	rounds, blocks, warmup int
	readAhead              int // KiB, 0 for what is set
	keepCache              bool
	cpu                    int
	json                   string
	strip                  bool
	sizeMB                 int
	keep                   string
	cpuLevel               goamd64.Level // 0 for what it has
	commands               []command
	args                   []string
}

func parseOptions(args []string) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("startup", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.rounds, "rounds", 2000, "")
	flags.IntVar(&o.blocks, "blocks", 20, "")
	flags.IntVar(&o.warmup, "warmup", 5, "")
	flags.IntVar(&o.readAhead, "read-ahead", 0, "")
	flags.BoolVar(&o.keepCache, "keep-cache", false, "")
	flags.IntVar(&o.cpu, "cpu", lastCPU(), "")
	flags.StringVar(&o.json, "json", "", "")
	flags.BoolVar(&o.strip, "strip", false, "")
	flags.IntVar(&o.sizeMB, "size-mb", 0, "")
	flags.StringVar(&o.keep, "keep", "", "")
	flags.Func("cpu-level", "", func(s string) (err error) {
		o.cpuLevel, err = goamd64.Parse(s)
		return err
	})
	flags.Func("cmd", "", func(s string) error {
		c, err := parseCommand(s)
		o.commands = append(o.commands, c)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	o.args = flags.Args()
	switch {
	case o.rounds < 1:
		return nil, fmt.Errorf("-rounds %d: want at least 1", o.rounds)
	case o.blocks < 1 || o.blocks > o.rounds:
		return nil, fmt.Errorf("-blocks %d: want 1 to %d, the number of rounds", o.blocks, o.rounds)
	case o.warmup < 0:
		return nil, fmt.Errorf("-warmup %d: want 0 or more", o.warmup)
	case o.readAhead < 0:
		return nil, fmt.Errorf("-read-ahead %d: want a number of KiB", o.readAhead)
	case o.readAhead > 0 && o.keepCache:
		return nil, errors.New("-keep-cache reads nothing: it does not go with -read-ahead")
	case o.cpu < -1:
		return nil, fmt.Errorf("-cpu %d: want the number of a CPU, or -1", o.cpu)
	case o.sizeMB < 0:
		return nil, fmt.Errorf("-size-mb %d: want 0 or more", o.sizeMB)
	case len(o.commands) > 0 && (o.strip || o.sizeMB > 0 || o.keep != "" || o.cpuLevel != 0):
		return nil, errors.New("-cmd builds nothing: it goes with none of -strip, -size-mb, -cpu-level and -keep")
	}
	return o, nil
}

// parseCommand parses NAME=[VARIABLE=VALUE]... PATH [ARGUMENT]...
func parseCommand(s string) (command, error) {
	name, rest, _ := strings.Cut(s, "=")
	words := strings.Fields(rest)
	c := command{name: name}
	for len(words) > 0 && isVariable(words[0]) {
		c.env = append(c.env, words[0])
		words = words[1:]
	}
	if name == "" || len(words) == 0 {
		return command{}, fmt.Errorf("%q: want NAME=COMMAND", s)
	}
	c.path, c.args = words[0], words[1:]
	return c, nil
}

// isVariable tells NAME=VALUE from a path.
func isVariable(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && !strings.ContainsAny(name, "/.")
}

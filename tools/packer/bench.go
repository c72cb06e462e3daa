package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/levelbench"
)

// The build of the packer that Bazel packs with lacks these files, and what they
// depend on.
func init() {
	extraVerbs = append(extraVerbs, benchVerb)
	flagsOf["bench"] = []string{
		"-bench", "-check", "--json", "--max-rounds", "--min-gain", "--rounds", "-stdin", "--picture",
	}
}

var benchVerb = verb{
	name:    "bench",
	summary: "measure whether the levels of a program pay",
	usage: `bench [flags] FILE [-- ARGUMENT...]
       packer bench [flags] vN=FILE... [-- ARGUMENT...]

Runs every level that this machine can run, of a packed file or of executables
given by level, with the arguments, again and again in turns, and compares them
with the lowest: median with its 95 % confidence interval, ratio, and whether
the level gains enough for its size. The statistics are benchstat's. This is the
only verb that runs what it works on.

  -bench REGEXP      the program is a Go test; compare its benchmarks that match,
                     not the time from start to exit
  --min-gain N%      what a level has to gain to be kept (default 2%)
  --rounds N         start every level as often (default 20)
  --max-rounds N     go on up to so often while a verdict is open (default 100)
  -stdin FILE        what the program reads; by default nothing
  -check             fail when a level does not pay
  --json             print JSON (schema: tools/packer/SCHEMA.md)
  --picture FILE     draw the ratios, as .svg or .png

example: packer bench --min-gain 5% app -- --filter needle haystack.txt`,
	run: runBench,
}

// benchInfo is what "bench --json" prints; SCHEMA.md documents it.
type benchInfo struct {
	Arguments  []string               `json:"arguments"`
	Machine    benchMachine           `json:"machine"`
	Rounds     int                    `json:"rounds"`
	MinGain    float64                `json:"minGain"`
	Measured   string                 `json:"measured"`
	Levels     []benchLevel           `json:"levels"`
	Benchmarks []levelbench.Benchmark `json:"benchmarks,omitempty"`
	NotRun     []string               `json:"notRun,omitempty"`
}

type benchMachine struct {
	Model string `json:"model"`
	Level string `json:"level"`
}

// benchLevel is one level; medians are in seconds.
type benchLevel struct {
	Level string `json:"level"`
	Size  int64  `json:"size"`
	levelbench.Judgement
}

func runBench(w *world, args []string) error {
	var program []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, program = args[:i], args[i+1:]
	}
	o := levelbench.Options{Warmup: 2}
	flags := newFlags("bench")
	flags.IntVar(&o.Rounds, "rounds", 20, "")
	flags.IntVar(&o.MaxRounds, "max-rounds", 100, "")
	flags.StringVar(&o.Stdin, "stdin", "", "")
	pattern := flags.String("bench", "", "")
	gain := flags.String("min-gain", "2%", "")
	check := flags.Bool("check", false, "")
	asJSON := flags.Bool("json", false, "")
	picture := flags.String("picture", "", "")
	operands, err := parse(flags, args)
	if err != nil {
		return err
	}
	if o.MinGain, err = parseShare(*gain); err != nil {
		return usagef("-min-gain %q: %v", *gain, err)
	}
	switch {
	case o.Rounds < 6:
		return usagef("-rounds %d: want at least 6, or nothing can be told", o.Rounds)
	case *picture != "" && filepath.Ext(*picture) != ".svg" && filepath.Ext(*picture) != ".png":
		return usagef("-picture %q: want a name that ends in .svg or .png", *picture)
	}
	o.MaxRounds = max(o.MaxRounds, o.Rounds)

	levels, err := w.benchLevels(operands)
	if err != nil {
		return err
	}
	defer levels.close()
	info := benchInfo{
		Arguments: append([]string{}, program...), MinGain: o.MinGain, Measured: "time from start to exit",
		Machine: benchMachine{Model: cpuid.CPU.BrandName, Level: goamd64.Level(cpuid.CPU.X64Level()).String()},
		NotRun:  levels.notRun,
	}
	if *pattern != "" {
		o.Benchmarks = true
		info.Measured = "geometric mean of the benchmarks"
		program = append([]string{"-test.run=^$", "-test.bench=" + *pattern}, program...)
	}
	for i := range levels.commands {
		levels.commands[i].Args = program
	}
	o.Progress = func(rounds int) {
		if isTerminal(w.stderr) {
			fmt.Fprintf(raw(w.stderr), "\rround %d", rounds)
		}
	}
	result, err := levelbench.Measure(w.ctx, levels.commands, o)
	if isTerminal(w.stderr) {
		fmt.Fprint(raw(w.stderr), "\r                \r")
	}
	if err != nil {
		return err
	}
	info.Rounds, info.Benchmarks = result.Rounds, result.Benchmarks
	for i, judgement := range result.Levels {
		info.Levels = append(info.Levels, benchLevel{levels.commands[i].Name, levels.sizes[i], judgement})
	}
	if *picture != "" {
		drawn := info.chart(levels.name)
		err := w.writeFile(*picture, 0o666, 0, func(out io.Writer) error { return drawn.Write(out, *picture) })
		if err != nil {
			return err
		}
	}
	if *asJSON {
		err = w.writeJSON(info)
	} else {
		err = info.print(w.stdout, levels.name)
	}
	if err != nil {
		return err
	}
	if *check {
		return info.failed()
	}
	return nil
}

// failed returns an error that names the levels which do not pay. Undecided ones
// are none of them: a build must not fail for noise.
func (b *benchInfo) failed() error {
	var dropped []string
	for _, l := range b.Levels {
		if l.Verdict == levelbench.Drop {
			dropped = append(dropped, fmt.Sprintf("%s (%s)", l.Level, l.Reason))
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	return fmt.Errorf("not worth their size, as they do not gain %s: %s", levelbench.Percent(b.MinGain), strings.Join(dropped, ", "))
}

// parseShare parses a percentage.
func parseShare(s string) (float64, error) {
	number, isPercent := strings.CutSuffix(s, "%")
	value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !isPercent || !(value >= 0 && value < 100) {
		return 0, fmt.Errorf("want a percentage, such as 2%%")
	}
	return value / 100, nil
}

// benchLevels are the levels to run, in ascending order.
type benchLevels struct {
	name     string // of the program
	commands []levelbench.Command
	sizes    []int64
	notRun   []string
	folder   string // of files that were taken out, or ""
}

func (b *benchLevels) close() {
	if b.folder != "" {
		os.RemoveAll(b.folder)
	}
}

func (w *world) benchLevels(operands []string) (*benchLevels, error) {
	if len(operands) == 0 {
		return nil, usagef("no file: want FILE, or vN=FILE for each level")
	}
	var inputs []input
	for _, operand := range operands {
		in, err := parseInput(operand)
		if err != nil {
			return nil, usageError{err}
		}
		inputs = append(inputs, in)
	}
	if len(inputs) == 1 && inputs[0].level == 0 {
		return w.benchPacked(inputs[0].path)
	}
	slices.SortStableFunc(inputs, func(a, b input) int { return int(a.level - b.level) })
	b := &benchLevels{name: filepath.Base(inputs[0].path)}
	for i, in := range inputs {
		if in.level == 0 {
			return nil, usagef("%q: want one packed FILE, or vN=FILE for each level", in.path)
		}
		if i > 0 && in.level == inputs[i-1].level {
			return nil, usagef("%v twice", in.level)
		}
		info, err := os.Stat(in.path)
		if err != nil {
			return nil, err
		}
		b.add(in.level, in.path, info.Size())
	}
	return b, b.check()
}

// benchPacked takes the levels out of a packed file, so that each starts as it
// would alone, and the launcher's variables do not matter.
func (w *world) benchPacked(path string) (*benchLevels, error) {
	file, err := openPacked(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := &benchLevels{name: filepath.Base(path)}
	if b.folder, err = os.MkdirTemp("", "packer-bench-"); err != nil {
		return nil, err
	}
	for _, l := range file.Levels {
		// The program's own name, which it may look at.
		out := filepath.Join(b.folder, l.Level.String(), b.name)
		if err := os.Mkdir(filepath.Dir(out), 0o777); err != nil {
			b.close()
			return nil, err
		}
		if err := runExtract(w, []string{"-level", l.Level.String(), "-o", out, path}); err != nil {
			b.close()
			return nil, err
		}
		b.add(l.Level, out, l.Size)
	}
	if err := b.check(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *benchLevels) add(level goamd64.Level, path string, size int64) {
	if filepath.Base(path) == path {
		path = "." + string(filepath.Separator) + path // os/exec would look for it on PATH
	}
	if int(level) > cpuid.CPU.X64Level() {
		b.notRun = append(b.notRun, level.String())
		return
	}
	b.commands = append(b.commands, levelbench.Command{Name: level.String(), Path: path})
	b.sizes = append(b.sizes, size)
}

func (b *benchLevels) check() error {
	if len(b.commands) < 2 {
		return fmt.Errorf("this machine runs %d of the levels, want at least two to compare (its CPU runs v%d at most)",
			len(b.commands), cpuid.CPU.X64Level())
	}
	return nil
}

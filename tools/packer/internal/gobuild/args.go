package gobuild

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/strip"
)

// Args is the command line of the build verb: go build's, and a few of ours.
type Args struct {
	Levels   []goamd64.Level // -levels, in ascending order; all by default
	Report   string          // -report
	Launcher string          // -launcher
	Fallback bool            // -fallback
	Force    bool            // -force

	NoEnvironment bool // -no-environment
	Isolate       bool // -isolate

	Strip strip.Mode // -strip

	Dir      string   // -C
	Out      string   // -o
	Parallel int      // -p, or 0
	Mode     string   // -buildmode, or nothing
	LDFlags  []string // values of -ldflags
	DryRun   bool     // -n
	JSON     bool     // -json
	Flags    []string // all other flags of go build, in order
	Packages []string

	System     string   // C compiler and CGO_LDFLAGS
	CVariables []string // variables with arguments of the C linker, as name=value
	CrossCache string   // where modules are, if the go command is one of another platform
}

// Use takes from the environment of the build what flags are read together with.
func (a *Args) Use(env *Environment) {
	a.System = env.CC + " " + env.CGO_LDFLAGS
	a.CVariables = []string{"CC=" + env.CC, "CXX=" + env.CXX, "CGO_LDFLAGS=" + env.CGO_LDFLAGS}
	if env.crosses() {
		a.CrossCache = env.GOMODCACHE
	}
}

// ErrHelp is the error of a command line that asks for help.
var ErrHelp = errors.New("help")

// withValue has the flags of go build whose value may be the next argument.
// Source: go help build. Every other flag is boolean, or has its value behind
// an equals sign.
var withValue = map[string]bool{
	"C": true, "o": true, "p": true,
	"asmflags": true, "buildmode": true, "compiler": true, "covermode": true, "coverpkg": true,
	"gccgoflags": true, "gcflags": true, "installsuffix": true, "ldflags": true, "mod": true,
	"modfile": true, "overlay": true, "pgo": true, "pkgdir": true, "tags": true, "toolexec": true,
	"levels": true, "report": true, "launcher": true, "strip": true,
}

// Parse parses the arguments of the build verb. goflags is the value of
// GOFLAGS, which counts where the command line is silent.
func Parse(args []string, goflags string) (*Args, error) {
	a := &Args{}
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			args = args[1:]
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			break
		}
		args = args[1:]
		name, value, given := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if !given && withValue[name] {
			if len(args) == 0 {
				return nil, fmt.Errorf("-%s: no value", name)
			}
			value, args = args[0], args[1:]
		}
		if err := a.set(name, value, given || withValue[name]); err != nil {
			return nil, err
		}
	}
	a.Packages = args
	if err := a.fillFrom(goflags); err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	if len(a.Levels) == 0 {
		a.Levels = []goamd64.Level{1, 2, 3, 4}
	}
	return a, nil
}

func (a *Args) set(name, value string, given bool) (err error) {
	switch name {
	case "h", "help":
		return ErrHelp
	case "levels":
		a.Levels, err = parseLevels(value)
	case "report":
		a.Report = value
	case "launcher":
		a.Launcher = value
	case "strip":
		err = a.Strip.Set(value)
	case "fallback":
		a.Fallback, err = parseBool(value, given)
	case "force":
		a.Force, err = parseBool(value, given)
	case "no-environment":
		a.NoEnvironment, err = parseBool(value, given)
	case "isolate":
		a.Isolate, err = parseBool(value, given)
	case "C":
		a.Dir = value
	case "o":
		a.Out = value
	case "p":
		if a.Parallel, err = strconv.Atoi(value); err != nil || a.Parallel < 1 {
			err = errors.New("want a positive number")
		}
	case "buildmode":
		a.Mode = value
	case "ldflags":
		a.LDFlags = append(a.LDFlags, value)
	default:
		switch name {
		case "n":
			a.DryRun, err = parseBool(value, given)
		case "json":
			a.JSON, err = parseBool(value, given)
		}
		flag := "-" + name
		if given {
			flag += "=" + value
		}
		a.Flags = append(a.Flags, flag)
	}
	if err != nil {
		return fmt.Errorf("-%s %q: %w", name, value, err)
	}
	return nil
}

// fillFrom takes from GOFLAGS what has to be merged with flags of ours.
func (a *Args) fillFrom(goflags string) error {
	words, err := splitQuoted(goflags)
	if err != nil {
		return err
	}
	var ldflags, flags []string
	for _, word := range words {
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		_, set := a.flag(name)
		switch {
		case name == "ldflags":
			ldflags = append(ldflags, value)
		case name == "buildmode" && a.Mode == "":
			a.Mode = value
		case name == "o" && a.Out == "":
			a.Out = value
		case name == "n" && !set:
			a.DryRun, err = parseBool(value, given)
		case name == "json" && !set:
			a.JSON, err = parseBool(value, given)
		case toolOutputs[name] != nil, buildOutputs[name] != 0, name == "toolexec", name == "work":
			// The go command reads GOFLAGS as well, and what comes later counts.
			flags = append(flags, "-"+strings.TrimLeft(word, "-"))
		}
		if err != nil {
			return fmt.Errorf("-%s %q: %w", name, value, err)
		}
	}
	a.Flags = append(flags, a.Flags...)
	if len(a.LDFlags) == 0 {
		a.LDFlags = ldflags
	}
	return nil
}

// flag returns the value of a flag among Flags; of several the last one counts.
func (a *Args) flag(name string) (value string, set bool) {
	for _, flag := range a.Flags {
		if this, text, _ := strings.Cut(flag, "="); this == "-"+name {
			value, set = text, true
		}
	}
	return value, set
}

// processor returns the best level that this machine runs, or 0 if it is no amd64.
var processor = func() goamd64.Level { return goamd64.Level(cpuid.CPU.X64Level()) }

// Hole returns a warning about levels that leave many machines with a much lower one than
// they have, or nothing.
func Hole(levels []goamd64.Level) string {
	lower := goamd64.Level(0) // what a machine with v3 starts
	for _, level := range levels {
		if level <= 3 {
			lower = max(lower, level)
		}
	}
	if lower == 0 || lower == 3 || !slices.Contains(levels, 4) {
		return ""
	}
	return fmt.Sprintf("warning: the levels have v4 but not v3: a CPU without AVX-512, such as every AMD before Zen 4 and most of Intel's for desktops and laptops, starts %v: add v3 to -levels", lower)
}

func parseLevels(s string) ([]goamd64.Level, error) {
	var chosen, named [goamd64.Max + 1]bool
	for _, name := range strings.Split(s, ",") {
		if name == "native" {
			level := processor()
			if level < goamd64.Min {
				return nil, errors.New("native is the best level that this machine runs, but this machine is no amd64: name levels")
			}
			chosen[level] = true
			continue
		}
		level, err := goamd64.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%w, or native", err)
		}
		if named[level] {
			return nil, fmt.Errorf("%v twice", level)
		}
		chosen[level], named[level] = true, true
	}
	var levels []goamd64.Level
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		if chosen[level] {
			levels = append(levels, level)
		}
	}
	return levels, nil
}

func parseBool(value string, given bool) (bool, error) {
	if !given {
		return true, nil
	}
	return strconv.ParseBool(value)
}

// Plain returns the arguments of the go command for a plain build. What -strip leaves
// out, the linker does then.
func (a *Args) Plain() ([]string, error) {
	args := []string{"build"}
	if a.Dir != "" {
		args = append(args, "-C", a.Dir) // has to come first
	}
	if a.Out != "" {
		args = append(args, "-o="+a.Out)
	}
	if a.Mode != "" {
		args = append(args, "-buildmode="+a.Mode)
	}
	if a.Parallel > 0 {
		args = append(args, "-p="+strconv.Itoa(a.Parallel))
	}
	ldflags, err := linkStripped(a.Strip, a.LDFlags)
	if err != nil {
		return nil, err
	}
	for _, value := range ldflags {
		args = append(args, "-ldflags="+value)
	}
	args = append(append(args, a.Flags...), "--")
	return append(args, a.Packages...), nil
}

package main

import (
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/command"
	"rules_go_multiarch/tools/packer/internal/gobuild"
	"rules_go_multiarch/tools/packer/internal/pack"
	"rules_go_multiarch/tools/packer/internal/strip"
	"rules_go_multiarch/tools/packer/internal/variant"
)

var buildVerb = verb{
	name:    "build",
	summary: "build every level and pack them, in place of go build",
	usage: `build [flags] [go build flags] [packages]

Runs go build once per level, several at a time, and packs what they built into
the file that go build would write: -o FILE, -o DIRECTORY, or the default name.
Takes all flags of go build, GOFLAGS, and packages as go build does, and also
package@version as go install does. When that is one program in a module, a level
whose code is that of a lower one is left out, with a line that says so.

Where a flag names a file or folder to write, each level writes its own: FILE
becomes FILE.v3, and DIR becomes DIR/v3. With -json, each event has a field
GOAMD64. docs/packer-build.md has all such flags.

  -levels v1,...     the levels; all four by default; native stands for the best
                     one that this machine runs
  -p N               bounds the builds that run at once, and the -p of each; also
                     MGO_PARALLEL_BUILD=N, which bounds the builds alone
  -report FILE       write times, sizes and digests of all levels, as JSON
                     (schema: tools/packer/SCHEMA.md)
  -fallback          on a target other than linux/amd64, run a plain go build
  -force             pack levels that turn out to be different programs
  -launcher FILE     as for create
  -no-environment    as for create
  -isolate           as for create
  -strip MODE        as for create; like go build, it leaves nothing out by default

example: packer build -levels v1,v3 -trimpath -o app ./cmd/app`,
	run: runBuild,
}

// buildReport is what -report writes; SCHEMA.md documents it.
type buildReport struct {
	Seconds float64         `json:"seconds"`
	Outputs []outputReport  `json:"outputs"`
	Builds  []levelDuration `json:"builds"`
}

type outputReport struct {
	File   string        `json:"file"`
	Size   int64         `json:"size"`
	Levels []levelReport `json:"levels"`
}

type levelReport struct {
	Level       string `json:"level"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
	IdenticalTo string `json:"identicalTo,omitempty"`
}

type levelDuration struct {
	Level   string  `json:"level"`
	Seconds float64 `json:"seconds"`
}

func runBuild(w *world, args []string) error {
	began := time.Now()
	// The value of GOFLAGS may come from a file, which the go command knows; -C
	// says where it has to look.
	first, err := gobuild.Parse(args, "")
	if errors.Is(err, gobuild.ErrHelp) {
		return flag.ErrHelp
	}
	if err != nil {
		return usageError{err}
	}
	log := gobuild.NewLog(w.stdout, w.stderr)
	env, err := gobuild.ReadEnvironment(w.ctx, first.Dir, log)
	if err != nil {
		return err
	}
	parsed, err := gobuild.Parse(args, env.GOFLAGS)
	if err != nil {
		return usageError{err}
	}
	parsed.Use(env)
	if err := env.Check(); err != nil {
		var foreign *gobuild.ForeignTarget
		if parsed.Fallback && errors.As(err, &foreign) {
			return plainBuild(w, parsed, env.GOTMPDIR)
		}
		return err
	}
	if err := parsed.Check(); err != nil {
		return usageError{err}
	}

	if warning := gobuild.Hole(parsed.Levels); warning != "" {
		fmt.Fprintf(w.stderr, "packer: build: %s\n", warning)
	}
	temporary, err := os.MkdirTemp(env.GOTMPDIR, "packer-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	build := &gobuild.Build{Args: parsed, Log: log, Temporary: temporary, Processors: runtime.NumCPU()}
	programs, timings, err := build.Run(w.ctx)
	if bad := (*gobuild.FlagError)(nil); errors.As(err, &bad) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	report := buildReport{Outputs: []outputReport{}}
	if len(programs) > 0 {
		launcher, err := w.launcher(parsed.Launcher)
		if err != nil {
			return err
		}
		for _, program := range programs {
			out, err := packProgram(w, build, program, launcher)
			if err != nil {
				return err
			}
			report.Outputs = append(report.Outputs, *out)
		}
	}
	if parsed.Report == "" {
		return nil
	}
	for _, t := range timings {
		report.Builds = append(report.Builds, levelDuration{t.Level.String(), t.Took.Seconds()})
	}
	report.Seconds = time.Since(began).Seconds()
	path := parsed.Report
	if !filepath.IsAbs(path) {
		path = filepath.Join(parsed.Dir, path)
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return w.writeFile(path, 0o666, 0, func(out io.Writer) error {
		_, err := out.Write(append(text, '\n'))
		return err
	})
}

// packProgram packs a program's levels, without those that are not worth it.
func packProgram(w *world, build *gobuild.Build, program gobuild.Program, launcher *bootcode.Code) (*outputReport, error) {
	same, err := build.Identical(w.ctx, program)
	if err != nil {
		return nil, err
	}
	report := &outputReport{File: program.Out}
	var variants []*variant.Variant
	for _, built := range program.Variants {
		v, err := openInput(built.Path, built.Level)
		if err != nil {
			return nil, fmt.Errorf("%s: %v: %w", program.Out, built.Level, err)
		}
		defer v.Close()
		v.Path = fmt.Sprintf("%s: %v", program.Out, built.Level)
		if v, err = strip.Variant(v, build.Strip); err != nil {
			return nil, fmt.Errorf("%s: %w", program.Out, err)
		}
		digest, err := v.Digest(w.ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Path, err)
		}
		level := levelReport{Level: built.Level.String(), Size: v.Size, SHA256: hex.EncodeToString(digest[:])}
		if lower, found := same[built.Level]; found {
			level.IdenticalTo = lower.String()
			fmt.Fprintf(w.stderr, "packer: build: %s: %v left out: its code is identical to %v's\n", program.Out, built.Level, lower)
		} else {
			variants = append(variants, v)
		}
		report.Levels = append(report.Levels, level)
	}
	if err := checkReplaceable(program.Out); err != nil {
		return nil, err
	}
	if !build.Force {
		if err := checkSameProgram(variants); err != nil {
			return nil, err
		}
		w.warnOfChanges(program.Out, variants)
	}
	file, err := pack.New(w.ctx, variants, pack.Options{Launcher: launcher, NoEnvironment: build.NoEnvironment, Isolate: build.Isolate})
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(program.Out), 0o777); err != nil {
		return nil, fmt.Errorf("%s: %w", program.Out, reason(err))
	}
	err = w.writeFile(program.Out, 0o777, file.Size(), file.Write)
	report.Size = file.Size()
	return report, err
}

// checkReplaceable refuses, as go build does, to replace what no build has made:
// -o main.go is a slip.
func checkReplaceable(out string) error {
	file, err := os.Open(out)
	if err != nil {
		return nil // there is nothing, or writing has a better error
	}
	defer file.Close()
	head := make([]byte, len(elf.ELFMAG))
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	if _, err := io.ReadFull(file, head); err == nil && string(head) == elf.ELFMAG {
		return nil
	}
	return fmt.Errorf("%s: exists and is no executable: remove it, or want another -o", out)
}

// plainBuild runs go build as if packer was not there, with temporary files in a folder
// or where they always are.
func plainBuild(w *world, a *gobuild.Args, folder string) error {
	fmt.Fprintln(w.stderr, "packer: build: no packed file for this target: a plain go build")
	args, err := a.Plain()
	if err != nil {
		return usageError{err}
	}
	cmd := command.InGroup(w.ctx, "go", "", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, raw(w.stdout), raw(w.stderr)
	if !slices.Contains(a.Flags, "-work") {
		// The go command leaves its own behind when it is interrupted early.
		temporary, err := os.MkdirTemp(folder, "packer-build-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		cmd.Env = append(cmd.Environ(), "GOTMPDIR="+temporary)
	}
	if err := command.Run(w.ctx, cmd); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

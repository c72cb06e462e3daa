// Package gobuild runs "go build" once per level, with each level linked in its
// own slot, and finds what it built.
package gobuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/command"
)

// Build is a build of one or more programs at several levels.
type Build struct {
	*Args
	Log        *Log
	Temporary  string // an empty directory; the caller removes it
	Processors int
}

// Program is one program that was built, at all levels.
type Program struct {
	Package  string // import path of its main package, if known
	Out      string // where the packed file belongs
	Variants []Variant
}

// Variant is a program at one level.
type Variant struct {
	Level goamd64.Level
	Path  string
}

// Timing is how long a level took to build.
type Timing struct {
	Level goamd64.Level
	Took  time.Duration
}

// Check refuses arguments that cannot lead to a packed file.
func (a *Args) Check() error {
	switch a.Mode {
	case "", "default", "exe", "pie":
	default:
		return fmt.Errorf("-buildmode=%s: only exe and pie make executables", a.Mode)
	}
	for _, level := range a.Levels {
		if _, err := a.at(level); err != nil {
			return err
		}
	}
	return nil
}

// Run builds all levels. What is built for no output, because go build would
// write none, gives no programs. The error of a level that fails comes after its
// output.
func (b *Build) Run(ctx context.Context) ([]Program, []Timing, error) {
	p, err := b.plan(ctx)
	if err != nil {
		return nil, nil, err
	}
	atOnce := len(b.Levels)
	if b.inTurn() {
		atOnce = 1
	}
	builds, each, err := Concurrency(atOnce, b.Parallel, b.Processors)
	if err != nil {
		return nil, nil, err
	}
	timings, err := b.buildLevels(ctx, p, builds, each)
	if err != nil || p.discard || b.DryRun {
		return nil, timings, err
	}
	programs, err := b.collect(p)
	return programs, timings, err
}

// plan says how the go command is called and where its output goes.
type plan struct {
	verb     string   // build or install
	packages []string // import paths, in the order of mains; nil for install
	mains    []string // of those, the main packages
	file     bool     // -o names a file
	discard  bool     // go build would write nothing
}

func (b *Build) plan(ctx context.Context) (*plan, error) {
	p := &plan{verb: "build"}
	for _, pkg := range b.Packages {
		if strings.Contains(pkg, "@") {
			p.verb = "install"
		}
	}
	if p.verb == "install" {
		p.file = b.Out != "" && !b.outIsDirectory()
		return p, b.download(ctx)
	}
	if err := b.list(ctx, p); err != nil {
		return nil, err
	}
	switch {
	case b.Out == "":
		// "When compiling multiple packages or a single non-main package, build
		// compiles the packages but discards the resulting object" (go help build).
		p.discard = len(p.packages) != 1 || len(p.mains) != 1
	case b.Out == os.DevNull:
		p.discard = true
	case b.outIsDirectory():
		if len(p.mains) == 0 {
			return nil, fmt.Errorf("-o %s: no main packages to build", b.Out)
		}
	default:
		p.file = true
		if len(p.packages) > 1 {
			return nil, fmt.Errorf("-o %s: cannot write %d packages to what is no directory", b.Out, len(p.packages))
		}
		if len(p.mains) == 0 {
			return nil, fmt.Errorf("-o %s: %s is not a main package: there is no executable to pack", b.Out, strings.Join(p.packages, " "))
		}
	}
	return p, nil
}

// inDir returns a path as go build -C means it.
func (b *Build) inDir(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(b.Dir, path)
}

// outIsDirectory reports whether go build would take -o for a directory.
func (b *Build) outIsDirectory() bool {
	if strings.HasSuffix(b.Out, "/") || strings.HasSuffix(b.Out, string(os.PathSeparator)) {
		return true
	}
	info, err := os.Stat(b.inDir(b.Out))
	return err == nil && info.IsDir()
}

// download has the modules there that all levels need, once. Only go install resolves
// package@version; with -n it loads all packages and builds none.
func (b *Build) download(ctx context.Context) error {
	_, err := b.output(ctx, append(append([]string{"install"}, listFlags(b.Flags)...), "-n"), b.Packages)
	return err
}

// list finds the packages that are named, and which of them are programs. The modules
// that they need are there then.
func (b *Build) list(ctx context.Context, p *plan) error {
	args := append([]string{"list", "-f={{.Name}} {{.ImportPath}}"}, listFlags(b.Flags)...)
	out, err := b.output(ctx, args, b.Packages)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		name, path, found := strings.Cut(line, " ")
		if !found {
			continue
		}
		p.packages = append(p.packages, path)
		if name == "main" {
			p.mains = append(p.mains, path)
		}
	}
	return nil
}

// listFlags returns those of a build's flags that go list knows too and that do
// not make it print or write anything else, for GOFLAGS may have these as well.
func listFlags(build []string) []string {
	flags := []string{"-a=false", "-n=false", "-x=false", "-json=false"}
	for _, flag := range build {
		switch name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "="); name {
		case "a", "n", "v", "x", "work", "json":
		case "debug-actiongraph", "debug-runtime-trace", "debug-trace":
		default:
			flags = append(flags, flag)
		}
	}
	return flags
}

// FlagError is the error of flags that the go command does not take.
type FlagError struct{ Reason string }

func (e *FlagError) Error() string { return e.Reason + " (packer and go build have no such flag)" }

func (b *Build) output(ctx context.Context, args, packages []string) (string, error) {
	cmd := command.InGroup(ctx, "go", b.Dir, append(append(args, "--"), packages...)...)
	cmd.Env = b.environ(cmd, goamd64.Min)
	var stdout, stderr bytes.Buffer
	downloads := b.Log.downloads(&stderr)
	cmd.Stdout, cmd.Stderr = &stdout, downloads
	err := command.Run(ctx, cmd)
	downloads.end()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		text := strings.TrimSpace(stderr.String())
		// What follows is how go list is used, which the user did not ask for.
		if line, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(rest, "usage: go list ") {
			return "", &FlagError{line}
		}
		if !strings.Contains(text, "\n") {
			return "", fmt.Errorf("go %s: %s", args[0], text)
		}
		return "", fmt.Errorf("go %s:\n%s", args[0], text)
	}
	return stdout.String(), err
}

// environ is the environment of the go command for a level. Its temporary files
// go where ours are, so that none is left behind when it is killed.
func (b *Build) environ(cmd *exec.Cmd, level goamd64.Level) []string {
	env := append(cmd.Environ(), "GOOS=linux", "GOARCH=amd64", "GOAMD64="+level.String())
	if b.CrossCache != "" {
		env = append(env, "GOBIN=") // go install refuses it
	}
	if b.keepsWork() {
		return env
	}
	return append(env, "GOTMPDIR="+b.Temporary)
}

// keepsWork reports whether the go command's temporary files are to stay, with -work.
func (a *Args) keepsWork() bool {
	value, set := a.flag("work")
	return set && value != "false"
}

// folder is where a level's executables are written.
func (b *Build) folder(level goamd64.Level) string { return filepath.Join(b.Temporary, level.String()) }

// fileName is the name of an executable in its folder when -o names a file.
const fileName = "executable"

// buildLevels builds levels, some at once. When one fails the others are
// stopped, and its output comes last.
func (b *Build) buildLevels(ctx context.Context, p *plan, builds, each int) ([]Timing, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timings := make([]Timing, len(b.Levels))
	slots := make(chan struct{}, builds)
	var failed failure
	var all sync.WaitGroup
	for i, level := range b.Levels {
		all.Add(1)
		slots <- struct{}{} // here, so that levels begin in their order
		go func() {
			defer all.Done()
			defer func() { <-slots }()
			if ctx.Err() != nil {
				failed.set(ctx.Err(), nil)
				return
			}
			began := time.Now()
			log := b.Log.level(level.String())
			if b.DryRun && !b.JSON {
				log = b.Log.commands(level.String())
			}
			events := b.Log.events(level.String(), log)
			err := b.buildLevel(ctx, p, level, each, log, events)
			events.end()
			log.end()
			timings[i] = Timing{level, time.Since(began)}
			if err != nil {
				if ctx.Err() != nil {
					err = ctx.Err()
				}
				failed.set(err, log)
				cancel()
			}
		}()
	}
	all.Wait()
	if failed.err != nil && failed.log != nil {
		failed.log.repeat()
	}
	return timings, failed.err
}

// failure is the first error that is not the consequence of another one.
type failure struct {
	mutex sync.Mutex
	err   error
	log   *levelLog
}

func (f *failure) set(err error, log *levelLog) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.err == nil {
		f.err, f.log = err, log
	}
}

func (b *Build) buildLevel(ctx context.Context, p *plan, level goamd64.Level, each int, log, events *levelLog) error {
	folder := b.folder(level)
	temporary := folder + ".tmp"
	for _, folder := range []string{folder, temporary} {
		if err := os.Mkdir(folder, 0o777); err != nil {
			return err
		}
	}
	own, err := b.at(level)
	if err != nil {
		return err
	}
	if !b.DryRun {
		if err := own.makeFolders(); err != nil {
			return err
		}
	}
	args := append([]string{p.verb, fmt.Sprintf("-p=%d", each)}, own.flags...)
	if b.Mode != "" {
		args = append(args, "-buildmode="+b.Mode)
	}
	for _, value := range own.ldflags {
		args = append(args, "-ldflags="+value)
	}
	switch {
	case p.verb == "install":
	case p.discard && b.Out == "":
	case p.discard:
		args = append(args, "-o="+os.DevNull)
	case p.file:
		args = append(args, "-o="+filepath.Join(folder, fileName))
	default:
		args = append(args, "-o="+folder+string(os.PathSeparator))
	}
	cmd := command.InGroup(ctx, "go", b.Dir, append(append(args, "--"), b.Packages...)...)
	cmd.Env = append(b.environ(cmd, level), own.env...)
	if !b.keepsWork() {
		cmd.Env = append(cmd.Env, "GOTMPDIR="+temporary)
	}
	// On another platform, go install installs to a folder of GOPATH alone.
	gopath := folder + ".gopath"
	crosses := p.verb == "install" && b.CrossCache != ""
	if crosses {
		cmd.Env = append(cmd.Env, "GOPATH="+gopath, "GOMODCACHE="+b.CrossCache)
	} else if p.verb == "install" {
		cmd.Env = append(cmd.Env, "GOBIN="+folder)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if b.JSON {
		cmd.Stdout = events
	}
	if err := command.Run(ctx, cmd); err != nil {
		return fmt.Errorf("%v: go %s: %w", level, p.verb, err)
	}
	if !crosses || b.DryRun {
		return nil
	}
	if err := os.Remove(folder); err != nil {
		return err
	}
	return os.Rename(filepath.Join(gopath, "bin", "linux_amd64"), folder)
}

// collect finds what was built: the same programs at each level.
func (b *Build) collect(p *plan) ([]Program, error) {
	var programs []Program
	for i, level := range b.Levels {
		entries, err := os.ReadDir(b.folder(level))
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			return nil, fmt.Errorf("%v: go %s wrote nothing", level, p.verb)
		}
		if p.file && len(entries) > 1 {
			return nil, fmt.Errorf("-o %s: cannot write %d programs to what is no directory", b.Out, len(entries))
		}
		if i > 0 && len(entries) != len(programs) {
			return nil, fmt.Errorf("%v has %d programs, %v has %d", level, len(entries), b.Levels[0], len(programs))
		}
		for j, entry := range entries {
			if i == 0 {
				programs = append(programs, Program{Package: p.main(len(entries)), Out: b.outOf(p, entry.Name())})
			}
			path := filepath.Join(b.folder(level), entry.Name())
			if err := checkExecutable(path); err != nil {
				return nil, fmt.Errorf("%s: %w", programs[j].Out, err)
			}
			programs[j].Variants = append(programs[j].Variants, Variant{level, path})
		}
	}
	sort.Slice(programs, func(i, j int) bool { return programs[i].Out < programs[j].Out })
	return programs, nil
}

// main returns the main package when there is but one program.
func (p *plan) main(programs int) string {
	if programs == 1 && len(p.mains) == 1 {
		return p.mains[0]
	}
	return ""
}

// outOf returns where a packed file belongs.
func (b *Build) outOf(p *plan, name string) string {
	switch {
	case p.file:
		return b.inDir(b.Out)
	case b.Out != "":
		return filepath.Join(b.inDir(b.Out), name)
	}
	return filepath.Join(b.Dir, name)
}

// checkExecutable refuses an archive, which go build writes for a package that
// is not main.
func checkExecutable(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	head := make([]byte, 8)
	if _, err := file.Read(head); err == nil && bytes.Equal(head, []byte("!<arch>\n")) {
		return errors.New("is an archive: there is no executable to pack")
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/companion"
	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/process"
	"rules_go_multiarch/tools/packer/internal/variant"
)

var debugVerb = verb{
	name:    "debug",
	summary: "give debuggers the lines, variables and types of one level",
	usage: `debug [flags] FILE [vN=EXECUTABLE...] [-- DEBUGGER...]

Writes a debug file for each level: FILE.vN.debug. A debugger takes what it shows
from one of them, so a link beside FILE, by the name that FILE itself gives
(.gnu_debuglink), points at the debug file of the level that is to be debugged: by
default the one that this machine starts with this environment. gdb and Delve
follow it; they need no flags. If FILE is a symbolic link, all of this is beside
what it leads to.

With a DEBUGGER, runs it then, so that FILE starts the level that the link points
at; a process or core dump of FILE among its arguments says which. Started otherwise,
when it is another level that runs, a debugger finds no package variables, or, where the
CPU chose that level, may show the values that FILE has for the linked one (-isolate).

A level whose debug information is not in FILE, because it was packed with
-strip or stripped since, needs the EXECUTABLE that it was packed from, before
anything was stripped.

  -level vN    point at this level
  -pid PID     point at the level that a process runs
  -core CORE   point at the level that a process ran, which left a core dump
  -only        write the debug file of this one level alone
  -file OUT    the same, to OUT and without a link
  -if-any      with -file: write an empty OUT if there can be no debug file
  -o DIR       write to DIR, with a link by build id (DIR/.build-id/...), for
               gdb -iex "set debug-file-directory DIR", Delve's configuration
               debug-info-directories, or for all users: DIR /usr/lib/debug, where
               perf probe finds it too, which is then right for the lowest level alone

example: packer debug app -- dlv exec ./app`,
	run: runDebug,
}

type debugArgs struct {
	file, dir, core string
	out             string
	level           goamd64.Level
	pid             int
	only, ifAny     bool
	sources         []input
	debugger        []string
}

func parseDebug(args []string) (*debugArgs, error) {
	d := &debugArgs{}
	flags := newFlags("debug")
	flags.StringVar(&d.dir, "o", "", "")
	flags.StringVar(&d.core, "core", "", "")
	flags.StringVar(&d.out, "file", "", "")
	flags.BoolVar(&d.ifAny, "if-any", false, "")
	flags.IntVar(&d.pid, "pid", 0, "")
	flags.BoolVar(&d.only, "only", false, "")
	flags.Func("level", "", func(s string) (err error) {
		d.level, err = goamd64.Parse(s)
		return err
	})
	if at := slices.Index(args, "--"); at >= 0 {
		args, d.debugger = args[:at], args[at+1:]
	}
	operands, err := parse(flags, args)
	if err != nil {
		return nil, err
	}
	if len(operands) == 0 {
		return nil, usagef("no file: want FILE")
	}
	d.file = operands[0]
	for _, operand := range operands[1:] {
		in, err := parseInput(operand)
		if err != nil {
			return nil, usageError{err}
		}
		d.sources = append(d.sources, in)
	}
	given := 0
	for _, set := range []bool{d.level != 0, d.pid != 0, d.core != ""} {
		if set {
			given++
		}
	}
	switch {
	case d.out != "" && d.dir != "":
		return nil, usagef("want at most one of -o DIR and -file OUT")
	case d.ifAny && d.out == "":
		return nil, usagef("-if-any without -file OUT")
	case d.out != "" && len(d.debugger) > 0:
		return nil, usagef("want at most one of -file OUT and a debugger")
	}
	if given > 1 || d.pid < 0 {
		return nil, usagef("want at most one of -level vN, -pid PID and -core CORE")
	}
	return d, nil
}

func runDebug(w *world, args []string) error {
	d, err := parseDebug(args)
	if err != nil {
		return err
	}
	file, err := openPacked(d.file)
	if err != nil {
		return err
	}
	defer file.Close()
	d.infer(file)
	chosen, reason, err := d.choose(file)
	if d.ifAny && errors.Is(err, errStartsNone) {
		return d.writeNothing(w)
	}
	if err != nil {
		return err
	}
	sources, closeAll, err := openSources(file, d.sources)
	defer closeAll()
	if err != nil {
		return err
	}
	if d.out != "" {
		if err := d.checkApart(d.out); err != nil {
			return err
		}
		l, err := file.Level(chosen)
		if err != nil {
			return fmt.Errorf("%s: %w", d.file, err)
		}
		err = d.writeCompanion(w, file, l, sources[chosen], d.out)
		if d.ifAny && errors.Is(err, companion.ErrNoDWARF) {
			return d.writeNothing(w)
		}
		return err
	}
	dir, beside, err := d.folders()
	if err != nil {
		return err
	}
	target, err := d.writeCompanions(w, file, sources, dir, chosen)
	if err != nil {
		return err
	}
	link, err := d.link(file, dir, target)
	if err != nil {
		return err
	}
	if beside != "" {
		if _, err := d.link(file, beside, filepath.Join(dir, target)); err != nil {
			return err
		}
	}
	fmt.Fprintf(w.stdout, "%s -> %s: debuggers see %v (%s)\n", link, target, chosen, reason)
	if len(d.debugger) > 0 {
		return d.debug(w, file, chosen)
	}
	if d.level != 0 {
		d.sayWhatStarts(w, file, chosen)
	}
	return nil
}

// sayWhatStarts says how the file starts the level that debuggers see, where it does not
// by itself.
func (d *debugArgs) sayWhatStarts(w *world, file *packed.File, chosen goamd64.Level) {
	cpu := goamd64.Level(cpuid.CPU.X64Level())
	starts, _ := file.Start(cpu, os.Getenv)
	if starts == chosen {
		return
	}
	if would, reason := file.Start(cpu, forcing(chosen)); would != chosen {
		fmt.Fprintf(w.stdout, "%s does not start %v here: %s\n", d.file, chosen, reason)
		return
	}
	fmt.Fprintf(w.stdout, "%s starts %v here, and %v with %s=%s\n", d.file, starts, chosen, forceVariable, forceValue(chosen))
}

// forceVariable is the environment variable that picks a level.
const forceVariable = "GOMULTIARCH"

func forceValue(level goamd64.Level) string { return "level=" + level.String() }

// forcing returns an environment in which a packed file starts a level, or says why not.
func forcing(level goamd64.Level) func(string) string {
	return func(name string) string {
		if name == forceVariable {
			return forceValue(level)
		}
		return os.Getenv(name)
	}
}

// folders returns where companions and the link to one go: beside FILE. Where that is
// a symbolic link to another folder, they go there, where gdb looks; Delve looks
// beside the link, so another link has to be there.
func (d *debugArgs) folders() (dir, besideLink string, err error) {
	if d.dir != "" {
		return d.dir, "", os.MkdirAll(d.dir, 0o777)
	}
	dir = filepath.Dir(d.file)
	real, err := filepath.EvalSymlinks(d.file)
	if err != nil {
		return "", "", err
	}
	realDir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", "", err
	}
	if filepath.Dir(real) == realDir {
		return dir, "", nil
	}
	real, err = filepath.Abs(filepath.Dir(real))
	return real, dir, err
}

// infer finds the process or core dump of the file that the debugger is told to look
// into.
func (d *debugArgs) infer(file *packed.File) {
	if d.level != 0 || d.pid != 0 || d.core != "" || len(d.debugger) == 0 {
		return
	}
	for _, arg := range d.debugger[1:] {
		if strings.HasPrefix(arg, "-") { // --core=FILE, --pid=PID
			_, arg, _ = strings.Cut(arg, "=")
		}
		if pid, err := strconv.Atoi(arg); err == nil {
			if p, err := process.Read(pid); err == nil && p.BuildID == file.Manifest.BuildID {
				d.pid = pid
				return
			}
		}
		if process.IsCore(arg) { // of another program, too: that is an error
			d.core = arg
			return
		}
	}
}

// debug runs the debugger, in an environment in which the file starts a level.
func (d *debugArgs) debug(w *world, file *packed.File, chosen goamd64.Level) error {
	cmd := exec.Command(d.debugger[0], d.debugger[1:]...)
	// As they are, for debuggers that want a terminal.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, raw(w.stdout), raw(w.stderr)
	if d.pid == 0 && d.core == "" {
		if starts, reason := file.Start(goamd64.Level(cpuid.CPU.X64Level()), forcing(chosen)); starts != chosen {
			return fmt.Errorf("%s: would not start %v here: %s", d.file, chosen, reason)
		}
		cmd.Env = append(os.Environ(), forceVariable+"="+forceValue(chosen))
	}
	if err := runWithSignals(cmd); err != nil {
		return fmt.Errorf("%s: %w", d.debugger[0], err)
	}
	return nil
}

// runWithSignals runs a command that knows what to do about signals, and stays while it
// does. The terminal's own reach the command without us.
func runWithSignals(cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, slices.Concat(endSignals, terminalSignals)...)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case s := <-signals:
				if !slices.Contains(terminalSignals, s) {
					cmd.Process.Signal(s)
				}
			case <-ended:
				return
			}
		}
	}()
	return cmd.Wait()
}

func (d *debugArgs) writeNothing(w *world) error {
	return w.writeFile(d.out, 0o666, 0, func(io.Writer) error { return nil })
}

var errStartsNone = errors.New("starts no level here")

// choose returns the level that debuggers shall find, and why.
func (d *debugArgs) choose(file *packed.File) (goamd64.Level, string, error) {
	switch {
	case d.level != 0:
		if _, err := file.Level(d.level); err != nil {
			return 0, "", fmt.Errorf("%s: %w", d.file, err)
		}
		return d.level, "-level", nil
	case d.pid != 0:
		p, err := process.Read(d.pid)
		if err != nil {
			return 0, "", fmt.Errorf("process %d: %w", d.pid, err)
		}
		if p.BuildID != file.Manifest.BuildID {
			return 0, "", fmt.Errorf("process %d runs %s, which is not %s (build ids %q and %q)", d.pid, p.Executable, d.file, p.BuildID, file.Manifest.BuildID)
		}
		return p.Level, fmt.Sprintf("process %d runs it", d.pid), nil
	case d.core != "":
		level, err := process.ReadCore(d.core, file)
		if err != nil {
			return 0, "", fmt.Errorf("%s: %w", d.core, err)
		}
		return level, d.core + " is of it", nil
	}
	level, reason := file.Start(goamd64.Level(cpuid.CPU.X64Level()), os.Getenv)
	if level == 0 {
		return 0, "", fmt.Errorf("%s: %w: %s: want -level vN", d.file, errStartsNone, reason)
	}
	return level, reason, nil
}

// openSources opens the executables that have the debug information: those
// given, and what the packed file has.
func openSources(file *packed.File, given []input) (sources map[goamd64.Level]*variant.Variant, closeAll func(), err error) {
	sources = map[goamd64.Level]*variant.Variant{}
	var opened []*variant.Variant
	closeAll = func() {
		for _, v := range opened {
			v.Close()
		}
	}
	for _, in := range given {
		v, err := variant.Open(in.path, in.level)
		if err != nil {
			return nil, closeAll, fmt.Errorf("%s: %w", in.path, err)
		}
		opened = append(opened, v)
		if _, err := file.Level(v.Level); err != nil {
			return nil, closeAll, fmt.Errorf("%s: %s %w", in.path, file.Path, err)
		}
		if other, found := sources[v.Level]; found {
			return nil, closeAll, usagef("%s: given as %v, which %s is already", in.path, v.Level, other.Path)
		}
		sources[v.Level] = v
	}
	for _, l := range file.Levels {
		if sources[l.Level] != nil || file.Changed {
			continue
		}
		v, err := file.Variant(l)
		if err != nil {
			return nil, closeAll, fmt.Errorf("%s: %w", file.Path, err)
		}
		sources[l.Level] = v
	}
	return sources, closeAll, nil
}

// writeCompanions writes companions and returns the file name of the chosen
// level's. Others are left out where there is nothing to make them from.
func (d *debugArgs) writeCompanions(w *world, file *packed.File, sources map[goamd64.Level]*variant.Variant, dir string, chosen goamd64.Level) (target string, err error) {
	name := func(l packed.Level) string { return fmt.Sprintf("%s.%v.debug", filepath.Base(d.file), l.Level) }
	for _, l := range file.Levels {
		if err := d.checkApart(filepath.Join(dir, name(l))); err != nil {
			return "", err
		}
	}
	for _, l := range file.Levels {
		if d.only && l.Level != chosen {
			continue
		}
		path := filepath.Join(dir, name(l))
		err := d.writeCompanion(w, file, l, sources[l.Level], path)
		if l.Level != chosen && errors.Is(err, companion.ErrNoDWARF) {
			continue
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintln(w.stdout, path)
		if l.Level == chosen {
			target = name(l)
		}
	}
	return target, nil
}

// checkApart refuses to write where an executable is that was given.
func (d *debugArgs) checkApart(path string) error {
	inputs := []string{d.file}
	for _, in := range d.sources {
		inputs = append(inputs, in.path)
	}
	return checkApart(path, inputs...)
}

func (d *debugArgs) writeCompanion(w *world, file *packed.File, l packed.Level, source *variant.Variant, path string) error {
	made, err := newCompanion(file, l, source, companion.Found(d.dir != ""))
	if errors.Is(err, companion.ErrNoDWARF) {
		return fmt.Errorf("%s: %v %w: give the executable that it was packed from, before it was stripped, as %v=EXECUTABLE", d.file, l.Level, err, l.Level)
	}
	if err != nil {
		return fmt.Errorf("%s: %v: %w", d.file, l.Level, err)
	}
	return w.writeFile(path, 0o666, 0, made.Write)
}

func newCompanion(file *packed.File, l packed.Level, source *variant.Variant, found companion.Found) (*companion.Companion, error) {
	if source == nil {
		return nil, fmt.Errorf("%w any more: the file was stripped", companion.ErrNoDWARF)
	}
	return companion.New(file, l, source, found)
}

// link makes debuggers find a companion.
func (d *debugArgs) link(file *packed.File, dir, target string) (string, error) {
	id := file.Manifest.BuildID
	if len(id) < 4 {
		return "", fmt.Errorf("%s: build id %q: want at least 2 bytes", d.file, id)
	}
	if d.dir == "" {
		name := file.DebugLink
		if name == "" { // removed from the file since, but what debuggers find by build id can have this name too
			name = debuglink.Name(id)
		}
		path := filepath.Join(dir, name)
		return path, replaceLink(path, target)
	}
	path := filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	return path, replaceLink(path, filepath.Join("..", "..", target))
}

// companionName matches the names that writeCompanions gives.
var companionName = regexp.MustCompile(`.\.v[1-4]\.debug$`)

// replaceLink makes a symbolic link in one step, in place of an earlier one that
// leads to a companion. It replaces no other link, as the name may come from a
// hostile file, and no file, which is somebody's debug information.
func replaceLink(path, target string) error {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSymlink == 0 {
			return fmt.Errorf("%s: is there and no link: want to link it to %s", path, target)
		}
		was, err := os.Readlink(path)
		if err != nil {
			return err
		}
		if !companionName.MatchString(filepath.Base(was)) {
			return fmt.Errorf("%s: is a link to %s, which packer debug did not make: remove it, so that it can be linked to %s", path, was, target)
		}
	}
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/builds"
	"rules_go_multiarch/tools/packer/internal/packed"
)

var infoVerb = verb{
	name:    "info",
	summary: "show the levels of a packed file, or the level of a plain one",
	usage: `info [--json] [--html OUT] FILE

Shows what a packed file says of itself: its levels with sizes, addresses and
digests, how they share the address space, what its build information says
and where that differs from level to level, and which level this machine would
start, and why. Digests are those in the file; packer verify recomputes them.
Of a plain Go executable it shows the level and the build information.

  --json       print JSON (schema: tools/packer/SCHEMA.md)
  --html OUT   write a page with pictures to OUT instead

example: packer info app`,
	run: runInfo,
}

// fileInfo is what "info --json" prints; SCHEMA.md documents it.
type fileInfo struct {
	File        string              `json:"file"`
	Size        int64               `json:"size"`
	Packed      bool                `json:"packed"`
	Format      int                 `json:"format"`
	BuildID     string              `json:"buildId"`
	Layout      string              `json:"layout"`
	Environment bool                `json:"environment"`
	Changed     bool                `json:"changed"`
	Appended    uint64              `json:"appended,omitempty"`
	Program     *program            `json:"program,omitempty"`
	Differences []builds.Difference `json:"differences,omitempty"`
	Levels      []levelInfo         `json:"levels"`
	Launcher    launcherInfo        `json:"launcher"`
	Machine     machineInfo         `json:"machine"`
}

type levelInfo struct {
	Level   string   `json:"level"`
	Offset  uint64   `json:"offset"`
	Size    int64    `json:"size"`
	SHA256  string   `json:"sha256"`
	Address uint64   `json:"address"`
	End     uint64   `json:"end"`
	Entry   uint64   `json:"entry"`
	Program *program `json:"program,omitempty"`
}

type launcherInfo struct {
	Offset  uint64 `json:"offset"`
	Size    uint64 `json:"size"`
	Address uint64 `json:"address"`
	SHA256  string `json:"sha256"`
}

type machineInfo struct {
	Level  string `json:"level,omitempty"`
	Starts string `json:"starts,omitempty"`
	Reason string `json:"reason"`
}

func runInfo(w *world, args []string) error {
	flags := newFlags("info")
	asJSON := flags.Bool("json", false, "")
	html := flags.String("html", "", "")
	path, err := parseOne(flags, args)
	if err != nil {
		return err
	}
	if *asJSON && *html != "" {
		return usagef("--json and --html: want one of them")
	}
	file, err := openPacked(path)
	if err != nil && *html == "" {
		if plain := describePlain(path); plain != nil {
			return plain.print(w, *asJSON)
		}
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if *html != "" {
		return writePage(w, file, *html)
	}
	info := describe(file)
	if *asJSON {
		return w.writeJSON(info)
	}
	printInfo(w, info)
	return nil
}

func describe(file *packed.File) fileInfo {
	boot := file.Manifest.Boot
	info := fileInfo{
		File: file.Path, Size: file.Size, Packed: true, Format: file.Manifest.Format, BuildID: file.Manifest.BuildID,
		Layout: string(file.Layout()), Environment: !file.NoEnvironment, Changed: file.Changed, Appended: file.Appended(),
		Launcher: launcherInfo{Offset: boot.Offset, Size: boot.Size, Address: boot.Address, SHA256: boot.SHA256},
		Machine:  describeMachine(file),
	}
	compared := builds.Of(file)
	info.Differences = builds.Compare(compared)
	for i, l := range file.Levels {
		level := levelInfo{
			Level: l.Level.String(), Offset: l.Offset, Size: l.Size, SHA256: l.SHA256,
			Address: l.Table.Low, End: l.Table.High, Entry: l.Table.Entry,
		}
		if build := compared[i].Info; build != nil {
			level.Program = summarize(build)
		}
		if info.Program == nil {
			info.Program = level.Program
		}
		info.Levels = append(info.Levels, level)
	}
	if info.Program == nil {
		info.Program = readProgram(file)
	}
	return info
}

// describeMachine says what would happen here and now.
func describeMachine(file *packed.File) machineInfo {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return machineInfo{Reason: "this machine is " + runtime.GOOS + "/" + runtime.GOARCH + ", the file is for linux/amd64"}
	}
	cpu := goamd64.Level(cpuid.CPU.X64Level())
	starts, reason := file.Start(cpu, os.Getenv)
	info := machineInfo{Level: cpu.String(), Reason: reason}
	if starts != 0 {
		info.Starts = starts.String()
	}
	return info
}

func printInfo(w *world, info fileInfo) {
	out := w.stdout
	fmt.Fprintf(out, "%s: %d bytes, build id %s\n", info.File, info.Size, info.BuildID)
	info.Program.print(out)
	if len(info.Differences) > 0 {
		fmt.Fprintf(out, "builds:   the levels are not of the same build:\n%s", listed(info.Differences))
	}
	fmt.Fprintf(out, "layout:   %s\n", info.Layout)
	if !info.Environment {
		fmt.Fprintln(out, "launcher: reads no environment variables")
	}
	if info.Appended > 0 {
		fmt.Fprintf(out, "changed:  %d bytes were appended since it was packed; runs, but nothing can be taken out\n", info.Appended)
	} else if info.Changed {
		fmt.Fprintln(out, "changed:  stripped or otherwise written to since it was packed; runs, but nothing can be taken out")
	}
	if info.Machine.Starts != "" {
		fmt.Fprintf(out, "here:     starts %s: %s\n", info.Machine.Starts, info.Machine.Reason)
	} else {
		fmt.Fprintf(out, "here:     starts none: %s\n", info.Machine.Reason)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nLEVEL\tBYTES\tADDRESSES\tENTRY\tSHA-256")
	for _, l := range info.Levels {
		fmt.Fprintf(table, "%s\t%d\t%#x-%#x\t%#x\t%s\n", l.Level, l.Size, l.Address, l.End, l.Entry, l.SHA256)
	}
	table.Flush()
}

// print prints nothing for an executable without build information.
func (p *program) print(out io.Writer) {
	if p == nil {
		return
	}
	fmt.Fprintf(out, "program:  %s", p.Path)
	if p.Module != "" {
		fmt.Fprintf(out, " of module %s %s", p.Module, p.Version)
	}
	fmt.Fprintf(out, ", %s", p.Go)
	if p.Revision != "" {
		fmt.Fprintf(out, ", revision %s", p.Revision)
	}
	if p.Modified {
		fmt.Fprint(out, " with changes")
	}
	fmt.Fprintln(out)
}

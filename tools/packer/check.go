package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/cpufeatures"
	"rules_go_multiarch/tools/packer/internal/needs"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/variant"
)

var checkVerb = verb{
	name:    "check",
	summary: "tell whether Go executables run on this CPU",
	usage: `check [--cpu vN] [--json] FILE...

Tells which level each Go executable needs, whether this CPU has it, and which
CPU features are missing. It reads the files and never runs them; they can be
packed or plain, stripped, and of any system and architecture. It does not see
what C code in them needs.

  --cpu vN   ask about an amd64 CPU of level vN, not about this machine and its
             operating system
  --json     print JSON (schema: tools/packer/SCHEMA.md)

The exit status is 0 if all files run, 1 if one does not run, and 2 if packer
cannot tell for one.

example: packer check --cpu v2 app`,
	run: runCheck,
}

// checked is one element of what "check --json" prints; SCHEMA.md documents it.
type checked struct {
	File       string   `json:"file"`
	Packed     bool     `json:"packed"`
	OS         string   `json:"os,omitempty"`
	Arch       string   `json:"arch,omitempty"`
	Levels     []string `json:"levels,omitempty"`
	CPU        string   `json:"cpu,omitempty"`
	Runs       *bool    `json:"runs"`
	Starts     string   `json:"starts,omitempty"`
	Missing    []string `json:"missing,omitempty"`
	Hypervisor string   `json:"hypervisor,omitempty"`
	Reason     string   `json:"reason"`
}

// machine is what executables are to run on.
type machine struct {
	os   string // as GOOS; empty when the system does not count
	arch string // as GOARCH
	// level is the CPU's, or 0 when arch is not amd64.
	level goamd64.Level
	// here reports whether it is the one that packer runs on.
	here bool
}

func thisMachine() machine {
	m := machine{os: runtime.GOOS, arch: runtime.GOARCH, here: true}
	if m.arch == "amd64" {
		m.level = goamd64.Level(cpuid.CPU.X64Level())
	}
	return m
}

func (m machine) String() string {
	switch {
	case !m.here:
		return "an amd64 CPU of " + m.level.String()
	case m.level != 0:
		return "this CPU, which has " + m.level.String()
	}
	return "this machine, which is " + m.os + "/" + m.arch
}

func runCheck(w *world, args []string) error {
	flags := newFlags("check")
	asJSON := flags.Bool("json", false, "")
	on := thisMachine()
	flags.Func("cpu", "", func(s string) error {
		level, err := goamd64.Parse(s)
		on = machine{arch: "amd64", level: level}
		return err
	})
	files, err := parse(flags, args)
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return usagef("no file: want FILE")
	}
	results := []checked{}
	status := exitOK
	for _, file := range files {
		result := checkFile(file, on)
		results = append(results, result)
		switch {
		case result.Runs == nil:
			status = exitUnknown
		case !*result.Runs && status == exitOK:
			status = exitFailure
		}
	}
	if *asJSON {
		if err := w.writeJSON(results); err != nil {
			return err
		}
	} else {
		printChecked(w, results)
	}
	if status != exitOK {
		return reported(status)
	}
	return nil
}

// checkFile tells whether a file runs on a machine.
func checkFile(path string, on machine) checked {
	result := checked{File: path}
	if on.level != 0 {
		result.CPU = on.level.String()
	}
	cannotTell := func(err error) checked {
		result.Reason = "cannot tell: " + err.Error()
		return result
	}
	file, info, err := variant.OpenRegular(path)
	if err != nil {
		return cannotTell(err)
	}
	defer file.Close()
	packedFile, plain, err := readAny(file, info.Size())
	switch {
	case err != nil:
		return cannotTell(err)
	case packedFile != nil:
		result.checkPacked(packedFile, on)
	default:
		result.checkPlain(plain, on)
	}
	return result
}

// checkPacked tells which level of a packed file a CPU starts.
func (c *checked) checkPacked(file *packed.File, on machine) {
	c.Packed, c.OS, c.Arch = true, "linux", "amd64"
	for _, l := range file.Levels {
		c.Levels = append(c.Levels, l.Level.String())
	}
	if c.otherMachine(on) {
		return
	}
	if starts, _ := file.Start(on.level, func(string) string { return "" }); starts != 0 {
		c.Starts = starts.String()
	}
	c.judge(file.Baseline().Level, on)
}

// checkPlain tells whether a plain executable runs.
func (c *checked) checkPlain(x *needs.Executable, on machine) {
	c.OS, c.Arch = x.OS, x.Arch
	if x.Level != "" {
		c.Levels = []string{x.Level}
	}
	if c.otherMachine(on) {
		return
	}
	if x.Arch != "amd64" {
		if x.Level == "" || x.Level == firstLevels[x.Arch] {
			c.Runs, c.Reason = new(true), "runs on "+on.String()
			return
		}
		c.Reason = fmt.Sprintf("cannot tell: packer does not know which level of %s this CPU has", x.Arch)
		return
	}
	level, err := goamd64.Parse(x.Level)
	if err != nil {
		c.Reason = fmt.Sprintf("cannot tell: its Go build information says GOAMD64=%s: %v", x.Level, err)
		return
	}
	c.judge(level, on)
}

// firstLevels are the levels that every CPU of an architecture has which Go supports.
// Source: https://go.dev/wiki/MinimumRequirements.
var firstLevels = map[string]string{"arm64": "v8.0", "riscv64": "rva20u64", "ppc64": "power8", "ppc64le": "power8"}

// otherMachine reports whether an executable is for another system or architecture,
// and says so.
func (c *checked) otherMachine(on machine) bool {
	sameOS := on.os == "" || c.OS == on.os
	switch {
	case sameOS && c.Arch == on.arch:
		return false
	case c.Arch == "386" && !on.here:
		c.Runs, c.Reason = new(true), "runs on "+on.String()
	case sameOS && c.Arch == "386" && on.arch == "amd64":
		c.Reason = "cannot tell: not every kernel for amd64 runs programs for 386"
	case on.here:
		c.Runs, c.Reason = new(false), fmt.Sprintf("does not run on this machine, which is %s/%s", on.os, on.arch)
	default:
		c.Runs, c.Reason = new(false), "does not run on "+on.String()
	}
	return true
}

// judge compares the level that an executable needs with a CPU's.
func (c *checked) judge(needed goamd64.Level, on machine) {
	if needed <= on.level {
		c.Runs, c.Reason = new(true), "runs on "+on.String()
		if c.Starts != "" {
			c.Reason = "starts " + c.Starts + " on " + on.String()
		}
		return
	}
	c.Runs, c.Reason = new(false), "does not run on "+on.String()
	if on.here {
		c.Missing, c.Hypervisor = cpufeatures.Missing(needed), cpufeatures.Hypervisor()
	} else {
		c.Missing = cpufeatures.Between(on.level, needed)
	}
}

func printChecked(w *world, results []checked) {
	hypervisor := ""
	for _, c := range results {
		fmt.Fprintf(w.stdout, "%s: ", c.File)
		if c.Arch != "" {
			what := "for " + c.OS + "/" + c.Arch
			switch {
			case c.Packed:
				what += ", packed with " + strings.Join(c.Levels, ", ")
			case len(c.Levels) > 0:
				what += ", needs " + c.Levels[0]
			}
			fmt.Fprintf(w.stdout, "%s: ", what)
		}
		fmt.Fprint(w.stdout, c.Reason)
		if len(c.Missing) > 0 {
			fmt.Fprintf(w.stdout, "; it lacks %s", strings.Join(c.Missing, ", "))
		}
		fmt.Fprintln(w.stdout)
		if c.Hypervisor != "" {
			hypervisor = c.Hypervisor
		}
	}
	if hypervisor != "" {
		fmt.Fprintf(w.stdout, "This is a virtual machine (%s). Its hypervisor may hide features that the CPU has: choose a CPU model that passes them on, such as the host's own.\n", hypervisor)
	}
}

package packed

import (
	"fmt"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/launcher/format"
)

// Layout says how a file's variants share the address space.
type Layout string

// The layouts. See launcher/FORMAT.md.
const (
	SideBySide Layout = "side by side"
	Remapped   Layout = "remapped"
)

// Layout returns how the file's variants share the address space.
func (f *File) Layout() Layout {
	for _, l := range f.Levels {
		for _, op := range l.Ops {
			if op.Kind == format.OpMove {
				return Remapped
			}
		}
	}
	return SideBySide
}

// Start returns the level that the launcher would pick on a CPU of a given
// level with a given environment, and why; or 0 and why there is none. It
// follows the rules of package boot.
func (f *File) Start(cpu goamd64.Level, getenv func(string) string) (goamd64.Level, string) {
	if f.NoEnvironment {
		getenv = func(string) string { return "" }
	}
	limit, exact, asked := cpu, goamd64.Level(0), ""
	if value := getenv("GOAMD64"); value != "" {
		level, err := goamd64.Parse(value)
		if err != nil {
			return 0, fmt.Sprintf("GOAMD64=%s: %v", value, err)
		}
		if level < limit {
			limit, asked = level, "GOAMD64="+value
		}
	}
	for _, item := range items(getenv("GOMULTIARCH")) {
		name, value, hasValue := strings.Cut(item, "=")
		if isSwitch(item) {
			continue
		}
		if !hasValue || name != "level" && name != "max" {
			return 0, fmt.Sprintf("GOMULTIARCH has %q, want level=vN, max=vN, log or extract", item)
		}
		level, err := goamd64.Parse(value)
		switch {
		case err != nil:
			return 0, fmt.Sprintf("GOMULTIARCH has %s: %v", item, err)
		case name == "level":
			exact = level
		case level < limit:
			limit, asked = level, "GOMULTIARCH has "+item
		}
	}
	for _, item := range items(getenv("MGODEBUG")) {
		if !isSwitch(item) {
			return 0, fmt.Sprintf("MGODEBUG has %q, want log or extract", item)
		}
	}
	if exact != 0 {
		return f.startExactly(exact, cpu)
	}
	for i := len(f.Levels) - 1; i >= 0; i-- {
		if level := f.Levels[i].Level; level <= limit {
			if asked != "" {
				return level, asked + ", this CPU runs " + cpu.String()
			}
			return level, "this CPU runs " + cpu.String()
		}
	}
	if asked != "" {
		return 0, fmt.Sprintf("%s, the lowest level is %v", asked, f.Baseline().Level)
	}
	return 0, fmt.Sprintf("this CPU runs %v, the lowest level is %v", cpu, f.Baseline().Level)
}

func (f *File) startExactly(level, cpu goamd64.Level) (goamd64.Level, string) {
	asked := "GOMULTIARCH has level=" + level.String()
	if _, err := f.Level(level); err != nil {
		return 0, fmt.Sprintf("%s, but the file %v", asked, err)
	}
	if level > cpu {
		return 0, fmt.Sprintf("%s, but this CPU runs %v at most", asked, cpu)
	}
	return level, asked
}

// isSwitch reports whether an item of a variable has no say in the level.
func isSwitch(item string) bool { return item == "log" || item == "extract" }

func items(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

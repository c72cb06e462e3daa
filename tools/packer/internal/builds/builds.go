// Package builds compares the Go build information of a program's levels.
package builds

import (
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/gobuild"
	"rules_go_multiarch/tools/packer/internal/packed"
)

// Build is what a level says of its build. Without build information, as in
// executables of some build systems, Info is nil.
type Build struct {
	Level goamd64.Level
	Info  *buildinfo.BuildInfo
}

// Of returns what the levels of a packed file say.
func Of(file *packed.File) []Build {
	var builds []Build
	for _, l := range file.Levels {
		build := Build{Level: l.Level}
		if r, err := file.Range(l); err == nil {
			build.Info, _ = goamd64.BuildInfo(r)
		}
		builds = append(builds, build)
	}
	return builds
}

// Difference is something that is not the same at all levels.
type Difference struct {
	Name   string  `json:"name"`
	Values []Value `json:"values"`
}

// Value is what some levels have. An empty one stands for nothing at all.
type Value struct {
	Levels []string `json:"levels"`
	Value  string   `json:"value"`
}

// Names of differences. Others are settings, as the go command names them.
const (
	program   = "program"
	goVersion = "Go version"
	module    = "module " // and its path
	modified  = "vcs.modified"
	stamps    = "-ldflags=-X"
)

// String returns the difference on one line.
func (d Difference) String() string {
	var values []string
	for _, v := range d.Values {
		text := "none"
		if v.Value != "" {
			text = strconv.QuoteToGraphic(v.Value)
		}
		values = append(values, fmt.Sprintf("%s (%s)", text, strings.Join(v.Levels, ", ")))
	}
	name := strconv.QuoteToGraphic(d.Name)
	return strings.Trim(name, `"`) + ": " + strings.Join(values, ", ")
}

// IsSetting reports whether the difference is in what the go command was told: by flags
// and variables, not by the source.
func (d Difference) IsSetting() bool {
	return d.Name != program && d.Name != goVersion && !strings.HasPrefix(d.Name, module) && !strings.HasPrefix(d.Name, "vcs.")
}

// OnlyMarks reports whether the levels are of the same revision, and differ only in what
// marks a build: some were built while files of the working tree were changed or new, as
// a level's own executable is for the next one, or -X gave them other values, as a time.
func OnlyMarks(differences []Difference) bool {
	return len(differences) > 0 && !slices.ContainsFunc(differences, func(d Difference) bool { return d.Name != modified && d.Name != stamps })
}

// Compare returns how the builds differ, apart from what has to differ: GOAMD64 and
// addresses. It leaves out those without build information.
func Compare(builds []Build) []Difference {
	var compared []map[string]string
	var levels []string
	var names []string
	for _, b := range builds {
		if b.Info == nil || b.Info.Path == "" {
			continue
		}
		fields := map[string]string{}
		for _, f := range fieldsOf(b.Info) {
			fields[f.name] = f.value
			names = append(names, f.name)
		}
		compared = append(compared, fields)
		levels = append(levels, b.Level.String())
	}
	var differences []Difference
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		d := Difference{Name: name}
		for i, fields := range compared {
			d.add(levels[i], fields[name])
		}
		if len(d.Values) > 1 {
			differences = append(differences, d)
		}
	}
	return differences
}

func (d *Difference) add(level, value string) {
	at := slices.IndexFunc(d.Values, func(v Value) bool { return v.Value == value })
	if at < 0 {
		at = len(d.Values)
		d.Values = append(d.Values, Value{Value: value})
	}
	d.Values[at].Levels = append(d.Values[at].Levels, level)
}

type field struct{ name, value string }

// fieldsOf returns all that is compared.
func fieldsOf(info *buildinfo.BuildInfo) []field {
	fields := []field{{program, info.Path}, {goVersion, info.GoVersion}}
	if info.Main.Path != "" {
		main := info.Main
		// The go command marks the version where vcs.modified is true.
		main.Version = strings.TrimSuffix(strings.TrimSuffix(main.Version, "+dirty"), ".dirty")
		fields = append(fields, field{module + main.Path, describe(&main)})
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOAMD64", "vcs.time": // the time is the revision's
		case "-ldflags":
			flags, marks := gobuild.CutStamps(gobuild.WithoutPlace(s.Key, s.Value))
			fields = append(fields, field{s.Key, flags}, field{stamps, marks})
		case "-asmflags", "-gcflags":
			fields = append(fields, field{s.Key, gobuild.WithoutPlace(s.Key, s.Value)})
		case "CGO_LDFLAGS":
			fields = append(fields, field{s.Key, gobuild.WithoutExternalPlace(s.Value)})
		case "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS":
			fields = append(fields, field{s.Key, withoutMachine(s.Value)})
		default:
			fields = append(fields, field{s.Key, s.Value})
		}
	}
	for _, dep := range info.Deps {
		fields = append(fields, field{module + dep.Path, describe(dep)})
	}
	return fields
}

// describe returns version and checksum of a module, or of what replaces it.
func describe(m *debug.Module) string {
	text := strings.TrimSpace(m.Version + " " + m.Sum)
	if m.Replace != nil {
		text += " => " + m.Replace.Path + " " + describe(m.Replace)
	}
	return text
}

// withoutMachine leaves out the C compiler's options that choose instructions, as
// -march=x86-64-v3: they are to C what GOAMD64 is to Go.
func withoutMachine(flags string) string {
	words := slices.DeleteFunc(strings.Fields(flags), func(word string) bool { return strings.HasPrefix(word, "-m") })
	return strings.Join(words, " ")
}

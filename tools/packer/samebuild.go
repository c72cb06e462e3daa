package main

import (
	"fmt"
	"slices"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/builds"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// checkSameProgram refuses variants whose build information names different
// main packages.
func checkSameProgram(variants []*variant.Variant) error {
	var first *variant.Variant
	var path string
	for _, v := range variants {
		p := readProgram(v.Reader())
		if p == nil || p.Path == "" {
			continue
		}
		if first == nil {
			first, path = v, p.Path
		}
		if p.Path != path {
			return fmt.Errorf("%s: is the program %s, but %s is %s: give --force to pack them into one file all the same (in Bazel: force = True)", v.Path, p.Path, first.Path, path)
		}
	}
	return nil
}

// checkSameBuild refuses variants whose build information says that they are of
// different programs, or of different builds of one program.
func (w *world) checkSameBuild(verb string, variants []*variant.Variant) error {
	if err := checkSameProgram(variants); err != nil {
		return err
	}
	differences := differencesOf(variants)
	switch {
	case len(differences) == 0:
		return nil
	case builds.OnlyMarks(differences):
		fmt.Fprintf(w.stderr, "packer: %s: warning: the levels were built from the same revision, but are marked as different builds:\n%s", verb, listed(differences))
		return nil
	}
	return fmt.Errorf("%s: its levels are not of the same build:\n%sBuild all levels from the same source with the same flags, or give --force to pack them anyway (in Bazel: force = True)",
		paths(variants), listed(differences))
}

// warnOfChanges tells how the source changed while packer built the levels. What it told
// the go command differs where it has to.
func (w *world) warnOfChanges(out string, variants []*variant.Variant) {
	differences := slices.DeleteFunc(differencesOf(variants), builds.Difference.IsSetting)
	if len(differences) > 0 {
		fmt.Fprintf(w.stderr, "packer: build: %s: warning: the source changed while the levels were built:\n%s", out, listed(differences))
	}
}

// differencesOf compares variants of different levels. Of two of the same level package
// pack says more.
func differencesOf(variants []*variant.Variant) []builds.Difference {
	var compared []builds.Build
	for _, v := range variants {
		if slices.ContainsFunc(compared, func(b builds.Build) bool { return b.Level == v.Level }) {
			return nil
		}
		info, _ := goamd64.BuildInfo(v.Reader())
		compared = append(compared, builds.Build{Level: v.Level, Info: info})
	}
	return builds.Compare(compared)
}

// listed returns a line for each difference, as far as somebody may read them.
func listed(differences []builds.Difference) string {
	const most = 20
	var text strings.Builder
	for _, d := range differences[:min(len(differences), most)] {
		fmt.Fprintf(&text, "  %v\n", d)
	}
	if more := len(differences) - most; more > 0 {
		fmt.Fprintf(&text, "  and %d more\n", more)
	}
	return text.String()
}

// paths names the files of variants, each once.
func paths(variants []*variant.Variant) string {
	var names []string
	for _, v := range variants {
		if !slices.Contains(names, v.Path) {
			names = append(names, v.Path)
		}
	}
	return strings.Join(names, ", ")
}

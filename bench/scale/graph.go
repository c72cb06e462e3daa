package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// graph is what "bazel aquery" knows of a build, by names of analysis_v2.proto.
type graph struct {
	Artifacts []struct{ ID, PathFragmentID int }
	Actions   []action
	Targets   []struct {
		ID    int
		Label string
	}
	DepSetOfFiles []depSet
	PathFragments []fragment
}

type action struct {
	TargetID       int
	Mnemonic       string
	InputDepSetIDs []int
	OutputIDs      []int
}

type depSet struct {
	ID                  int
	DirectArtifactIDs   []int
	TransitiveDepSetIDs []int
}

type fragment struct {
	ID, ParentID int
	Label        string
}

// runfiles is the mnemonic of what stands for a program's runfiles in the graph. Bazel
// does not run it, and does not count it as an action.
const runfiles = "Middleman"

// countRuns counts the actions that "bazel build" of the targets runs when it has
// nothing yet, and those among them that start a process: compile, link, pack. It
// goes back from the files of the targets and from runfiles of programs among them,
// so that what was only made is left out. Manual targets among them are not built.
func (b *bazel) countRuns(targets string) (runs, processes int, err error) {
	asked, err := b.run("query", fmt.Sprintf(`%s except attr(tags, "\bmanual\b", %[1]s)`, targets))
	if err != nil {
		return 0, 0, err
	}
	targets = "set(" + strings.Join(strings.Fields(asked), " ") + ")"
	text, err := b.run("aquery", "--output=jsonproto", "--include_commandline=false", "deps("+targets+")")
	if err != nil {
		return 0, 0, err
	}
	var g graph
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return 0, 0, fmt.Errorf("reading the action graph of %s: %w", targets, err)
	}
	files, err := b.run("cquery", "--output=files", targets)
	if err != nil {
		return 0, 0, err
	}
	labels, err := b.run("query", targets)
	if err != nil {
		return 0, 0, err
	}
	if !slices.ContainsFunc(g.Actions, func(a action) bool { return a.Mnemonic == runfiles }) {
		return 0, 0, fmt.Errorf("the action graph of %s has no %s: this knows the graphs of Bazel 7", targets, runfiles)
	}
	for mnemonic, n := range g.runs(strings.Fields(files), strings.Fields(labels)) {
		runs += n
		if strings.HasPrefix(mnemonic, "Go") { // rules_go's and ours; all others are Bazel's own
			processes += n
		}
	}
	return runs, processes, nil
}

// runs counts, by mnemonic, the actions that files and the runfiles of labels are
// made by.
func (g *graph) runs(files, labels []string) map[string]int {
	wanted := map[string]bool{}
	for _, name := range append(files, labels...) {
		wanted[name] = true
	}
	top := map[int]bool{}
	for _, t := range g.Targets {
		top[t.ID] = wanted[t.Label]
	}
	makers := map[int]*action{} // by output
	var open []int              // artifacts to go back from
	for i := range g.Actions {
		a := &g.Actions[i]
		for _, output := range a.OutputIDs {
			makers[output] = a
		}
		if a.Mnemonic == runfiles && top[a.TargetID] {
			open = append(open, a.OutputIDs...)
		}
	}
	names := g.names()
	for _, artifact := range g.Artifacts {
		if wanted[names(artifact.PathFragmentID)] {
			open = append(open, artifact.ID)
		}
	}

	sets := map[int]depSet{}
	for _, s := range g.DepSetOfFiles {
		sets[s.ID] = s
	}
	count := map[string]int{}
	counted, gone := map[*action]bool{}, map[int]bool{}
	for len(open) > 0 {
		maker := makers[open[len(open)-1]]
		open = open[:len(open)-1]
		if maker == nil || counted[maker] { // a source, or known
			continue
		}
		counted[maker] = true
		if maker.Mnemonic != runfiles {
			count[maker.Mnemonic]++
		}
		inputs := append([]int(nil), maker.InputDepSetIDs...)
		for len(inputs) > 0 {
			id := inputs[len(inputs)-1]
			inputs = inputs[:len(inputs)-1]
			if !gone[id] {
				gone[id] = true
				open = append(open, sets[id].DirectArtifactIDs...)
				inputs = append(inputs, sets[id].TransitiveDepSetIDs...)
			}
		}
	}
	return count
}

// names returns a function that knows the path of a fragment.
func (g *graph) names() func(id int) string {
	fragments := map[int]fragment{}
	for _, f := range g.PathFragments {
		fragments[f.ID] = f
	}
	var name func(id int) string
	name = func(id int) string {
		if id == 0 {
			return ""
		}
		return path.Join(name(fragments[id].ParentID), fragments[id].Label)
	}
	return name
}

package bazeltest

import (
	"encoding/json"
	"path"
	"testing"
)

// GraphAction is an action as "bazel aquery" shows it, whether or not it was run.
type GraphAction struct {
	Mnemonic    string
	Arguments   []string
	Inputs      []string // paths below the execution root
	Environment map[string]string
	// ExecutionInfo is what executors read, and ExecutionPlatform the label of
	// the platform that the action runs on.
	ExecutionInfo     map[string]string
	ExecutionPlatform string
}

type keyValue struct{ Key, Value string }

// Graph returns the actions that an aquery expression names.
func (w Workspace) Graph(t testing.TB, expression string, flags ...string) []GraphAction {
	t.Helper()
	text := w.Bazel(t, append([]string{"aquery", "--output=jsonproto", expression}, flags...)...)
	// Names of analysis_v2.proto.
	var graph struct {
		Artifacts []struct{ ID, PathFragmentID int }
		Actions   []struct {
			Mnemonic             string
			Arguments            []string
			EnvironmentVariables []keyValue
			InputDepSetIDs       []int
			ExecutionInfo        []keyValue
			ExecutionPlatform    string
		}
		DepSetOfFiles []struct {
			ID                  int
			DirectArtifactIDs   []int
			TransitiveDepSetIDs []int
		}
		PathFragments []struct {
			ID, ParentID int
			Label        string
		}
	}
	if err := json.Unmarshal([]byte(text), &graph); err != nil {
		t.Fatalf("reading the action graph of %s: %v", expression, err)
	}

	fragments := map[int]int{}
	for i, f := range graph.PathFragments {
		fragments[f.ID] = i
	}
	var pathOf func(id int) string
	pathOf = func(id int) string {
		if id == 0 {
			return ""
		}
		f := graph.PathFragments[fragments[id]]
		return path.Join(pathOf(f.ParentID), f.Label)
	}
	artifacts := map[int]string{}
	for _, a := range graph.Artifacts {
		artifacts[a.ID] = pathOf(a.PathFragmentID)
	}
	sets := map[int]int{}
	for i, s := range graph.DepSetOfFiles {
		sets[s.ID] = i
	}
	var flatten func(id int, into *[]string)
	flatten = func(id int, into *[]string) {
		set := graph.DepSetOfFiles[sets[id]]
		for _, artifact := range set.DirectArtifactIDs {
			*into = append(*into, artifacts[artifact])
		}
		for _, other := range set.TransitiveDepSetIDs {
			flatten(other, into)
		}
	}

	var actions []GraphAction
	for _, a := range graph.Actions {
		action := GraphAction{
			Mnemonic:          a.Mnemonic,
			Arguments:         a.Arguments,
			Environment:       toMap(a.EnvironmentVariables),
			ExecutionInfo:     toMap(a.ExecutionInfo),
			ExecutionPlatform: a.ExecutionPlatform,
		}
		for _, set := range a.InputDepSetIDs {
			flatten(set, &action.Inputs)
		}
		actions = append(actions, action)
	}
	return actions
}

func toMap(pairs []keyValue) map[string]string {
	m := map[string]string{}
	for _, pair := range pairs {
		m[pair.Key] = pair.Value
	}
	return m
}

package main

import (
	"encoding/json"
	"maps"
	"testing"
)

// TestRuns goes back from one of two targets. Its program needs a library, through a
// depset in a depset, and has runfiles. A debug file is made that nothing asks for.
func TestRuns(t *testing.T) {
	var g graph
	err := json.Unmarshal([]byte(`{
		"artifacts": [
			{"id": 1, "pathFragmentId": 2}, {"id": 2, "pathFragmentId": 3}, {"id": 3, "pathFragmentId": 4},
			{"id": 4, "pathFragmentId": 5}, {"id": 5, "pathFragmentId": 6}, {"id": 6, "pathFragmentId": 7}, {"id": 7, "pathFragmentId": 8}],
		"pathFragments": [
			{"id": 1, "label": "bin"}, {"id": 2, "parentId": 1, "label": "lib.a"}, {"id": 3, "parentId": 1, "label": "app"},
			{"id": 4, "parentId": 1, "label": "app.debug"}, {"id": 5, "parentId": 1, "label": "app-runfiles"},
			{"id": 6, "parentId": 1, "label": "MANIFEST"}, {"id": 7, "label": "lib.go"}, {"id": 8, "parentId": 1, "label": "tool-runfiles"}],
		"targets": [{"id": 1, "label": "//a:app"}, {"id": 2, "label": "//a:lib"}, {"id": 3, "label": "//b:tool"}],
		"depSetOfFiles": [
			{"id": 1, "directArtifactIds": [6]}, {"id": 2, "transitiveDepSetIds": [3]}, {"id": 3, "directArtifactIds": [1]},
			{"id": 4, "directArtifactIds": [2]}, {"id": 5, "directArtifactIds": [2, 5]}],
		"actions": [
			{"targetId": 2, "mnemonic": "GoCompilePkg", "inputDepSetIds": [1], "outputIds": [1]},
			{"targetId": 1, "mnemonic": "GoLink", "inputDepSetIds": [2], "outputIds": [2]},
			{"targetId": 1, "mnemonic": "GoMultiarchDebug", "inputDepSetIds": [4], "outputIds": [3]},
			{"targetId": 1, "mnemonic": "SymlinkTree", "outputIds": [5]},
			{"targetId": 1, "mnemonic": "Middleman", "inputDepSetIds": [5], "outputIds": [4]},
			{"targetId": 3, "mnemonic": "Middleman", "inputDepSetIds": [4], "outputIds": [7]}]
	}`), &g)
	if err != nil {
		t.Fatal(err)
	}
	got := g.runs([]string{"bin/app"}, []string{"//a:app"})
	if want := map[string]int{"GoCompilePkg": 1, "GoLink": 1, "SymlinkTree": 1}; !maps.Equal(got, want) {
		t.Errorf("runs %v, want %v", got, want)
	}
	if got := g.runs([]string{"bin/lib.a"}, []string{"//a:lib"}); !maps.Equal(got, map[string]int{"GoCompilePkg": 1}) {
		t.Errorf("for the library alone runs %v, want to compile it", got)
	}
}

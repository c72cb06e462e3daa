package newcomer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// dependency is a module as "bazel mod graph" shows it.
type dependency struct {
	Key          string
	Dependencies []dependency
}

// modules returns the names of all modules in the graph.
func modules(t *testing.T, w bazeltest.Workspace) map[string]bool {
	t.Helper()
	var root dependency
	if err := json.Unmarshal([]byte(w.Bazel(t, "mod", "graph", "--output=json")), &root); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	var add func(dependency)
	add = func(d dependency) {
		name, _, _ := strings.Cut(d.Key, "@")
		names[name] = true
		for _, d := range d.Dependencies {
			add(d)
		}
	}
	add(root)
	return names
}

// TestModGraph wants a module with rules_go to get one more, this one.
func TestModGraph(t *testing.T) {
	w := gettingStarted(t)
	file := filepath.Join(w.Dir, "MODULE.bazel")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	with := modules(t, w)
	before, rest, found := strings.Cut(string(text), `bazel_dep(name = "rules_go_multiarch")`)
	_, after, found2 := strings.Cut(rest, "\n)\n")
	if !found || !found2 {
		t.Fatalf("MODULE.bazel is not as expected:\n%s", text)
	}
	bazeltest.Write(t, file, before+after)
	defer bazeltest.Write(t, file, string(text))
	without := modules(t, w)

	if len(without) < 5 || !with["rules_go_multiarch"] {
		t.Fatalf("the graphs have %v and %v", with, without)
	}
	for name := range with {
		if !without[name] && name != "rules_go_multiarch" {
			t.Errorf("module %s comes into the graph", name)
		}
	}
}

// Package conventions_test wants from our rules, and from the targets of this
// repository and of its examples, what people who use Bazel expect of every
// ruleset.
package conventions_test

import (
	"os"
	"path/filepath"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if copied.root.Dir != "" {
		copied.examples.Expunge()
		copied.root.Remove()
	}
	os.Exit(status)
}

// copied is made by the first test that needs it, for commands with flags that
// would cost the next command in the checkout a new analysis.
var copied struct{ root, examples bazeltest.Workspace }

// modules returns copies of this module and of that of the examples, by name.
func modules(t *testing.T) map[string]bazeltest.Workspace {
	t.Helper()
	if copied.root.Dir == "" {
		copied.root = bazeltest.Checkout(t).Copy(t, "conventions", "")
		copied.examples = copied.root.Module("examples")
	}
	return map[string]bazeltest.Workspace{"rules_go_multiarch": copied.root, "examples": copied.examples}
}

// examples returns the module of the examples, where it is.
func examples(t *testing.T) bazeltest.Workspace {
	t.Helper()
	w := bazeltest.Checkout(t)
	w.Dir = filepath.Join(w.Dir, "examples")
	return w
}

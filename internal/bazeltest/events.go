package bazeltest

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Built is what a build did, as the file of its events says.
type Built struct {
	Actions []Action
	// Runners counts the actions by what ran them, such as "remote",
	// "linux-sandbox", "disk cache hit" or, for Bazel itself, "internal".
	Runners map[string]int
}

// Action is one that Bazel ran, or took from a disk or remote cache.
type Action struct{ Mnemonic, Label, Output string }

// FromCache returns how many actions came from a disk or remote cache.
func (b Built) FromCache() (count int) {
	for runner, n := range b.Runners {
		if strings.Contains(runner, "cache hit") {
			count += n
		}
	}
	return count
}

// Names returns how often each action is among the actions, by "MNEMONIC LABEL".
func (b Built) Names() map[string]int {
	names := map[string]int{}
	for _, a := range b.Actions {
		names[a.Mnemonic+" "+a.Label]++
	}
	return names
}

// Build runs a build that has to succeed.
func (w Workspace) Build(t testing.TB, args ...string) Built {
	t.Helper()
	built, stderr, err := w.Try(t, "build", args...)
	if err != nil {
		t.Fatalf("bazel build %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return built
}

// Try runs a command that builds, and returns what it did, what it printed, and
// whether it failed.
func (w Workspace) Try(t testing.TB, command string, args ...string) (built Built, printed string, failed error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "events.json")
	stdout, stderr, failed := w.Run(append([]string{
		command, "--build_event_json_file=" + file, "--build_event_publish_all_actions",
	}, args...)...)
	printed = stderr + stdout // What --test_output=errors shows is in stdout.
	text, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v, after a build that printed\n%s", err, printed)
	}
	defer text.Close()
	built.Runners = map[string]int{}
	// Names of build_event_stream.proto.
	for decoder := json.NewDecoder(text); ; {
		var event struct {
			ID struct {
				ActionCompleted *struct{ PrimaryOutput, Label string }
			}
			Action       struct{ Type string }
			BuildMetrics struct {
				ActionSummary struct {
					RunnerCount []struct {
						Name  string
						Count int
					}
				}
			}
		}
		if err := decoder.Decode(&event); err == io.EOF {
			return built, printed, failed
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if id := event.ID.ActionCompleted; id != nil {
			built.Actions = append(built.Actions, Action{event.Action.Type, id.Label, id.PrimaryOutput})
		}
		for _, runner := range event.BuildMetrics.ActionSummary.RunnerCount {
			if runner.Name != "total" {
				built.Runners[runner.Name] += runner.Count
			}
		}
	}
}

//go:build servers

// Package remote_test builds with a remote cache, bazel-remote, and with a remote
// execution engine, BuildBox. It starts them on loopback, and two checkouts with
// a Bazel each: one fills the cache, the other lives off it.
//
// What the servers keep stays between runs, in the user's cache folder: it has
// the standard library of every level. Of our own rules and of the programs
// nothing is found there, as every run changes their sources.
package remote_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rules_go_multiarch/internal/bazeltest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	for _, stop := range slices.Backward(atEnd) {
		stop()
	}
	os.Exit(status)
}

// atEnd stops servers and removes checkouts, the last one first.
var atEnd []func()

var targets = []string{
	"//tests/bazel/programs:four_levels",
	"//tests/bazel/programs:two_levels",
}

// Each is what a change to the sources makes Bazel do anew, and how often.
var changed = map[string]int{
	"GoCompilePkg //tests/bazel/programs/greeting:greeting": 4,
	"GoLink //tests/bazel/programs:program":                 4,
	"GoCompilePkg //launcher/program:program":               1,
	"GoLink //launcher/program:program":                     1,
	"GoCompilePkg //tools/packer:pack":                      1,
	"GoLink //tools/packer:pack":                            1,
	"GoMultiarchPack //tests/bazel/programs:four_levels":    1,
	"GoMultiarchPack //tests/bazel/programs:two_levels":     1,
}

// both is made by the first test that needs it.
var both struct {
	begun         bool
	cache         *bazelRemote
	first, second bazeltest.Workspace
	salt          string            // in the sources of both
	built         bazeltest.Built   // in first
	outputs       map[string][]byte // of targets, built in first
}

// checkouts makes two checkouts of the same sources and builds in the first.
func checkouts(t *testing.T) {
	t.Helper()
	if both.outputs != nil {
		return
	}
	if both.begun {
		t.Fatal("the test that made the checkouts failed")
	}
	both.begun = true
	original := bazeltest.Checkout(t)
	both.cache = startBazelRemote(t)
	// Whatever else is set up, such as a disk cache, would stand in for the servers.
	const bazelrc = "common --disk_cache= --remote_retries=1\n"
	both.first = original.Copy(t, "remote-first", bazelrc)
	atEnd = append(atEnd, both.first.Remove)
	both.second = original.Copy(t, "remote-second", bazelrc)
	atEnd = append(atEnd, both.second.Remove)

	changeBoth(t)
	both.built = both.first.Build(t, append(targets, both.cache.flag())...)
	both.outputs = both.first.Files(t, targets)
}

// changeBoth changes program, launcher and packer in both checkouts so that no
// cache knows them.
func changeBoth(t *testing.T) {
	t.Helper()
	both.salt = time.Now().UTC().Format("20060102T150405.000000000")
	change(t, both.first, both.salt)
	change(t, both.second, both.salt)
}

// change makes a checkout's sources those of a certain salt, or what they are in
// the repository.
func change(t *testing.T, w bazeltest.Workspace, salt string) {
	t.Helper()
	for file, code := range map[string]string{
		"tests/bazel/programs/greeting/greeting.go": "func init() { if text() == \"\" { println(%q) } }",
		"launcher/program/main.go":                  "func init() { println(%q) }",
		"tools/packer/main.go":                      "func init() { if len(os.Args) == 0 { println(%q) } }",
	} {
		path := filepath.Join(w.Dir, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(string(text), mark)
		if salt != "" {
			before += mark + fmt.Sprintf(code, salt) + "\n"
		}
		bazeltest.Write(t, path, before)
	}
}

const mark = "\n// Changed.\n"

// wantRunners wants all actions to have been run by certain runners.
func wantRunners(t *testing.T, built bazeltest.Built, runners ...string) {
	t.Helper()
	allowed := map[string]bool{"internal": true}
	for _, runner := range runners {
		allowed[runner] = true
	}
	for runner, n := range built.Runners {
		if !allowed[runner] && n > 0 {
			t.Errorf("%d actions were run by %q, want only %q: %v", n, runner, runners, built.Runners)
		}
	}
}

// wantChanged wants a build to consist of all that a change of sources takes.
func wantChanged(t *testing.T, built bazeltest.Built) {
	t.Helper()
	count := built.Names()
	for name, want := range changed {
		if got := count[name]; got != want {
			t.Errorf("%s: %d actions, want %d", name, got, want)
		}
	}
}

//go:build servers

package remote_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestRemoteExecution builds on an engine what it cannot know yet, and nothing
// here. The packed files are those that were built here.
func TestRemoteExecution(t *testing.T) {
	checkouts(t)
	built, ran, printed, err := tryOnEngine(t, both.second, "build", append(targets, onEngine(t)...)...)
	if err != nil {
		t.Fatalf("bazel build: %v\n%s", err, printed)
	}
	t.Logf("build: %v", built.Runners)
	wantChanged(t, built)
	wantRunners(t, built, "remote", "remote cache hit")
	executed := 0
	for _, n := range changed {
		executed += n
	}
	if ran < executed {
		t.Errorf("%d actions were run by the engine, want %d or more", ran, executed)
	}
	wantOutputs(t)
}

// TestExamplesOnEngine builds and tests the examples on the engine. What it ran
// before, in this run or an earlier one, it remembers: its storage has no results
// but its own. The same for this whole repository is TestRepositoryOnEngine, which
// .ci/full runs.
func TestExamplesOnEngine(t *testing.T) {
	checkouts(t)
	restoreSecond(t)
	there := both.second.Module("examples")
	t.Cleanup(there.Expunge)
	wantSameOnEngine(t, bazeltest.Checkout(t).Module("examples"), there)
}

// restoreSecond gives the second checkout the repository's own sources until the
// end of the test.
func restoreSecond(t *testing.T) {
	t.Helper()
	change(t, both.second, "")
	t.Cleanup(func() { change(t, both.second, both.salt) })
}

// wantSameOnEngine tests a workspace there, on the engine, wants no process to
// have run elsewhere, and its packed files to be those that are built here.
func wantSameOnEngine(t *testing.T, here, there bazeltest.Workspace) {
	t.Helper()
	flags := append(onEngine(t),
		// Each flavour takes the engine half a minute, and there are twenty:
		// TestRemoteExecution has it compile some.
		"--disk_cache="+bazeltest.DiskCache(t, bazeltest.StandardLibraries),
		// Bazel keeps tests that are tagged exclusive, because they measure time, on
		// the machine that it runs on. It starts them last and alone here too.
		"--modify_execution_info=^TestRunner$=-no-remote-exec")
	log := filepath.Join(t.TempDir(), "spawns.json")
	tested, _, printed, err := tryOnEngine(t, there, "test", append(flags, "//...",
		"--remote_download_minimal", "--test_output=errors", "--execution_log_json_file="+log, "--noexecution_log_sort")...)
	if err != nil {
		t.Errorf("bazel test: %v\n%s", err, printed)
	}
	t.Logf("by what ran them, of all actions: %v", tested.Runners)
	wantRunners(t, tested, "remote", "remote cache hit", "disk cache hit")

	mnemonics := map[string]int{}
	for _, spawn := range bazeltest.Spawns(t, log) {
		mnemonics[spawn.Mnemonic]++
		theirs := spawn.Mnemonic == "GoStdlib" || spawn.Mnemonic == "GoToolchainBinaryBuild"
		if !strings.HasPrefix(spawn.Runner, "remote") && !(theirs && spawn.Runner == "disk cache hit") {
			t.Errorf("%s of %s was run by %q, not by the engine", spawn.Mnemonic, spawn.Label, spawn.Runner)
		}
	}
	t.Logf("processes: %v", mnemonics)

	packed := strings.Fields(here.Bazel(t, "query",
		`kind("^go_multiarch_binary rule$", //...) except attr(tags, "\bmanual\b", //...)`))
	if mnemonics["GoMultiarchPack"] < len(packed) || mnemonics["TestRunner"] == 0 {
		t.Errorf("the engine's processes are %v, want one or more to pack each of %v, and tests", mnemonics, packed)
	}
	here.Build(t, packed...)
	there.Build(t, append(packed, flags...)...)
	want, got := here.Sums(t, packed), there.Sums(t, packed)
	if len(want) != len(packed) || !maps.Equal(got, want) {
		t.Errorf("the packed files of the engine are\n%x\nwant those that were built here\n%x", got, want)
	}
}

// tryOnEngine cleans and runs a command of Bazel, and says how many actions the
// engine ran for it. Now and then BuildBox executes a file that another of its
// processes has still open for writing, as it forks while it copies: then the
// command is run again.
func tryOnEngine(t *testing.T, w bazeltest.Workspace, command string, args ...string) (built bazeltest.Built, ran int, printed string, err error) {
	t.Helper()
	for attempt := 1; attempt <= 3; attempt++ {
		// What is built with a builder of the engine's cannot come from the cache.
		w.Bazel(t, "clean")
		built, printed, err = w.Try(t, command, args...)
		ran += built.Runners["remote"]
		if err == nil || !strings.Contains(printed, "text file busy") {
			break
		}
		t.Logf("attempt %d: text file busy", attempt)
	}
	return built, ran, printed, err
}

// engine is the address of BuildBox, which the first test that needs it starts.
var engine string

// onEngine returns flags with which every action is executed by the engine, or
// Bazel fails.
func onEngine(t *testing.T) []string {
	t.Helper()
	if engine == "" {
		engine = startBuildBox(t)
	}
	return []string{
		"--remote_executor=grpc://" + engine, "--spawn_strategy=remote", "--strategy=TestRunner=remote",
		"--genrule_strategy=remote", "--noremote_local_fallback", "--jobs=4",
	}
}

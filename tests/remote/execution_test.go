package remote_test

import (
	"slices"
	"testing"
)

// TestRemoteExecution builds on an engine, and nothing here. Its packed files are
// those that were built here. Then it runs tests there, of programs with C too.
func TestRemoteExecution(t *testing.T) {
	checkouts(t)
	flags := []string{
		"--remote_executor=grpc://" + startBuildBox(t), "--spawn_strategy=remote", "--strategy=TestRunner=remote",
		"--genrule_strategy=remote", "--noremote_local_fallback", "--jobs=4",
	}
	both.second.Bazel(t, "clean")
	built := both.second.Build(t, slices.Concat(targets, flags)...)
	t.Logf("build: %v", built.Runners)
	wantChanged(t, built)
	wantRunners(t, built, "remote", "remote cache hit")
	executed := 0
	for _, n := range changed {
		executed += n
	}
	if got := built.Runners["remote"]; got < executed {
		t.Errorf("%d actions were run by the engine, want %d or more", got, executed)
	}
	wantOutputs(t)

	tests := []string{
		"//tests/kinds/program:dynamic_test",
		"//tests/kinds/shared:shared_test",
		"//tests/launcher:launcher_test",
		"//tests/tools:tools_test",
	}
	tested, stderr, err := both.second.Try(t, "test", slices.Concat(tests, flags, []string{"--nocache_test_results", "--test_output=errors"})...)
	t.Logf("test: %v", tested.Runners)
	if err != nil {
		t.Errorf("bazel test: %v\n%s", err, stderr)
	}
	wantRunners(t, tested, "remote", "remote cache hit")
	if got := tested.Runners["remote"]; got < len(tests) {
		t.Errorf("%d actions were run by the engine, want %d tests or more", got, len(tests))
	}
}

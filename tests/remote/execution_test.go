package remote_test

import "testing"

// TestRemoteExecution builds on an engine, and nothing here. Its packed files are
// those that were built here.
func TestRemoteExecution(t *testing.T) {
	checkouts(t)
	engine := startBuildBox(t)
	both.second.Bazel(t, "clean")
	built := both.second.Build(t, append(targets,
		"--remote_executor=grpc://"+engine, "--spawn_strategy=remote", "--strategy=Genrule=remote",
		"--noremote_local_fallback", "--jobs=4")...)
	t.Logf("%v", built.Runners)
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
}

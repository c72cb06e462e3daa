package bazel_test

import (
	"maps"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestFleet reads from the action graph which worker a test asks for, in all
// ways that docs/remote-execution.md has.
func TestFleet(t *testing.T) {
	w := elsewhere(t)
	const (
		folder   = "//tests/bazel/programs:"
		targeted = "--use_target_platform_for_tests"
	)
	for _, c := range []struct {
		test, platform, flag string
		want                 map[string]string
	}{
		{"on_v4_worker_test", "fleet_v1", "--nouse_target_platform_for_tests", map[string]string{"cpu": "v4"}},
		{"programs_test", "fleet_v1", "--nouse_target_platform_for_tests", map[string]string{}},
		{"programs_test", "fleet_v1", targeted, map[string]string{"os": "debian"}},
		{"fleet_levels_test_v1", "linux_x86", "--nouse_target_platform_for_tests", map[string]string{"pool": "tests"}},
		{"fleet_levels_test_v4", "linux_x86", "--nouse_target_platform_for_tests", map[string]string{"pool": "tests", "cpu": "v4"}},
		{"programs_test", "fleet_v4", targeted, map[string]string{"os": "debian", "cpu": "v4"}},
	} {
		actions := w.Graph(t, "mnemonic(TestRunner, "+folder+c.test+")", c.flag, "--platforms="+folder+c.platform)
		if len(actions) != 1 {
			t.Fatalf("%s for %s: %d actions that test, want 1", c.test, c.platform, len(actions))
		}
		got := actions[0].ExecutionInfo
		delete(got, "no-cache") // from elsewhere's settings
		if !maps.Equal(got, c.want) {
			t.Errorf("%s for %s with %s asks for a worker with %v, want %v", c.test, c.platform, c.flag, got, c.want)
		}
	}
}

// TestLinkWorker reads from the action graph that each level of a program in the place of
// a go_binary is linked where its exec_properties say.
func TestLinkWorker(t *testing.T) {
	const program = "tests/bazel/programs/linked_elsewhere"
	want := map[string]string{"memory": "8g", "pool": "large"}
	levels := map[string]bool{}
	for _, action := range bazeltest.Checkout(t).Graph(t, "mnemonic(GoLink, deps(//tests/bazel/programs:linked_elsewhere))") {
		for _, argument := range action.Arguments {
			_, file, ok := strings.Cut(argument, program+".go_binary_/")
			if level, _, isLevel := strings.Cut(file, "/"); ok && isLevel {
				levels[level] = true
				if !maps.Equal(action.ExecutionInfo, want) {
					t.Errorf("%s is linked with %v, want %v", level, action.ExecutionInfo, want)
				}
			}
		}
	}
	if want := map[string]bool{"v1": true, "v3": true}; !maps.Equal(levels, want) {
		t.Errorf("the levels %v are linked, want %v", levels, want)
	}
}

package bazel_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// logFolder returns the folder of bazel-testlogs that has what a test left.
func logFolder(t *testing.T, w bazeltest.Workspace, label string) string {
	t.Helper()
	root := strings.TrimSpace(w.Bazel(t, "info", "bazel-testlogs"))
	return filepath.Join(root, strings.NewReplacer("//", "", ":", "/").Replace(label))
}

// clearLogs removes what a test left with other flags.
func clearLogs(t *testing.T, w bazeltest.Workspace, label string) {
	t.Helper()
	if err := os.RemoveAll(logFolder(t, w, label)); err != nil {
		t.Fatal(err)
	}
}

// logs returns the contents of files that tests of a label left, by path below
// the label's folder.
func logs(t *testing.T, w bazeltest.Workspace, label, name string) map[string]string {
	t.Helper()
	folder := logFolder(t, w, label)
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Name() != name {
			return err
		}
		text, err := os.ReadFile(path)
		relative, _ := filepath.Rel(folder, filepath.Dir(path))
		found[relative] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const (
	features  = "//tests/levels/features:features_test"
	verbose   = "--test_env=GO_TEST_WRAP_TESTV=1" // or rules_go's XML has no tests that pass
	uncounted = "--cache_test_results=no"
)

// TestLevelTestRuns runs tests of two levels, in two shards each, twice.
func TestLevelTestRuns(t *testing.T) {
	w := elsewhere(t)
	labels := []string{features + "_v1", features + "_v3"}
	for _, label := range labels {
		clearLogs(t, w, label)
	}
	w.Bazel(t, append([]string{"test", "--runs_per_test=2", uncounted, verbose}, labels...)...)
	for _, label := range labels {
		reports := logs(t, w, label, "test.xml")
		var runs []string
		for run, report := range reports {
			runs = append(runs, run)
			a, b := strings.Contains(report, `"TestShardA"`), strings.Contains(report, `"TestShardB"`)
			if a == b {
				t.Errorf("%s: %s ran TestShardA: %t, TestShardB: %t; want one of them", label, run, a, b)
			}
		}
		slices.Sort(runs)
		want := "shard_1_of_2_run_1_of_2 shard_1_of_2_run_2_of_2 shard_2_of_2_run_1_of_2 shard_2_of_2_run_2_of_2"
		if got := strings.Join(runs, " "); got != want {
			t.Errorf("%s: runs are %s, want %s", label, got, want)
		}
	}
}

func TestLevelTestFilter(t *testing.T) {
	w := elsewhere(t)
	clearLogs(t, w, features+"_v3")
	stdout := w.Bazel(t, "test", features+"_v3", "--test_filter=^TestShard", "--test_output=all", verbose, uncounted)
	all := ""
	for _, report := range logs(t, w, features+"_v3", "test.xml") {
		all += report
	}
	if !strings.Contains(all, `"TestShardA"`) || strings.Contains(all, `"TestFeatures"`) {
		t.Errorf("the filter let pass\n%s", all)
	}
	if !strings.Contains(stdout, "TestShardA in shard") {
		t.Errorf("--test_output=all shows no log of the test:\n%s", stdout)
	}
}

func TestLevelTestFlaky(t *testing.T) {
	w := elsewhere(t)
	// Not in /tmp, of which every sandbox has its own.
	folder := filepath.Join(filepath.Dir(w.Dir), "tries")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	stdout := w.Bazel(t, "test", features+"_v3", "--test_env=FLAKY="+folder, "--sandbox_writable_path="+folder, uncounted)
	if !strings.Contains(stdout, "FLAKY, failed in ") {
		t.Errorf("not flaky:\n%s", stdout)
	}
}

// TestLevelThatCannotRun is reported as skipped, or fails where that is asked for.
func TestLevelThatCannotRun(t *testing.T) {
	w := elsewhere(t)
	const label, reason = "//tests/levels:no_cpu_test_v4", "emulate = &#34;always&#34;, and "
	w.Bazel(t, "test", label)
	if report := logs(t, w, label, "test.xml")["."]; !strings.Contains(report, `<skipped message="`+reason) {
		t.Errorf("not skipped because of %s:\n%s", reason, report)
	}
	stderr := w.Fails(t, "test", label, "--//:every_level_must_run")
	if !strings.Contains(stderr, "1 test FAILED") {
		t.Errorf("the test did not fail:\n%s", stderr)
	}
	for _, log := range logs(t, w, label, "test.log") {
		if !strings.Contains(log, label+" cannot run: ") {
			t.Errorf("no reason in\n%s", log)
		}
	}
}

// TestBench wants gains that no level has.
func TestBench(t *testing.T) {
	w := elsewhere(t)
	for label, want := range map[string]string{
		"//tests/levels/pays:start_test":      "time from start to exit",
		"//tests/levels/pays:benchmarks_test": "BenchmarkOnes",
	} {
		w.Fails(t, "test", label)
		log := logs(t, w, label, "test.log")["."]
		for _, want := range []string{want, "RATIO TO V1", "not worth their size, as they do not gain 99.0 %: v2 ("} {
			if !strings.Contains(log, want) {
				t.Errorf("%s: no %q in\n%s", label, want, log)
			}
		}
	}
}

// TestOurQemu registers an emulator the way users do.
func TestOurQemu(t *testing.T) {
	w := elsewhere(t)
	folder := filepath.Join(w.Dir, "emulator")
	script := filepath.Join(folder, "our-qemu")
	bazeltest.Write(t, script, "#!/bin/sh\nexec qemu-x86_64 \"$@\"\n")
	if err := os.Chmod(script, 0o777); err != nil {
		t.Fatal(err)
	}
	bazeltest.Write(t, filepath.Join(folder, "BUILD.bazel"), `load("//:defs.bzl", "go_multiarch_qemu")

go_multiarch_qemu(
    name = "qemu",
    executable = "our-qemu",
    models = {"v1": "Conroe"},
)

toolchain(
    name = "toolchain",
    toolchain = ":qemu",
    toolchain_type = "//qemu:toolchain_type",
)
`)
	const label = "//tests/levels:emulated_test"
	w.Bazel(t, "test", label+"_v1", label+"_v3", "--extra_toolchains=//emulator:toolchain")
	for level, want := range map[string]string{
		"_v1": "runs in our-qemu -cpu Conroe: ",
		"_v3": "and the emulator has no CPU of level v3",
	} {
		if log := logs(t, w, label+level, "test.log")["."]; !strings.Contains(log, want) {
			t.Errorf("%s: no %q in\n%s", level, want, log)
		}
	}
}

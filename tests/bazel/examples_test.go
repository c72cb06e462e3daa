package bazel_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestExamplesSameBytesElsewhere builds all examples in the checkout and
// elsewhere: executables, variants, manifests, images and tests.
// The checkout's actions were run there, or in a checkout that shares its cache.
// Elsewhere gets from that cache what would take it minutes and is not ours: the
// standard library, rules_go's builder, and packages of other Go modules. It runs
// everything else itself, as only actions that ran twice can show a difference:
// it compiles our packages and the examples', links and packs. With --stamp, the
// one program that asks for values of the build changes, and no other file.
func TestExamplesSameBytesElsewhere(t *testing.T) {
	there := elsewhere(t).Module("examples")
	t.Cleanup(there.Expunge)
	here := bazeltest.Checkout(t).Module("examples")
	// What "//..." builds, and not what that is built from.
	all := []string{`config(//... except attr(tags, "\bmanual\b", //...), target)`}

	here.Build(t, "//...", withGroups)
	log := filepath.Join(t.TempDir(), "spawns.json")
	flags := []string{
		"--modify_execution_info=", // in place of uncached
		"--disk_cache=" + bazeltest.DiskCache(t, bazeltest.StandardLibraries+`|/bin/external/gazelle[~+]+go_deps[~+].*\.imports`),
		withGroups,
	}
	built := there.Build(t, append(flags, "//...", "--execution_log_json_file="+log, "--noexecution_log_sort")...)
	for _, spawn := range bazeltest.Spawns(t, log) {
		theirs := spawn.Mnemonic == "GoStdlib" || spawn.Mnemonic == "GoToolchainBinaryBuild" ||
			strings.HasPrefix(spawn.Mnemonic, "GoCompilePkg") && strings.HasPrefix(spawn.Label, "@@gazelle")
		if strings.HasSuffix(spawn.Runner, "cache hit") && !theirs {
			t.Errorf("%s of %s is from a cache", spawn.Mnemonic, spawn.Label)
		}
	}
	want, got := here.Sums(t, all, withGroups), there.Sums(t, all, flags...)
	packed := 0
	for name, sum := range want {
		if path.Base(path.Dir(name)) == "v1" {
			packed++
		}
		if got[name] != sum {
			t.Errorf("%s: not the same bytes elsewhere", name)
		}
	}
	t.Logf("%d files, %d programs at v1; elsewhere %v", len(want), packed, built.Runners)
	if len(got) != len(want) || packed == 0 {
		t.Errorf("%d files, %d of them programs at v1, elsewhere %d files; want as many, and programs", len(want), packed, len(got))
	}

	const stamped = "--config=release"
	flags = append(flags, stamped)
	there.Build(t, append(flags, "//...")...)
	changed := 0
	for name, sum := range there.Sums(t, all, flags...) {
		switch {
		case sum == want[name]:
		case strings.HasPrefix(path.Base(name), "almanac") && !strings.Contains(name, "almanac_frozen"):
			changed++
		default:
			t.Errorf("%s: not the same bytes with --stamp", name)
		}
	}
	if changed != 4 {
		t.Errorf("%d files of the stamped program changed with --stamp, want 4: packed file, manifest, two variants", changed)
	}
}

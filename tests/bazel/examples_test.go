package bazel_test

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestExamplesSameBytesElsewhere builds all examples in the checkout and
// elsewhere: executables, variants, manifests, images, tests and debug files.
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
	caches := []string{
		"--modify_execution_info=", // in place of uncached
		"--disk_cache=" + bazeltest.DiskCache(t, bazeltest.StandardLibraries+`|/bin/external/gazelle[~+]+go_deps[~+].*\.imports`),
	}
	flags := append(slices.Clone(caches), withGroups)
	built := buildsItself(t, there, append(flags, "//...")...)
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

	wantSameDebugFiles(t, here, there, caches)
}

// buildsItself builds, and wants nothing to come from a cache but what is rules_go's
// own and packages of other Go modules.
func buildsItself(t *testing.T, w bazeltest.Workspace, args ...string) bazeltest.Built {
	t.Helper()
	log := filepath.Join(t.TempDir(), "spawns.json")
	built := w.Build(t, append(args, "--execution_log_json_file="+log, "--noexecution_log_sort")...)
	for _, spawn := range bazeltest.Spawns(t, log) {
		theirs := spawn.Mnemonic == "GoStdlib" || spawn.Mnemonic == "GoToolchainBinaryBuild" ||
			strings.HasPrefix(spawn.Mnemonic, "GoCompilePkg") && strings.HasPrefix(spawn.Label, "@@gazelle")
		if strings.HasSuffix(spawn.Runner, "cache hit") && !theirs {
			t.Errorf("%s of %s is from a cache", spawn.Mnemonic, spawn.Label)
		}
	}
	return built
}

// wantSameDebugFiles builds the debug file of every level of every example. Programs
// keep their debug information for that, in the checkout too, where tests otherwise
// give no flags.
func wantSameDebugFiles(t *testing.T, here, there bazeltest.Workspace, caches []string) {
	t.Helper()
	programs := strings.Fields(here.Bazel(t, "query",
		`kind("^go_multiarch_binary rule$", //...) except attr(tags, "\bmanual\b", //...)`))
	debug := []string{"--strip=never", "--output_groups=debug"}
	flags := append(slices.Clone(caches), debug...)
	here.Build(t, append(programs, debug...)...)
	built := buildsItself(t, there, append(programs, flags...)...)
	want, got := here.Sums(t, programs, debug...), there.Sums(t, programs, flags...)
	for name, sum := range want {
		if got[name] != sum {
			t.Errorf("%s: not the same bytes elsewhere", name)
		}
	}
	made := 0
	for _, action := range built.Actions {
		if action.Mnemonic == "GoMultiarchDebug" {
			made++
		}
	}
	t.Logf("%d debug files of %d programs; elsewhere %v", len(want), len(programs), built.Runners)
	if len(got) != len(want) || made != len(want) || len(want) < len(programs) || len(programs) == 0 {
		t.Errorf("%d debug files of %d programs, elsewhere %d that %d actions made; want as many, of every program", len(want), len(programs), len(got), made)
	}
}

package bazel_test

import (
	"path"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestExamplesSameBytesElsewhere builds all examples in the checkout and
// elsewhere: executables, variants, manifests, debug files, images and tests.
// Elsewhere takes the standard library and rules_go's own tools from a cache,
// which are large and not ours, and runs all other actions itself; nor can what
// it makes reach the checkout. The checkout's were run there, or in a checkout
// that shares its cache. With --stamp, the one program that asks for values of
// the build changes, and no other file.
func TestExamplesSameBytesElsewhere(t *testing.T) {
	there := elsewhere(t).Module("examples")
	t.Cleanup(there.Expunge)
	here := bazeltest.Checkout(t).Module("examples")
	all, groups := []string{"//..."}, withGroups+",+debug"

	built := there.Build(t, "//...", groups)
	wantOursRun(t, built)
	here.Build(t, "//...", groups)
	want, got := here.Sums(t, all, groups), there.Sums(t, all, groups)
	packed := 0
	for name, sum := range want {
		if path.Base(path.Dir(name)) == "v1" {
			packed++ // into at least one file, which has a manifest, ...
		}
		if got[name] != sum {
			t.Errorf("%s: not the same bytes elsewhere", name)
		}
	}
	t.Logf("%d files, %d programs at v1; elsewhere %v", len(want), packed, built.Runners)
	if len(got) != len(want) {
		t.Errorf("%d files, elsewhere %d", len(want), len(got))
	}

	const stamped = "--config=release"
	there.Build(t, "//...", groups, stamped)
	changed := 0
	for name, sum := range there.Sums(t, all, groups, stamped) {
		switch {
		case sum == want[name]:
		case strings.HasPrefix(path.Base(name), "almanac") && !strings.Contains(name, "almanac_frozen"):
			changed++
		default:
			t.Errorf("%s: not the same bytes with --stamp", name)
		}
	}
	// The packed file, its manifest, two variants with a debug file each, and the plain program.
	if changed != 7 {
		t.Errorf("%d files of the stamped program changed with --stamp, want 7", changed)
	}
}

package bazel_test

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestSameBytesElsewhere builds the same sources in the checkout and elsewhere,
// with no cache between them.
func TestSameBytesElsewhere(t *testing.T) {
	elsewhere(t)
	here := bazeltest.Checkout(t)
	here.Build(t, append(packed, withGroups)...)
	want, got := here.Files(t, packed, withGroups), copied.outputs
	if len(want) != 12 { // three packed files, three manifests, four variants and two
		t.Errorf("%d files, want 12: %v", len(want), names(want))
	}
	if !slices.Equal(names(got), names(want)) {
		t.Fatalf("files are %v, elsewhere %v", names(want), names(got))
	}
	for name, text := range want {
		if !bytes.Equal(got[name], text) {
			t.Errorf("%s: not the same bytes elsewhere", name)
		}
	}
}

// TestActions counts what it takes to build three packed files of two programs,
// which share a package.
func TestActions(t *testing.T) {
	elsewhere(t)
	count := copied.built.Names()
	t.Logf("%d actions, by what ran them: %v", len(copied.built.Actions), copied.built.Runners)
	for name, want := range map[string]int{
		// One a level, whatever number of files it is packed into, and none at
		// the usual address.
		"GoLink //tests/bazel/programs:program":                   4,
		"GoCompilePkg //tests/bazel/programs:program":             4,
		"GoLink //tests/bazel/programs/other:other":               2,
		"GoCompilePkg //tests/bazel/programs/other:other":         2,
		"GoCompilePkg //tests/bazel/programs/greeting:greeting":   4,
		"GoMultiarchPack //tests/bazel/programs:four_levels":      1,
		"GoMultiarchPack //tests/bazel/programs:two_levels":       1,
		"GoMultiarchPack //tests/bazel/programs:other_two_levels": 1,
		"GoLink //launcher/program:program":                       1,
		"GoLink //tools/packer:pack":                              1,
		"Genrule //tests/bazel/programs:data":                     1,
	} {
		if got := count[name]; got != want {
			t.Errorf("%s: %d actions, want %d", name, got, want)
		}
	}

	var stdlibs, tools int
	for name, n := range count {
		switch {
		case strings.HasPrefix(name, "GoStdlib "):
			stdlibs += n
		case strings.HasPrefix(name, "GoToolchainBinaryBuild "):
			tools += n
			// A tool for each level would be a setting that leaks into the
			// configuration of tools.
			if n > 1 {
				t.Errorf("%s: %d actions, want 1", name, n)
			}
		}
	}
	// One for the machine that builds; the launcher uses that of v1.
	if stdlibs != 4+1 {
		t.Errorf("%d standard libraries, want one a level and one for tools", stdlibs)
	}
	if tools == 0 {
		t.Error("rules_go's builder was not built; this test looks for the wrong mnemonic")
	}
	if cached := copied.built.FromCache(); cached > stdlibs+tools {
		t.Errorf("%d actions from a cache, but only %d are rules_go's own: ours were not run", cached, stdlibs+tools)
	}
}

// TestActionsOfLevel wants nothing to be done for v3 but what a plain program
// of that level takes: compile what it consists of, and link it.
func TestActionsOfLevel(t *testing.T) {
	elsewhere(t)
	var folder string // of the configuration that v3 is built in
	for _, a := range copied.built.Actions {
		if a.Mnemonic == "GoLink" && strings.HasSuffix(a.Output, "/program_/v3/program") {
			folder = strings.Split(a.Output, "/bin/")[0]
		}
	}
	got := map[string]int{}
	for _, a := range copied.built.Actions {
		if strings.HasPrefix(a.Output, folder+"/") {
			got[a.Mnemonic+" "+a.Label]++
		}
	}
	delete(got, "GoStdlib "+stdlibLabel(got))
	want := map[string]int{
		"GoCompilePkg //tests/bazel/programs:program":           1,
		"GoCompilePkg //tests/bazel/programs/greeting:greeting": 1,
		"GoCompilePkg //tests/bazel/programs/other:other":       1,
		"GoLink //tests/bazel/programs:program":                 1,
		"GoLink //tests/bazel/programs/other:other":             1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("actions for v3, in %s:\n%v\nwant\n%v", folder, got, want)
	}

	// And the other way round: all of the plain program but its link was there.
	var plain []string
	for _, a := range copied.plain.Actions {
		if strings.HasPrefix(a.Mnemonic, "Go") {
			plain = append(plain, a.Mnemonic+" "+path.Base(a.Output))
		}
	}
	if want := []string{"GoLink program"}; !slices.Equal(plain, want) {
		t.Errorf("after v3 was packed, building it without packing takes %q, want %q", plain, want)
	}
}

// TestLevelTestShares wants a test at v3 to compile nothing that was compiled to
// be packed.
func TestLevelTestShares(t *testing.T) {
	w := elsewhere(t)
	w.Build(t, "//tests/bazel/programs:two_levels") // with what other tests changed
	got := w.Build(t, "//tests/bazel/programs:levels_test_v3").Names()
	const test = "//tests/bazel/programs:programs_test"
	// What is tested together with the tests, and the program that runs them.
	if got["GoCompilePkg "+test] != 2 || got["GoLink "+test] != 1 {
		t.Errorf("actions are %v, want two to compile the test and one to link it", got)
	}
	if n := got["GoCompilePkg //tests/bazel/programs/greeting:greeting"]; n != 0 {
		t.Errorf("the package that was packed at v3 is compiled once more: %v", got)
	}
}

// stdlibLabel returns the label of the one standard library among actions.
func stdlibLabel(actions map[string]int) string {
	for name, n := range actions {
		if label, ok := strings.CutPrefix(name, "GoStdlib "); ok && n == 1 {
			return label
		}
	}
	return "(none)"
}

func names(files map[string][]byte) []string {
	return slices.Sorted(maps.Keys(files))
}

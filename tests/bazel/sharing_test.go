package bazel_test

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestSameBytesElsewhere builds the same sources at another path, in another
// output base, with no cache between them.
func TestSameBytesElsewhere(t *testing.T) {
	elsewhere(t)
	here := checkout(t)
	here.build(t, append(packed, withGroups)...)
	want, got := here.files(t, packed, withGroups), copied.outputs
	if len(want) != 8 { // two packed files, two manifests, four variants
		t.Errorf("%d files, want 8: %v", len(want), names(want))
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

// TestActions counts what it takes to build two packed files that have two of
// their levels in common.
func TestActions(t *testing.T) {
	elsewhere(t)
	outputs := map[string][]string{}
	for _, a := range copied.actions {
		name := a.Mnemonic + " " + a.Label
		outputs[name] = append(outputs[name], a.Output)
	}
	t.Logf("%d actions, %d of them from a cache", len(copied.actions), copied.cached)
	for name, count := range map[string]int{
		// One a level, whatever number of files it is packed into, and none at
		// the usual address.
		"GoLink //tests/bazel/programs:program":              4,
		"GoCompilePkg //tests/bazel/programs:program":        4,
		"GoMultiarchPack //tests/bazel/programs:four_levels": 1,
		"GoMultiarchPack //tests/bazel/programs:two_levels":  1,
		"GoLink //launcher/program:program":                  1,
		"GoLink //tools/packer:pack":                         1,
	} {
		if got := outputs[name]; len(got) != count {
			t.Errorf("%s: %d actions, want %d: %v", name, len(got), count, got)
		}
	}

	var stdlibs, tools, fromRulesGo int
	for _, a := range copied.actions {
		switch a.Mnemonic {
		case "GoStdlib":
			stdlibs++
			fromRulesGo++
		case "GoToolchainBinaryBuild":
			tools++
			fromRulesGo++
		}
	}
	// One for the machine that builds; the launcher uses that of v1.
	if stdlibs != 4+1 {
		t.Errorf("%d standard libraries, want one a level and one for tools", stdlibs)
	}
	// A tool for each level would be a setting that leaks into the
	// configuration of tools.
	for name, got := range outputs {
		if strings.HasPrefix(name, "GoToolchainBinaryBuild ") && len(got) > 1 {
			t.Errorf("%s: %d actions, want 1: %v", name, len(got), got)
		}
	}
	if tools == 0 {
		t.Error("rules_go's builder was not built; this test looks for the wrong mnemonic")
	}
	if copied.cached > fromRulesGo {
		t.Errorf("%d actions from a cache, but only %d are rules_go's own: ours were not run", copied.cached, fromRulesGo)
	}
}

// TestSharedWithPlain builds the program at v3 without packing it: that links at
// the usual address what was compiled already.
func TestSharedWithPlain(t *testing.T) {
	elsewhere(t)
	var got []string
	for _, a := range copied.plain {
		if strings.HasPrefix(a.Mnemonic, "Go") {
			got = append(got, a.Mnemonic+" "+path.Base(a.Output))
		}
	}
	if want := []string{"GoLink program"}; !slices.Equal(got, want) {
		t.Errorf("after v3 was packed, building it without packing takes %q, want %q", got, want)
	}
}

func names(files map[string][]byte) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

package bazel_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestLevelsOfMode reads from the action graph what an optimised build packs,
// and what any other.
func TestLevelsOfMode(t *testing.T) {
	w := elsewhere(t)
	for mode, want := range map[string]int{"fastbuild": 1, "opt": 2} {
		actions := w.Graph(t, "mnemonic(GoMultiarchPack, //tests/bazel/programs:levels_of_mode)", "--compilation_mode="+mode)
		if len(actions) != 1 {
			t.Fatalf("-c %s: %d actions that pack, want 1", mode, len(actions))
		}
		variants := 0
		for _, input := range actions[0].Inputs {
			if strings.Contains(input, "/program_/v") {
				variants++
			}
		}
		if variants != want {
			t.Errorf("-c %s: packs %d levels, want %d: %v", mode, variants, want, actions[0].Inputs)
		}
	}
}

// TestExecutionInfo reads from the action graph which actions are kept from
// caches and engines, with flags that docs/remote-execution.md has.
func TestExecutionInfo(t *testing.T) {
	w := elsewhere(t)
	for _, c := range []struct {
		flag, key string
		want      map[string]int
	}{
		{"--modify_execution_info=^GoMultiarchPack$=+no-remote-cache", "no-remote-cache", map[string]int{"GoMultiarchPack": 1}},
		{"--compilation_mode=fastbuild", "no-remote", map[string]int{}},
		// The debug file of the level that this machine starts.
		{"--compilation_mode=dbg", "no-remote", map[string]int{"GoMultiarchDebug": 1}},
	} {
		got := map[string]int{}
		for _, action := range w.Graph(t, "deps(//tests/bazel/programs:two_levels)", c.flag) {
			if _, ok := action.ExecutionInfo[c.key]; ok {
				got[action.Mnemonic]++
			}
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: actions with %s are %v, want %v", c.flag, c.key, got, c.want)
		}
	}
}

// TestPackAction wants a target to pack once, from its variants, the launcher
// and the packer alone: nothing of the machine that the build starts on.
func TestPackAction(t *testing.T) {
	w := bazeltest.Checkout(t)
	for target, levels := range map[string][]string{
		"four_levels": {"v1", "v2", "v3", "v4"},
		"two_levels":  {"v1", "v3"},
	} {
		actions := w.Graph(t, "mnemonic(GoMultiarchPack, deps(//tests/bazel/programs:"+target+"))")
		if len(actions) != 1 {
			t.Errorf("%s: %d actions that pack, want 1", target, len(actions))
			continue
		}
		action := actions[0]

		var got []string
		for _, input := range action.Inputs {
			root, file, ok := strings.Cut(input, "/bin/")
			switch {
			case strings.Contains(input, "/_middlemen/"): // the packer's runfiles, of which there are none
			case !ok || !strings.HasPrefix(root, "bazel-out/"):
				t.Errorf("%s: packs %s, want output of actions only", target, input)
			default:
				got = append(got, file)
			}
		}
		want := []string{"launcher/program/program_/program", "tools/packer/pack_/pack"}
		for _, level := range levels {
			want = append(want, "tests/bazel/programs/program_/"+level+"/program")
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: packs\n%q, want\n%q", target, got, want)
		}

		if len(action.Environment) != 0 {
			t.Errorf("%s: packs with environment variables %v, want none", target, action.Environment)
		}
		if tool := action.Arguments[0]; !slices.Contains(action.Inputs, tool) {
			t.Errorf("%s: packs with %s, which is no input", target, tool)
		}
		for _, argument := range action.Arguments {
			if _, file, ok := strings.Cut(argument, "="); path.IsAbs(argument) || ok && path.IsAbs(file) {
				t.Errorf("%s: packs with argument %s, want paths below the execution root", target, argument)
			}
		}
	}
}

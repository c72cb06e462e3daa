package bazel_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

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

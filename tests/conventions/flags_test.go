package conventions_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

var offByDefault = regexp.MustCompile(`(?m)^  --\[no\](incompatible_[a-z0-9_]+) \(a boolean; default: "false"\)`)

// control is a plain go_binary in the examples. What fails there is not ours.
const control = "//hello:hello"

// notOurs are flags with which Bazel's own rules or rules_go cannot be analysed,
// and what Bazel says about it.
var notOurs = map[string]string{
	"incompatible_no_rule_outputs_param":           "/virtual_builtins_bzl/",
	"incompatible_stop_exporting_language_modules": "/go/platform/apple.bzl:",
}

// TestIncompatibleFlags analyses everything with the flags that a later Bazel
// will have on: with all of them at once, but those with which a plain go_binary
// cannot be analysed either.
func TestIncompatibleFlags(t *testing.T) {
	all := modules(t)
	var flags []string
	for _, m := range offByDefault.FindAllStringSubmatch(all["examples"].Bazel(t, "help", "build", "--long"), -1) {
		flags = append(flags, m[1])
	}
	if len(flags) < 10 {
		t.Fatalf("found %q, want more flags", flags)
	}
	for _, flag := range slices.Sorted(maps.Keys(notOurs)) {
		if i := slices.Index(flags, flag); i >= 0 {
			flags = slices.Delete(flags, i, i+1)
			if stderr, fails := failsWith(all["examples"], control, flag); !fails {
				t.Errorf("--%s: a plain go_binary can be analysed, want that to fail: %s", flag, notOurs[flag])
			} else if !strings.Contains(stderr, notOurs[flag]) {
				t.Errorf("--%s: a plain go_binary fails for another reason than %q:\n%s", flag, notOurs[flag], stderr)
			}
		}
	}
	t.Logf("with %s", strings.Join(flags, " "))
	for name, w := range all {
		if stderr, fails := failsWith(w, "//...", flags...); fails {
			t.Errorf("%s: //... cannot be analysed:\n%s", name, stderr)
		}
	}
}

// failsWith analyses targets with flags.
func failsWith(w bazeltest.Workspace, targets string, flags ...string) (stderr string, fails bool) {
	args := []string{"build", "--nobuild"}
	for _, flag := range flags {
		args = append(args, "--"+flag)
	}
	_, stderr, err := w.Run(append(args, targets)...)
	return stderr, err != nil
}

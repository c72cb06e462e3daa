package conventions_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// lines returns the lines of what a command prints, sorted.
func lines(text string) []string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(all)
	return all
}

// TestQuery wants the targets that somebody finds in a package: those that its
// BUILD file names, with the kinds that it calls them by, and for each of our
// macros what its documentation says. What is inside is tagged manual.
func TestQuery(t *testing.T) {
	w := examples(t)
	for pkg, want := range map[string][]string{
		"//hello": { // go_multiarch_binary with target
			"go_binary rule //hello:hello",
			"go_library rule //hello:hello_lib",
			"go_multiarch_binary rule //hello:hello_multi",
			"go_test rule //hello:hello_test",
		},
		"//bits": { // and without
			"dropin_linkopts rule //bits:bits.go_binary.linkopts manual",
			"go_binary rule //bits:bits.go_binary manual",
			"go_library rule //bits:bits_lib",
			"go_multiarch_binary rule //bits:bits",
			"go_test rule //bits:bits_test",
		},
	} {
		manual := lines(w.Bazel(t, "query", "attr(tags, '[\\[ ]manual[,\\]]', "+pkg+":all)"))
		got := lines(w.Bazel(t, "query", "--output=label_kind", pkg+":all"))
		for i, line := range got {
			if slices.Contains(manual, line[strings.LastIndex(line, " ")+1:]) {
				got[i] += " manual"
			}
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", pkg, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}

	const levels = "//numeric:floats_test"
	got := lines(w.Bazel(t, "query", "--output=label_kind", "filter('^"+levels+"', //numeric:all)"))
	want := []string{
		"go_multiarch_test rule " + levels,
		"go_multiarch_test rule " + levels + "_v1",
		"go_multiarch_test rule " + levels + "_v2",
		"go_multiarch_test rule " + levels + "_v3",
		"go_multiarch_test rule " + levels + "_v4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("go_multiarch_test makes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestQueryOfCall wants what is shown of a target to lead to its BUILD file.
func TestQueryOfCall(t *testing.T) {
	got := examples(t).Bazel(t, "query", "--output=build", "//bits:bits")
	for _, want := range []string{"\ngo_multiarch_binary(\n", `name = "bits"`, `target = "//bits:bits.go_binary"`, `goamd64 = ["v1", "v3"]`, "bits/BUILD.bazel:"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// TestCquery wants a packed program to be one target with one file, in the
// configuration that the command line asks for.
func TestCquery(t *testing.T) {
	w := examples(t)
	// What the server knows of other configurations from earlier commands is listed too.
	const own = "config(//hello:hello_multi, target)"
	if got := lines(w.Bazel(t, "cquery", "--output=label_kind", own)); len(got) != 1 || !strings.HasPrefix(got[0], "go_multiarch_binary rule //hello:hello_multi (") {
		t.Errorf("is configured as\n%s", strings.Join(got, "\n"))
	}
	files := lines(w.Bazel(t, "cquery", "--output=files", own))
	bin := strings.TrimSpace(w.Bazel(t, "info", "bazel-bin"))
	root := strings.TrimSpace(w.Bazel(t, "info", "execution_root"))
	if want := filepath.Join(bin, "hello", "hello_multi"); len(files) != 1 || filepath.Join(root, files[0]) != want {
		t.Errorf("builds %q, want %s alone", files, want)
	}
}

var (
	actionTitle = regexp.MustCompile(`(?m)^action '(.*)'\n  Mnemonic: (.*)$`)
	ours        = regexp.MustCompile(`^GoMultiarch[A-Z][a-z]+$`)
)

// TestAquery wants the actions of a packed program to be those that are
// documented, and to say what they do to what.
func TestAquery(t *testing.T) {
	w := examples(t)
	// A server that knows the target in other configurations, from earlier commands,
	// lists the actions of all.
	w.Bazel(t, "shutdown")
	text := w.Bazel(t, "aquery", "//hello:hello_multi")
	got := map[string][]string{}
	for _, m := range actionTitle.FindAllStringSubmatch(text, -1) {
		if ours.MatchString(m[2]) {
			got[m[2]] = append(got[m[2]], m[1])
		}
	}
	if want := []string{"Packing //hello:hello_multi"}; !slices.Equal(got["GoMultiarchPack"], want) {
		t.Errorf("packs %q, want %q", got["GoMultiarchPack"], want)
	}
	if n := len(got["GoMultiarchDebug"]); n != 4 {
		t.Errorf("%d actions make debug files, want one for each level", n)
	}
	for _, title := range got["GoMultiarchDebug"] {
		if !strings.HasPrefix(title, "Making debug file bazel-out/") || !strings.HasSuffix(title, ".debug") {
			t.Errorf("making a debug file is called %q", title)
		}
	}
	if len(got) != 2 {
		t.Errorf("kinds of actions are %v, want two", got)
	}
}

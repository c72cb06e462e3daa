package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestPagesAreFresh compares the pages in docs/ with what is generated.
func TestPagesAreFresh(t *testing.T) {
	const root = "../.."
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || string(got) != want {
			t.Errorf("%s is not as it is generated (%v); run go run ./tools/reference", name, err)
		}
	}
}

func TestFind(t *testing.T) {
	const source = `"""A file."""

def app(
        name,
        levels = LEVELS,
        out = None,
        **kwargs):
    """Makes it.

    At once.

    Args:
      name: A name
        of two lines.
      levels: Levels.
      out: A file.
      **kwargs: The rest.
    """
    pass

Info = provider(
    doc = """What was made.
""",
    fields = {
        "file": "File: \"it\".",
        "more": "list of File: " +
                "others.",
    },
)

tool = rule(
    implementation = _tool_impl,
    doc = """Brings a tool.

At once.
""",
    attrs = {
        "executable": attr.label(
            mandatory = True,
            doc = "The tool, " +
                  "built.",
            executable = True,
        ),
        "models": attr.string_dict(
            doc = "Models.",
        ),
        "_hidden": attr.label(default = ":hidden"),
    },
)
`
	want := symbol{
		name:      "app",
		signature: "name, levels = LEVELS, out = None, **kwargs",
		summary:   "Makes it.\n\nAt once.",
		entries:   []entry{{"name", "A name of two lines."}, {"levels", "Levels."}, {"out", "A file."}, {"**kwargs", "The rest."}},
	}
	if got, err := find(source, "app"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v: want %+v", got, err, want)
	}
	if got, want := want.defaults(), map[string]string{"name": "required", "levels": "all four", "out": "`None`"}; !reflect.DeepEqual(got, want) {
		t.Errorf("defaults %v, want %v", got, want)
	}
	info := symbol{name: "Info", kind: provider, summary: "What was made.", entries: []entry{{"file", `File: "it".`}, {"more", "list of File: others."}}}
	if got, err := find(source, "Info"); err != nil || !reflect.DeepEqual(got, info) {
		t.Errorf("%+v, %v: want %+v", got, err, info)
	}
	tool := symbol{name: "tool", kind: rule, summary: "Brings a tool.\n\nAt once.", entries: []entry{{"executable", "The tool, built."}, {"models", "Models."}}}
	if got, err := find(source, "tool"); err != nil || !reflect.DeepEqual(got, tool) {
		t.Errorf("%+v, %v: want %+v", got, err, tool)
	}
	if _, err := find(source, "other"); err == nil {
		t.Error("no error for what is not there")
	}
}

// TestTroubleshootingQuotesMessages compares the headings of the page that quote a message
// with the texts in the sources of the launcher, the packer and the rules.
func TestTroubleshootingQuotesMessages(t *testing.T) {
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "docs/troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	headings := regexp.MustCompile("(?m)^### `(.*)`$").FindAllStringSubmatch(string(page), -1)
	if len(headings) < 10 {
		t.Fatalf("%d messages in headings, want more", len(headings))
	}
	texts := messageSources(t, root) + runtimeSource(t)
	for _, heading := range headings {
		for part := range strings.SplitSeq(heading[1], "…") {
			if part = strings.TrimSpace(part); !strings.Contains(texts, part) {
				t.Errorf("troubleshooting.md quotes %q, but no source has %q", heading[1], part)
			}
		}
	}
}

// runtimeSource returns the source of what Go's own start-up check prints.
func runtimeSource(t *testing.T) string {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal("go env GOROOT:", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "src/runtime/asm_amd64.s"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// messageSources returns the sources that have messages, tests left out, with texts of
// several literals joined and escaped quotes as they are printed.
func messageSources(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range []string{"launcher", "private", "tools/packer", "tools/testlevel", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			extension := filepath.Ext(path)
			if err != nil || extension != ".go" && extension != ".bzl" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	joined := regexp.MustCompile(`" \+\s*"`).ReplaceAllString(all.String(), "")
	return strings.NewReplacer(`\"`, `"`, "%%", "%").Replace(joined)
}

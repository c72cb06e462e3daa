package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("word ", longest) + "more."
	for page, want := range map[string][]string{
		"A sentence. And another one.\n":                   nil,
		"# Title\n\n" + long + "\n":                        {"a sentence of 26 words"},
		"- item\n- " + long + "\n":                         {"a sentence of 26 words"},
		"| a | b |\n|---|---|\n| c | " + long + " |\n":     {"a sentence of 26 words"},
		strings.Repeat("word ", longest) + "`in code`.\n":  {"a sentence of 26 words"},
		strings.Replace(long, "word ", "word. ", 1) + "\n": nil,
		"    " + long + "\n":                               nil, // code
		"```\n" + long + "\n```\n":                         nil,
		"The boot code runs `boot code`.\n":                {`"boot code": write launcher`},
		"A tool that has it not, but for one.\n":           {`"has it not"`, `"but for"`},
		"You recieve it.\n":                                {`"recieve": write "receive"`},
	} {
		found := check([]byte(page))
		if len(found) != len(want) {
			t.Errorf("%q: %+v, want %q", page, found, want)
			continue
		}
		for i, p := range found {
			if !strings.Contains(p.reason, want[i]) {
				t.Errorf("%q: %q, want %q in it", page, p.reason, want[i])
			}
		}
	}
}

func TestLines(t *testing.T) {
	found := check([]byte("# Title\n\nOne line with `code\nin two` lines.\nThe boot code.\n"))
	if len(found) != 1 || found[0].line != 5 {
		t.Errorf("%+v, want one problem, in line 5", found)
	}
}

// TestExempt: the list gets shorter only.
func TestExempt(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, bad := write("good.md", "Fine.\n"), write("bad.md", "The boot code.\n")
	for list, want := range map[string]string{
		bad:                  "",
		"":                   "boot code",
		bad + " " + good:     "in which nothing is wrong: remove it",
		bad + "\n/none.md\n": "is not among the pages: remove it",
	} {
		problems, err := run(write("exempt.txt", list), []string{good, bad})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(problems) > 0 || want != "" && (len(problems) != 1 || !strings.Contains(problems[0], want)) {
			t.Errorf("list %q: %q, want %q", list, problems, want)
		}
	}
	if _, err := run("", []string{filepath.Join(dir, "missing.md")}); err == nil {
		t.Error("no error for a page that is missing")
	}
}

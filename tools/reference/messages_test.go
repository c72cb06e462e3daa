package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// messageLines returns what docs/messages.md would be, and its lines.
func messageLines(t *testing.T) (string, []string) {
	t.Helper()
	page, err := messagesPage("../..")
	if err != nil {
		t.Fatal(err)
	}
	return page, strings.Split(page, "\n")
}

// TestMessagesOfEachKind has one of each kind that was missed before.
func TestMessagesOfEachKind(t *testing.T) {
	_, lines := messageLines(t)
	for _, want := range []string{
		"is a file, or not there at all, want a go_binary",                           // set, on a condition
		"binary and test: … of them set, want one",                                   // set
		"binary: … is not packed on this platform",                                   // and set again
		"unknown level …: want v1, v2, v3 or v4",                                     // of a package elsewhere
		"has … bytes, … has …",                                                       // returned as a reason
		"differs from …, first at byte …",                                            // the same
		"…, but this CPU runs … at most",                                             // why nothing starts
		"this CPU runs …, the lowest level is …",                                     // the same
		"this machine is …/…, the file is for linux/amd64",                           // in a field
		"want a 64-bit little-endian x86-64 executable",                              // a constant
		"want a percentage, such as 2%",                                              // with a percent sign
		"no 'go' on PATH to build it with",                                           // printed by echo
		"'go install …' fails: …",                                                    // the same
		"… on PATH: there is none",                                                   // collected
		"cannot use $BAZEL: …. Set it to a Bazel of version … or newer, or unset it", // with a dollar sign
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
}

// The tests below look for messages the other way round: every text of two words
// is one, but in places that are known to have none.

// words reports whether a text has two words or more.
func words(text string) bool {
	return regexp.MustCompile(`[A-Za-z]{2,}[^A-Za-z]* [^A-Za-z]*[A-Za-z]{2,}`).MatchString(text)
}

// TestGoMessages looks at the literals in the files that packer and testlevel are
// linked from.
func TestGoMessages(t *testing.T) {
	page, _ := messageLines(t)
	// What is printed when all is well.
	output := regexp.MustCompile(`/tools/packer/(?:help|completion|bench_report)\.go$|/internal/(?:page|chart)/`)
	silent := []string{
		"side by side", "no difference", "go object",
		"time from start to exit", "geometric mean of the benchmarks",
		"-f={{.Name}} {{.ImportPath}}",
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}", "./tools/packer", "./tools/testlevel")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range strings.Fields(string(out)) {
		if !strings.HasPrefix(path, root+"/") || output.MatchString(path) {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.KeyValueExpr:
				key, _ := node.Key.(*ast.Ident)
				return key == nil || key.Name != "usage" && key.Name != "summary"
			case *ast.CallExpr:
				return !printsElsewhere(node)
			case *ast.BasicLit:
				text, err := strconv.Unquote(node.Value)
				if err != nil || node.Kind != token.STRING {
					return true
				}
				text = strings.TrimSpace(regexp.MustCompile(`%[^a-z%]*[a-z]`).ReplaceAllString(text, "…"))
				text = strings.NewReplacer("%%", "%", "\n", " ").Replace(text)
				if !words(text) || slices.Contains(silent, text) {
					return true
				}
				found++
				if !strings.Contains(page, text) {
					t.Errorf("%s: not on the page: %s", files.Position(node.Pos()), text)
				}
			}
			return true
		})
	}
	if found < 200 {
		t.Errorf("%d texts found, want more", found)
	}
}

// printsElsewhere knows calls that compare a text, or print it to something other
// than stderr.
func printsElsewhere(call *ast.CallExpr) bool {
	name := lastName(call.Fun)
	if strings.HasPrefix(name, "Fprint") {
		return lastName(call.Args[0]) != "stderr" && lastName(call.Args[0]) != "Stderr"
	}
	return slices.Contains([]string{"HasPrefix", "CutPrefix", "WriteString"}, name)
}

// TestRuleMessages looks at the literals in .bzl files.
func TestRuleMessages(t *testing.T) {
	page, _ := messageLines(t)
	paths, err := filepath.Glob("../../private/*.bzl")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	documented := regexp.MustCompile(`^\s*(?:doc|progress_message) = |^\s*"\w+": "`)
	for _, path := range append(paths, "../../defs.bzl") {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		code := regexp.MustCompile(`(?s)""".*?"""`).ReplaceAllString(string(source), "")
		skip, goesOn := false, false
		for line := range strings.Lines(code) {
			line = strings.TrimSpace(line)
			skip = documented.MatchString(line) || skip && goesOn
			goesOn = strings.HasSuffix(line, `" +`)
			if skip || strings.HasPrefix(line, "#") {
				continue
			}
			for _, m := range literal.FindAllStringSubmatch(line, -1) {
				text := strings.NewReplacer(`\"`, `"`, "{}", "…").Replace(m[1])
				if !words(text) {
					continue
				}
				found++
				if !strings.Contains(page, text) {
					t.Errorf("%s: not on the page: %s", path, text)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d texts found, want more", found)
	}
}

// TestShellMessages looks at the texts in quotes in bazelw and its scripts.
func TestShellMessages(t *testing.T) {
	page, _ := messageLines(t)
	scripts, err := shellScripts("../../bazelw", "../../tools/bazel")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	// Comments, what goes to files, tables of modules, and options.
	other := regexp.MustCompile(`^ *#|>"\$|^ +"\w+ [\w./ -]+/|"--override|bash -c `)
	for path, source := range scripts {
		source = regexp.MustCompile(`(?s)<<END\n.*?\nEND\n`).ReplaceAllString(source, "\n")
		for line := range strings.Lines(source) {
			if other.MatchString(line) {
				continue
			}
			for _, m := range regexp.MustCompile(`"((?:[^"\\$]|\\.|\$\w+|\$\{[^}]*\})*)"`).FindAllStringSubmatch(line, -1) {
				text := regexp.MustCompile(`([^\\]|^)\$(?:\w+|\*|\{[^}]*\})`).ReplaceAllString(m[1], "$1…")
				text = strings.NewReplacer(`\$`, `$`, `\"`, `"`).Replace(text)
				if !words(text) {
					continue
				}
				found++
				if !strings.Contains(page, text) {
					t.Errorf("%s: not on the page: %s", path, text)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d texts found, want more", found)
	}
}

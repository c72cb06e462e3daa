package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rules_go_multiarch/launcher/format"
)

// messagesPage lists the messages of packed files, of the rules, of the packer, of
// what runs a test at a level, and of bazelw.
func messagesPage(root string) (string, error) {
	rules, err := ruleMessages(filepath.Join(root, "private"))
	if err != nil {
		return "", err
	}
	packer, err := goMessages(filepath.Join(root, "tools/packer"))
	if err != nil {
		return "", err
	}
	testlevel, err := goMessages(filepath.Join(root, "tools/testlevel"))
	if err != nil {
		return "", err
	}
	bazelw, err := shellMessages(filepath.Join(root, "bazelw"), filepath.Join(root, "tools/bazel"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("# Messages\n\n" + generated + `
Every message, with … in the place of what differs; [troubleshooting.md](troubleshooting.md) says what to do about those that
people meet. Messages combine: what was being done, colon, what went wrong.
`)
	section := func(title string, messages []string) {
		fmt.Fprintf(&out, "\n## %s\n\n```\n%s\n```\n", title, strings.Join(messages, "\n"))
	}
	section("Packed files, as they start", launcherMessages())
	section("Bazel rules", rules)
	section("packer", packer)
	section("Tests at a level", testlevel)
	section("bazelw", bazelw)
	return out.String(), nil
}

var launcherVerb = regexp.MustCompile(`%[a-z]`)

func launcherMessages() []string {
	var messages []string
	for _, text := range format.MessageText("…") {
		messages = append(messages, strings.TrimSpace(launcherVerb.ReplaceAllString(text, "…")))
	}
	return append(messages, "…"+format.DamagedText)
}

var (
	// What functions of the rules return as a problem, or fail with: parenthesised
	// or not, followed by format or not.
	ruleMessage = regexp.MustCompile(`(?ms)^ +(?:return|fail\() ?\(*((?:"(?:[^"\\\n]|\\.)*"(?: \+\n +)?)+)`)
	hole        = regexp.MustCompile(`\{\}`)
)

func ruleMessages(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.bzl"))
	if err != nil {
		return nil, err
	}
	var messages []string
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for _, m := range ruleMessage.FindAllStringSubmatch(string(source), -1) {
			var text strings.Builder
			for _, part := range literal.FindAllStringSubmatch(m[1], -1) {
				text.WriteString(strings.ReplaceAll(part[1], `\"`, `"`))
			}
			if isMessage(text.String()) {
				messages = append(messages, hole.ReplaceAllString(text.String(), "…"))
			}
		}
	}
	slices.Sort(messages)
	return slices.Compact(messages), nil
}

var goVerb = regexp.MustCompile(`%[#+]?[a-z]`)

// goMessages collects the texts that the errors of a command are made of, what its
// checks find, and what it writes to stderr.
func goMessages(dir string) ([]string, error) {
	var messages []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			makes := ok && (f.Name.Name == "Error" || f.Name.Name == "String")
			ast.Inspect(declaration, func(node ast.Node) bool {
				call, ok := node.(*ast.CallExpr)
				if !ok {
					return true
				}
				for _, arg := range messageArgs(call, makes) {
					if text := strings.TrimSpace(pattern(arg)); isMessage(text) {
						messages = append(messages, strings.ReplaceAll(goVerb.ReplaceAllString(text, "…"), "\n", " "))
					}
				}
				return true
			})
		}
		return nil
	})
	slices.Sort(messages)
	return slices.Compact(messages), err
}

// messageArgs returns the arguments of a call that are messages, or formats of some.
func messageArgs(call *ast.CallExpr, makes bool) []ast.Expr {
	name := ""
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = fun.Sel.Name
	case *ast.Ident:
		name = fun.Name
	}
	switch {
	case len(call.Args) == 0:
		return nil
	case name == "Errorf", name == "New", name == "usagef", name == "Sprintf" && makes:
		return call.Args[:1]
	case name == "add", name == "because":
		return call.Args[:min(2, len(call.Args))]
	case len(call.Args) < 2:
		return nil
	case strings.HasPrefix(name, "Fprint") && strings.EqualFold(lastName(call.Args[0]), "stderr"):
		return call.Args[1:2]
	case name == "append" && slices.Contains([]string{"reasons", "moved"}, lastName(call.Args[0])):
		return call.Args[1:]
	}
	return nil
}

// lastName returns x of x and of y.x.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// pattern returns a text with … for what is not constant in it.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	case *ast.CallExpr:
		if lastName(e.Fun) == "Sprintf" && len(e.Args) > 0 {
			return pattern(e.Args[0])
		}
	}
	return "…"
}

var (
	// $(command), with parentheses in it two deep.
	shellCommand  = `\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`
	shellMessage  = regexp.MustCompile(`(?m)\b(?:die|fail|say|problem=) ?"((?:` + shellCommand + `|[^"\\]|\\.)*)"`)
	shellVariable = regexp.MustCompile(shellCommand + `|\$\{[^}]*\}|\\?\$(?:\w+|\*)`)
)

// shellMessages collects what scripts say.
func shellMessages(paths ...string) ([]string, error) {
	var messages []string
	for _, path := range paths {
		if err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil || !strings.HasPrefix(string(source), "#") || strings.HasSuffix(path, ".md") {
				return err
			}
			for _, m := range shellMessage.FindAllStringSubmatch(string(source), -1) {
				if text := shellVariable.ReplaceAllString(m[1], "…"); isMessage(text) {
					messages = append(messages, strings.ReplaceAll(text, `\"`, `"`))
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	slices.Sort(messages)
	return slices.Compact(messages), nil
}

// isMessage leaves out what only joins other texts.
func isMessage(text string) bool {
	return len(strings.Fields(goVerb.ReplaceAllString(hole.ReplaceAllString(text, ""), ""))) > 1
}

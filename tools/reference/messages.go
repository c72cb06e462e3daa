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

// messagesPage lists the messages of packed files, of the rules and of the
// packer.
func messagesPage(root string) (string, error) {
	rules, err := ruleMessages(filepath.Join(root, "private"))
	if err != nil {
		return "", err
	}
	packer, err := packerMessages(filepath.Join(root, "tools/packer"))
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

// packerMessages collects the texts that errors are made of.
func packerMessages(dir string) ([]string, error) {
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
			makers := []string{"Errorf", "New", "usagef"}
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Name.Name == "Error" {
				makers = append(makers, "Sprintf")
			}
			ast.Inspect(declaration, func(node ast.Node) bool {
				if text, ok := errorText(node, makers); ok && isMessage(text) {
					messages = append(messages, strings.ReplaceAll(goVerb.ReplaceAllString(text, "…"), "\n", " "))
				}
				return true
			})
		}
		return nil
	})
	slices.Sort(messages)
	return slices.Compact(messages), err
}

// errorText returns the text of a call of one of the makers of errors.
func errorText(node ast.Node, makers []string) (string, bool) {
	call, ok := node.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	name := ""
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = fun.Sel.Name
	case *ast.Ident:
		name = fun.Name
	}
	if !slices.Contains(makers, name) {
		return "", false
	}
	return constant(call.Args[0])
}

// constant returns the value of a string literal, or of a sum of some.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := constant(e.X)
		right, ok2 := constant(e.Y)
		return left + right, ok && ok2
	}
	return "", false
}

// isMessage leaves out what only joins other texts.
func isMessage(text string) bool {
	return len(strings.Fields(goVerb.ReplaceAllString(hole.ReplaceAllString(text, ""), ""))) > 1
}

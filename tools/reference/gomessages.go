package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var goVerb = regexp.MustCompile(`%[-+# 0]*[0-9.]*[a-zA-Z]`)

// linkedFiles returns the Go files that a command of the module at root is made
// of, whatever the system, but for those of other modules.
func linkedFiles(root, command string) ([]string, error) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", command)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", cmd.Args, err)
	}
	var files []string
	for _, dir := range strings.Fields(string(out)) {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
		}
	}
	return files, nil
}

// goMessages collects the texts that the errors of a command are made of, what its
// functions return, and what it writes to stderr.
func goMessages(root, command string) ([]string, error) {
	paths, err := linkedFiles(root, command)
	if err != nil {
		return nil, err
	}
	c := &goTexts{formatters: map[string]bool{"Errorf": true, "New": true}}
	var files []*ast.File
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil, err
		}
		c.findFormatters(file)
		files = append(files, file)
	}
	for _, file := range files {
		for _, declaration := range file.Decls {
			c.collect(declaration)
		}
	}
	slices.Sort(c.messages)
	return slices.Compact(c.messages), nil
}

// goTexts follows texts to where they become messages, by names alone and inside
// of one declaration: that finds more than types would, and needs none.
type goTexts struct {
	formatters map[string]bool // functions that take a format, or make an error
	names      map[string]bool // variables and fields that become messages
	messages   []string
}

// findFormatters finds the functions that take "...any".
func (c *goTexts) findFormatters(file *ast.File) {
	add := func(name string, f *ast.FuncType) {
		if n := len(f.Params.List); n > 1 {
			if last, ok := f.Params.List[n-1].Type.(*ast.Ellipsis); ok && lastName(last.Elt) == "any" {
				c.formatters[name] = true
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			add(node.Name.Name, node.Type)
		case *ast.AssignStmt:
			for i, value := range node.Rhs {
				if f, ok := value.(*ast.FuncLit); ok {
					add(lastName(node.Lhs[i]), f.Type)
				}
			}
		}
		return true
	})
}

// collect adds the messages of a declaration, once more for as long as there are
// more names to follow.
func (c *goTexts) collect(declaration ast.Decl) {
	c.names = map[string]bool{"reason": true, "Reason": true}
	for before := 0; before != len(c.names); {
		before = len(c.names)
		ast.Inspect(declaration, func(node ast.Node) bool {
			for _, e := range c.messageArgs(node) {
				c.add(e)
			}
			return true
		})
	}
}

// messageArgs returns the parts of a node that are messages, formats of some, or
// what is formatted.
func (c *goTexts) messageArgs(node ast.Node) []ast.Expr {
	switch node := node.(type) {
	case *ast.CallExpr:
		name := lastName(node.Fun)
		if c.formatters[name] {
			return node.Args
		}
		if strings.HasPrefix(name, "Fprint") && len(node.Args) > 1 && strings.EqualFold(lastName(node.Args[0]), "stderr") {
			return node.Args[1:]
		}
	case *ast.ReturnStmt:
		return node.Results
	case *ast.FuncType: // what it returns by name
		if node.Results != nil {
			for _, field := range node.Results.List {
				for _, name := range field.Names {
					c.names[name.Name] = true
				}
			}
		}
	case *ast.AssignStmt:
		return c.assigned(node.Lhs, node.Rhs)
	case *ast.ValueSpec:
		for i, name := range node.Names {
			if i < len(node.Values) && c.names[name.Name] {
				return node.Values[i : i+1]
			}
		}
	case *ast.KeyValueExpr:
		return c.assigned([]ast.Expr{node.Key}, []ast.Expr{node.Value})
	}
	return nil
}

func (c *goTexts) assigned(to, values []ast.Expr) (messages []ast.Expr) {
	for i, e := range to {
		if len(to) == len(values) && c.names[lastName(e)] {
			messages = append(messages, values[i])
		}
	}
	return messages
}

// add takes an expression for a message, or for part of one.
func (c *goTexts) add(e ast.Expr) {
	switch e := e.(type) {
	case *ast.Ident:
		c.names[e.Name] = true
	case *ast.SelectorExpr:
		c.names[e.Sel.Name] = true
	case *ast.UnaryExpr:
		c.add(e.X)
	case *ast.ParenExpr:
		c.add(e.X)
	case *ast.CompositeLit:
		for _, element := range e.Elts { // those with keys are assignments
			c.add(element)
		}
	case *ast.BasicLit:
		c.addText(e)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			c.addText(e)
			c.addNames(e)
		}
	case *ast.CallExpr:
		switch name := lastName(e.Fun); {
		case name == "append", name == "Join":
			for _, arg := range e.Args {
				c.add(arg)
			}
		case name == "Sprintf":
			c.addText(e)
			for _, arg := range e.Args[1:] {
				c.add(arg)
			}
		}
	}
}

// addNames follows the parts of a sum that are no constants.
func (c *goTexts) addNames(sum *ast.BinaryExpr) {
	for _, part := range []ast.Expr{sum.X, sum.Y} {
		switch part := part.(type) {
		case *ast.BinaryExpr:
			c.addNames(part)
		case *ast.BasicLit:
		default:
			c.add(part)
		}
	}
}

func (c *goTexts) addText(e ast.Expr) {
	text := strings.TrimSpace(pattern(e))
	if !isMessage(text) {
		return
	}
	text = strings.ReplaceAll(goVerb.ReplaceAllString(text, "…"), "%%", "%")
	c.messages = append(c.messages, strings.ReplaceAll(text, "\n", " "))
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
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
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

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// symbol is something that defs.bzl exports.
type symbol struct {
	name      string
	kind      kind
	signature string // the parameters of a macro, as they stand in the source
	summary   string // the docstring up to its arguments
	entries   []entry
}

type kind int

const (
	macro kind = iota
	provider
	rule
)

// entry is an argument of a macro, a field of a provider or an attribute of a
// rule.
type entry struct{ name, text string }

// The repository's Starlark files are as buildifier writes them, which is all
// that these patterns know.
var (
	loads     = regexp.MustCompile(`(?m)^load\("//([a-z]+):([a-z_]+\.bzl)", _(\w+) = "(\w+)"\)$`)
	macros    = `(?ms)^def %s\((.*?)\):\n    """(.*?)"""`
	providers = `(?ms)^%s = provider\(\n    doc = """(.*?)""",\n    fields = \{\n(.*?)\n    \},\n\)`
	rules     = `(?ms)^%s = rule\(\n.*?    doc = """(.*?)""",\n    attrs = \{\n(.*?)\n    \},\n`
	attribute = regexp.MustCompile(`(?ms)^        "([a-z]\w*)": attr\.\w+\(\n(.*?)^        \),$`)
	attrDoc   = regexp.MustCompile(`(?ms)^            doc = (.*?),\n(?:            \w|\z)`)
	argument  = regexp.MustCompile(`^  (\*{0,2}\w+): (.*)$`)
	field     = regexp.MustCompile(`(?ms)^        "(\w+)": (.*?),$`)
	literal   = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// exported reads defs.bzl and the files that it loads.
func exported(root string) ([]symbol, error) {
	defs, err := os.ReadFile(filepath.Join(root, "defs.bzl"))
	if err != nil {
		return nil, err
	}
	var symbols []symbol
	for _, load := range loads.FindAllStringSubmatch(string(defs), -1) {
		path := filepath.Join(root, load[1], load[2])
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		s, err := find(string(source), load[4])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		symbols = append(symbols, s)
	}
	if len(symbols) == 0 {
		return nil, errors.New("defs.bzl: no load statements found")
	}
	return symbols, nil
}

func find(source, name string) (symbol, error) {
	if m := regexp.MustCompile(fmt.Sprintf(macros, name)).FindStringSubmatch(source); m != nil {
		s := symbol{name: name, signature: strings.Join(strings.Fields(m[1]), " ")}
		return s, s.readDocstring(m[2])
	}
	if m := regexp.MustCompile(fmt.Sprintf(providers, name)).FindStringSubmatch(source); m != nil {
		s := symbol{name: name, kind: provider, summary: strings.TrimSpace(m[1])}
		for _, f := range field.FindAllStringSubmatch(m[2]+"\n", -1) {
			s.entries = append(s.entries, entry{f[1], sum(f[2])})
		}
		return s, nil
	}
	if m := regexp.MustCompile(fmt.Sprintf(rules, name)).FindStringSubmatch(source); m != nil {
		s := symbol{name: name, kind: rule, summary: strings.TrimSpace(m[1])}
		for _, a := range attribute.FindAllStringSubmatch(m[2]+"\n", -1) {
			doc := attrDoc.FindStringSubmatch(a[2])
			if doc == nil {
				return s, fmt.Errorf("%s: attribute %s has no doc", name, a[1])
			}
			s.entries = append(s.entries, entry{a[1], sum(doc[1])})
		}
		return s, nil
	}
	return symbol{}, fmt.Errorf("no macro, provider or rule %s with a docstring", name)
}

// sum returns the value of a sum of string literals.
func sum(source string) string {
	var text strings.Builder
	for _, part := range literal.FindAllStringSubmatch(source, -1) {
		text.WriteString(strings.NewReplacer(`\"`, `"`, `\n`, "\n").Replace(part[1]))
	}
	return text.String()
}

// readDocstring parses a macro's docstring in the style that buildifier checks:
// a summary, and arguments below "Args:".
func (s *symbol) readDocstring(text string) error {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "    ")
	}
	summary, args, found := strings.Cut(strings.Join(lines, "\n"), "\nArgs:\n")
	if !found {
		return fmt.Errorf("%s: no Args in its docstring", s.name)
	}
	s.summary = strings.TrimSpace(summary)
	for line := range strings.Lines(args) {
		line = strings.TrimRight(line, "\n")
		if m := argument.FindStringSubmatch(line); m != nil {
			s.entries = append(s.entries, entry{m[1], m[2]})
		} else if line = strings.TrimSpace(line); line != "" && len(s.entries) > 0 {
			s.entries[len(s.entries)-1].text += " " + line
		}
	}
	return nil
}

// rulesPage renders the symbols in Markdown.
func rulesPage(symbols []symbol) string {
	var out strings.Builder
	out.WriteString("# Rules\n\n" + generated + "\n```starlark\nload(\"@rules_go_multiarch//:defs.bzl\", ")
	for i, s := range symbols {
		if i > 0 {
			out.WriteString(", ")
		}
		fmt.Fprintf(&out, "%q", s.name)
	}
	out.WriteString(")\n```\n")
	for _, s := range symbols {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", s.name, s.summary)
		switch s.kind {
		case macro:
			out.WriteString("| attribute | default | |\n|---|---|---|\n")
		case provider:
			out.WriteString("| field | |\n|---|---|\n")
		case rule:
			out.WriteString("| attribute | |\n|---|---|\n| `name` | A unique name for this target. |\n")
		}
		defaults := s.defaults()
		for _, e := range s.entries {
			text := strings.ReplaceAll(e.text, "|", "\\|")
			if s.kind == macro {
				fmt.Fprintf(&out, "| `%s` | %s | %s |\n", e.name, defaults[e.name], text)
			} else {
				fmt.Fprintf(&out, "| `%s` | %s |\n", e.name, text)
			}
		}
	}
	return out.String()
}

// defaults returns the default values of a macro's parameters, in Markdown.
func (s *symbol) defaults() map[string]string {
	values := map[string]string{}
	for _, parameter := range strings.Split(s.signature, ", ") {
		name, value, hasDefault := strings.Cut(strings.TrimRight(parameter, ","), " = ")
		switch {
		case strings.HasPrefix(name, "*"):
		case !hasDefault:
			values[name] = "required"
		case value == "LEVELS":
			values[name] = "all four"
		default:
			values[name] = "`" + value + "`"
		}
	}
	return values
}

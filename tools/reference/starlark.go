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
	name string
	// signature is the parameters of a macro, as they stand in the source, or
	// empty for a provider.
	signature string
	summary   string // the docstring up to its arguments
	entries   []entry
}

// entry is an argument of a macro or a field of a provider.
type entry struct{ name, text string }

// The repository's Starlark files are as buildifier writes them, which is all
// that these patterns know.
var (
	loads     = regexp.MustCompile(`(?m)^load\("//([a-z]+):([a-z_]+\.bzl)", _(\w+) = "(\w+)"\)$`)
	macros    = `(?ms)^def %s\((.*?)\):\n    """(.*?)"""`
	providers = `(?ms)^%s = provider\(\n    doc = """(.*?)""",\n    fields = \{\n(.*?)\n    \},\n\)`
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
		s := symbol{name: name, summary: strings.TrimSpace(m[1])}
		for _, f := range field.FindAllStringSubmatch(m[2]+"\n", -1) {
			var text strings.Builder
			for _, part := range literal.FindAllStringSubmatch(f[2], -1) {
				text.WriteString(strings.NewReplacer(`\"`, `"`, `\n`, "\n").Replace(part[1]))
			}
			s.entries = append(s.entries, entry{f[1], text.String()})
		}
		return s, nil
	}
	return symbol{}, fmt.Errorf("neither a macro nor a provider %s with a docstring", name)
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
		kind, what := "attribute", "default"
		if s.signature == "" {
			kind = "field"
		}
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", s.name, s.summary)
		if s.signature == "" {
			fmt.Fprintf(&out, "| %s | |\n|---|---|\n", kind)
		} else {
			fmt.Fprintf(&out, "| %s | %s | |\n|---|---|---|\n", kind, what)
		}
		defaults := s.defaults()
		for _, e := range s.entries {
			text := strings.ReplaceAll(e.text, "|", "\\|")
			if s.signature == "" {
				fmt.Fprintf(&out, "| `%s` | %s |\n", e.name, text)
			} else {
				fmt.Fprintf(&out, "| `%s` | %s | %s |\n", e.name, defaults[e.name], text)
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

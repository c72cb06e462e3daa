package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/golangci/misspell"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// longest is the number of words that a sentence may have.
const longest = 25

// problem is what is wrong with a line of a page; lines count from 1.
type problem struct {
	line   int
	reason string
}

// style has what is not to be written, and what to write in its place.
var style = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// One name per thing.
	{word(`boot code`), "launcher"},
	{word(`companions?`), "debug file"},
	{word(`(?:fat|multi-arch|stitched) (?:file|binary|executable)s?`), "packed file"},
	{word(`the (?:original|normal) (?:file|binary|program|executable)`), "plain program"},
	{word(`micro-architecture`), "microarchitecture"},
	// Inverted or elliptical.
	{word(`(?:has|have) (?:it|them|one|none) not`), "does not have"},
	{word(`(?:is|are) no (?:Go|packed|plain)`), "is not a"},
	{word(`but for`), "except"},
	{word(`what else`), "everything else that"},
	{word(`so does`), "a sentence of its own"},
	{word(`nor (?:is|are|does|do|has|have)`), "a sentence of its own"},
	{word(`the like`), "the things that you mean"},
	{word(`(?:thereof|therein|thereby|whatsoever|hitherto)`), "plain words"},
	{word(`in (?:its|their|his) stead`), "instead"},
	{word(`as (?:well )?as ever`), "as before"},
	// Fillers.
	{word(`(?:simply|obviously|of course|easily|just works)`), "nothing"},
	{word(`in order to`), "to"},
	{word(`utili[sz]es?`), "use"},
}

func word(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b` + pattern + `\b`) }

var spelling = func() *misspell.Replacer {
	r := misspell.New()
	r.Compile()
	return r
}()

// check returns what is wrong with the prose of a page: its paragraphs, list items and
// table cells. Code is none of it.
func check(page []byte) (problems []problem) {
	document := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(page))
	ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case ast.KindParagraph, ast.KindTextBlock, east.KindTableCell:
			prose := proseOf(n, page)
			problems = append(problems, checkProse(prose, lineOf(n, page))...)
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return problems
}

func checkProse(prose string, line int) (problems []problem) {
	report := func(at int, format string, args ...any) {
		problems = append(problems, problem{line + strings.Count(prose[:at], "\n"), fmt.Sprintf(format, args...)})
	}
	for _, s := range sentences(prose) {
		if n := len(strings.Fields(s.text)); n > longest {
			report(s.at, "a sentence of %d words, want %d at most: %s", n, longest, shortened(s.text))
		}
	}
	for _, rule := range style {
		for _, at := range rule.pattern.FindAllStringIndex(prose, -1) {
			report(at[0], "%q: write %s", prose[at[0]:at[1]], rule.instead)
		}
	}
	_, misspelt := spelling.Replace(prose)
	for _, diff := range misspelt {
		problems = append(problems, problem{line + diff.Line - 1, fmt.Sprintf("%q: write %q", diff.Original, diff.Corrected)})
	}
	return problems
}

type sentence struct {
	at   int // bytes into the prose
	text string
}

// ends matches the end of a sentence and the space behind it.
var ends = regexp.MustCompile(`[.!?:;][)"”]?\s+`)

// sentences splits prose at full stops, colons and semicolons.
func sentences(prose string) (found []sentence) {
	at := 0
	for _, end := range ends.FindAllStringIndex(prose, -1) {
		found = append(found, sentence{at, prose[at:end[1]]})
		at = end[1]
	}
	return append(found, sentence{at, prose[at:]})
}

func shortened(s string) string {
	words := strings.Fields(s)
	return strings.Join(words[:min(len(words), 8)], " ") + " …"
}

// proseOf returns the text of a block as a reader sees it, line for line. What is code
// counts as one word.
func proseOf(block ast.Node, page []byte) string {
	var out bytes.Buffer
	ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			lines := 0
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok {
					lines += bytes.Count(t.Segment.Value(page), []byte("\n"))
				}
			}
			out.WriteString("CODE" + strings.Repeat("\n", lines))
			return ast.WalkSkipChildren, nil
		case *ast.AutoLink:
			out.WriteString("LINK")
		case *ast.Text:
			out.Write(n.Segment.Value(page))
			if n.SoftLineBreak() || n.HardLineBreak() {
				out.WriteByte('\n')
			}
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

// lineOf returns the line at which a block begins.
func lineOf(block ast.Node, page []byte) int {
	lines := block.Lines()
	if lines.Len() == 0 {
		return 1
	}
	return 1 + bytes.Count(page[:lines.At(0).Start], []byte("\n"))
}

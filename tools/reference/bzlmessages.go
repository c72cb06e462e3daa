package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	// What is not code: docstrings, and comments up to the end of their line.
	bzlText = regexp.MustCompile(`(?s)""".*?"""|("(?:[^"\\\n]|\\.)*")|#[^\n]*`)
	// How statements begin that fail, return, or set a variable.
	bzlStart = regexp.MustCompile(`^( +)(?:(fail\(|return )|(\w+) = |for (\w+) in )`)
	bzlName  = regexp.MustCompile(`\b[a-z_]\w*`)
	// Literals, joined by + or not.
	bzlSum = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"(?: \+\n +"(?:[^"\\\n]|\\.)*")*`)
	hole   = regexp.MustCompile(`\{\}`)
)

// ruleMessages collects what the functions in the .bzl files of a folder fail with,
// and what they return: most return a problem for another one to fail with.
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
		messages = append(messages, bzlMessages(string(source))...)
	}
	slices.Sort(messages)
	return slices.Compact(messages), nil
}

func bzlMessages(source string) (messages []string) {
	statements := bzlStatements(bzlText.ReplaceAllString(source, "$1"))
	// The variables in what fails or is returned, and those that they are made of.
	names := map[string]bool{}
	for before := -1; before != len(names); {
		before, messages = len(names), nil
		for _, statement := range statements {
			start := bzlStart.FindStringSubmatch(statement)
			if start[2] == "" && !names[start[3]+start[4]] {
				continue
			}
			for _, name := range bzlName.FindAllString(literal.ReplaceAllString(statement, ""), -1) {
				names[name] = true
			}
			for _, text := range bzlSum.FindAllString(statement, -1) {
				if text = sum(text); isMessage(text) {
					messages = append(messages, hole.ReplaceAllString(text, "…"))
				}
			}
		}
	}
	return messages
}

// bzlStatements returns the statements that begin as bzlStart has it, each up to
// the next line that is indented no deeper, but for closing brackets.
func bzlStatements(source string) (statements []string) {
	lines := strings.Split(source, "\n")
	within := func(line, indent string) bool {
		return strings.HasPrefix(line, indent+" ") || strings.HasPrefix(line, indent+")") || strings.HasPrefix(line, indent+"]")
	}
	for i, line := range lines {
		start := bzlStart.FindStringSubmatch(line)
		if start == nil {
			continue
		}
		end := i + 1
		for end < len(lines) && within(lines[end], start[1]) {
			end++
		}
		statements = append(statements, strings.Join(lines[i:end], "\n"))
	}
	return statements
}

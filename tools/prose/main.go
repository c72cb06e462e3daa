// Prose checks the English of Markdown pages: the length of sentences, words that the
// project has another word for, idioms that a stranger stumbles over, and spelling.
//
//	prose [-exempt FILE] PAGE...
//
// FILE lists pages that are not rewritten yet, one a line. They are not checked, but a
// page on the list in which nothing is wrong is an error, so that the list gets shorter.
//
// It is a Go module of its own, so that nobody who uses the packer resolves what it needs.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	exempt := flag.String("exempt", "", "")
	flag.Parse()
	problems, err := run(*exempt, flag.Args())
	for _, problem := range problems {
		fmt.Fprintln(os.Stderr, problem)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
	}
	if err != nil || len(problems) > 0 {
		os.Exit(1)
	}
}

// run returns what is wrong with pages, each with its page and line.
func run(exempt string, pages []string) (problems []string, err error) {
	var listed []string
	if exempt != "" {
		text, err := os.ReadFile(exempt)
		if err != nil {
			return nil, fmt.Errorf("reading the list of exempt pages: %w", err)
		}
		listed = strings.Fields(string(text))
		for _, page := range listed {
			if !slices.Contains(pages, page) {
				problems = append(problems, fmt.Sprintf("%s: lists %s, which is not among the pages: remove it", exempt, page))
			}
		}
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return problems, fmt.Errorf("reading a page: %w", err)
		}
		found := check(text)
		switch {
		case !slices.Contains(listed, page):
			for _, p := range found {
				problems = append(problems, fmt.Sprintf("%s:%d: %s", filepath.ToSlash(page), p.line, p.reason))
			}
		case len(found) == 0:
			problems = append(problems, fmt.Sprintf("%s: lists %s, in which nothing is wrong: remove it", exempt, page))
		}
	}
	return problems, nil
}

package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestManualPage reads docs/packer.1 as man does: by its requests and escapes,
// all of which are known here, and by groff or mandoc where there is one.
func TestManualPage(t *testing.T) {
	const file = "../../docs/packer.1"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sections, body []string
	filled := true
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		line = strings.ReplaceAll(line, `\-`, "-") // an ASCII hyphen, as in options
		name, argument, _ := strings.Cut(line, " ")
		switch {
		case name == `.\"`:
			continue
		case name == ".TH":
			if !regexp.MustCompile(`^PACKER 1 "[^"]*" "rules_go_multiarch"$`).MatchString(argument) {
				t.Errorf("line %d: title %q", i+1, argument)
			}
		case name == ".SH":
			sections = append(sections, argument)
		case name == ".nf" && filled, name == ".fi" && !filled:
			filled = !filled
		case strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'"):
			t.Errorf("line %d: request %q", i+1, line)
		case len(sections) == 0:
			t.Errorf("line %d: %q before the first section", i+1, line)
		default:
			line = strings.ReplaceAll(strings.TrimPrefix(line, `\&`), `\e`, "/")
			if strings.Contains(line, `\`) {
				t.Errorf("line %d: escape in %q", i+1, line)
			}
			body = append(body, line)
		}
	}
	if !filled {
		t.Error("the last .nf has no .fi")
	}
	verbs, err := packerHelp("../..")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"NAME", "SYNOPSIS"} // the first help is that of no verb
	for _, v := range verbs[1:] {
		want = append(want, strings.ToUpper(v.name))
	}
	if !slices.Equal(sections, want) {
		t.Errorf("sections %q, want %q", sections, want)
	}
	if !strings.HasPrefix(body[0], "packer - ") {
		t.Errorf("%q: want what apropos looks for, packer - and a sentence", body[0])
	}

	t.Run("rendered", func(t *testing.T) { testRendered(t, file) })
}

// testRendered renders the page with whatever there is to do so.
func testRendered(t *testing.T, file string) {
	rendered := false
	for _, command := range []string{"groff -man -ww -Tascii " + file, "mandoc -T lint -W warning " + file} {
		words := strings.Fields(command)
		path, err := exec.LookPath(words[0])
		if err != nil {
			continue
		}
		rendered = true
		cmd := exec.Command(path, words[1:]...)
		var warnings bytes.Buffer
		cmd.Stderr = &warnings
		out, err := cmd.Output()
		if words[0] == "mandoc" {
			warnings.Write(out)
		} else if !strings.Contains(string(out), "usage: packer create -o OUT") {
			t.Errorf("%s shows no usage of packer create", command)
		}
		if err != nil || warnings.Len() > 0 {
			t.Errorf("%s: %v\n%s", command, err, &warnings)
		}
	}
	if !rendered {
		t.Skip("skipped: neither groff nor mandoc is here to render the page; Debian has groff in groff-base")
	}
}

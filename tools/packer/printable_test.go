package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext, größer\n": "plain\ttext, größer\n",
		"\x1b[31mred\r\x00\x7f": `\x1b[31mred\x0d\x00\u007f`,
		"\u009b31m":             `\u009b31m`, // the same in one character
		"a\u202eb":              `a\u202eb`,  // what follows would be shown from right to left
		"\xff\n":                `\xff` + "\n",
	} {
		if got := escaped(text); got != want {
			t.Errorf("%q: printed as %q, want %q", text, got, want)
		}
		// Characters may come in pieces.
		var out strings.Builder
		p := &printable{w: &out}
		for i := range len(text) {
			if n, err := p.Write([]byte{text[i]}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if out.String() != want {
			t.Errorf("%q, byte by byte: printed as %q, want %q", text, out.String(), want)
		}
	}
}

// TestJSONStaysJSON prints a name with what package json does not escape.
func TestJSONStaysJSON(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "a\x7f\u009b"), []byte("text"), 0o644)
	var results []checked
	r := packer("check", "--json", path)
	if err := json.Unmarshal([]byte(r.stdout), &results); err != nil || results[0].File != path {
		t.Errorf("%s: read as %+v (%v)", r.stdout, results, err)
	}
}

// TestNamesArePrintable has every verb that takes files name one whose name would drive
// a terminal.
func TestNamesArePrintable(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "\x1b]0;title\a"), []byte("text"), 0o644)
	for _, args := range [][]string{
		{"check", path}, {"info", path}, {"verify", path}, {"debug", path}, {"create", "-o", path + "2", "v1=" + path},
		{"thin", "-level", "v1", "-o", path + "2", path}, {"extract", "-level", "v1", "-o", path + "2", path},
		{"which", path}, {path}, {"help", path},
	} {
		r := packer(args...)
		if text := r.stdout + r.stderr; strings.ContainsAny(text, "\x1b\a") || !strings.Contains(text, `x1b]0;title`) {
			t.Errorf("%q: printed %q", args, text)
		}
	}
}

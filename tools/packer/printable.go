package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable writes text to w, with control characters as escapes: what files, names
// and variables contain cannot drive the terminal. Newlines and tabs stay. The control
// characters that package json lets pass become what JSON has for them.
type printable struct {
	w    io.Writer
	rest []byte // the beginning of a character whose end has not been written yet
}

// Write implements io.Writer.
func (p *printable) Write(text []byte) (int, error) {
	in := append(p.rest, text...)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && utf8.FullRune(in) {
		r, size := utf8.DecodeRune(in)
		switch {
		case r == utf8.RuneError && size == 1:
			out = fmt.Appendf(out, `\x%02x`, in[0])
		case r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r):
			out = append(out, in[:size]...)
		case r < ' ':
			out = fmt.Appendf(out, `\x%02x`, r)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		in = in[size:]
	}
	p.rest = append([]byte(nil), in...)
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escaped returns text as printable writes it.
func escaped(text string) string {
	var out strings.Builder
	(&printable{w: &out}).Write([]byte(text))
	return out.String()
}

// raw returns the writer behind those that a verb is given: for other programs, which
// may want a terminal, and for what draws on one.
func raw(w io.Writer) io.Writer {
	for {
		switch outer := w.(type) {
		case *printable:
			w = outer.w
		case *errorWriter:
			w = outer.w
		default:
			return w
		}
	}
}

package boot

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// printed returns what a message has of a text.
func printed(s string) string {
	var state state
	data := []byte(s)
	put(&state, text{address(data), uintptr(len(data))})
	runtime.KeepAlive(data)
	return string(unsafe.Slice((*byte)(unsafe.Pointer(&state.interp)), state.out))
}

func TestPut(t *testing.T) {
	for s, want := range map[string]string{
		"":                 "",
		"plain text~":      "plain text~",
		"a\x1b[31m\r\n\t":  `a\x1b[31m\x0d\x0a\x09`,
		"\x7f\x00":         `\x7f\x00`,
		"\x9b31m":          `\x9b31m`,          // control characters of eight bits
		"\u009b31m":        `\xc2\x9b31m`,      // in UTF-8
		"\xe0\x82\x9b":     `\xe0\x82\x9b`,     // in more bytes than that needs
		"\xf0\x80\x82\x9b": `\xf0\x80\x82\x9b`, // and in still more
		"prögramm € 𝒢":     "prögramm € 𝒢",
		"a\u202eb\u2066c":  `a\xe2\x80\xaeb\xe2\x81\xa6c`, // turn text around
		"\u200b\u2028":     `\xe2\x80\x8b\xe2\x80\xa8`,
		"ö"[:1]:            `\xc3`,
		"€"[:2] + "a":      `\xe2\x82a`,
	} {
		if got := printed(s); got != want {
			t.Errorf("%q is printed as %q, want %q", s, got, want)
		}
	}
	for c := rune(0); c <= 0xffff; c++ {
		got := printed(string(c))
		if c < utf8.RuneSelf && (got == string(c)) != (c >= ' ' && c < 0x7f) {
			t.Errorf("%U is printed as %q", c, got)
		}
		if unicode.IsControl(c) && got == string(c) {
			t.Errorf("the control character %U is printed raw", c)
		}
		if unicode.IsLetter(c) && got != string(c) {
			t.Errorf("the letter %U is printed as %q", c, got)
		}
	}
}

// TestPutLong puts more than there is room for.
func TestPutLong(t *testing.T) {
	long := strings.Repeat("a", int(messageSize)+100)
	if got := printed(long); got != long[:messageSize] {
		t.Errorf("%d bytes are printed as %d, want %d", len(long), len(got), messageSize)
	}
}

func TestPutNumber(t *testing.T) {
	for _, n := range []uintptr{0, 9, 10, 99, 100, 999, 1000, 4095} {
		var state state
		putNumber(&state, n)
		if got := string(unsafe.Slice((*byte)(unsafe.Pointer(&state.interp)), state.out)); got != fmt.Sprint(n) {
			t.Errorf("%d is printed as %q", n, got)
		}
	}
}

package debuglink

import (
	"bytes"
	"hash/crc32"
	"testing"
)

func TestComplete(t *testing.T) {
	for _, text := range []string{"", "a", "a packed file", string(make([]byte, 5000))} {
		for _, want := range []uint32{0, 1, 0xdeadbeef, 0xffffffff} {
			data := append([]byte(text), Complete(crc32.ChecksumIEEE([]byte(text)), want)...)
			if got := crc32.ChecksumIEEE(data); got != want {
				t.Errorf("%.10q: CRC-32 %#x, want %#x", text, got, want)
			}
		}
	}
}

func TestEncode(t *testing.T) {
	for name, want := range map[string]string{
		"abc":  "abc\x00\x04\x03\x02\x01",
		"abcd": "abcd\x00\x00\x00\x00\x04\x03\x02\x01",
	} {
		if got := Encode(name, 0x01020304); !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, ok := range map[string]bool{"app.debug": true, "": false, ".": false, "..": false, "a/b": false, "a\x00": false} {
		if err := Check(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

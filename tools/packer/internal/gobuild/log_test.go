package gobuild

import (
	"bytes"
	"fmt"
	"testing"
)

func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out)
	v1, v3 := log.level("v1"), log.level("v3")
	fmt.Fprint(v1, "one\ntw")
	fmt.Fprint(v3, "three\n")
	fmt.Fprint(v1, "o\nend")
	v1.end()
	v3.repeat()
	v3.repeat() // is last already
	if want := "v1: one\nv3: three\nv1: two\nv1: end\nv3: three\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	for range 20000 {
		fmt.Fprintln(v1, "a line of some length")
	}
	if len(v1.kept) > maxKept || !bytes.HasPrefix(v1.kept, []byte("v1: a line")) {
		t.Errorf("%d bytes kept, from %q on", len(v1.kept), v1.kept[:20])
	}
}

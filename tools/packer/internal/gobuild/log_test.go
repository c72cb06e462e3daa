package gobuild

import (
	"bytes"
	"fmt"
	"testing"
)

func TestLog(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(nil, &out)
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

// TestLogOfDownloads has each line about a download once, and behind no level.
func TestLogOfDownloads(t *testing.T) {
	var out, others bytes.Buffer
	log := NewLog(nil, &out)
	list, v1, v3 := log.downloads(&others), log.level("v1"), log.level("v3")
	fmt.Fprint(list, "go: downloading example.com/a v1.0.0\ngo: finding\n")
	for _, level := range []*levelLog{v1, v3} {
		fmt.Fprint(level, "go: downloading example.com/a v1.0.0\ngo: downloading example.com/b v1.0.0")
		level.end()
	}
	if want := "go: downloading example.com/a v1.0.0\ngo: downloading example.com/b v1.0.0\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	if want := "go: finding\n"; others.String() != want {
		t.Errorf("others: %q, want %q", others.String(), want)
	}
}

// TestLogOfEvents has JSON on one stream, and what is none on the other.
func TestLogOfEvents(t *testing.T) {
	var stdout, stderr bytes.Buffer
	log := NewLog(&stdout, &stderr)
	events := log.events("v3", log.level("v3"))
	fmt.Fprint(events, "{\"Action\":\"build-fail\"}\n{}\nno event\n{\"half\":")
	events.end()
	if want := "{\"Action\":\"build-fail\",\"GOAMD64\":\"v3\"}\n{\"GOAMD64\":\"v3\"}\n"; stdout.String() != want {
		t.Errorf("standard output: %q, want %q", stdout.String(), want)
	}
	if want := "v3: no event\nv3: {\"half\":\n"; stderr.String() != want {
		t.Errorf("standard error: %q, want %q", stderr.String(), want)
	}
}

// TestLogOfCommands has the level in a comment, so that a shell can read the rest.
func TestLogOfCommands(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(nil, &out)
	for _, name := range []string{"v1", "v3"} {
		fmt.Fprint(log.commands(name), "mkdir x\ncd x\n")
	}
	if want := "#\n# GOAMD64=v1\n#\n\nmkdir x\ncd x\n#\n# GOAMD64=v3\n#\n\nmkdir x\ncd x\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes an executable's folder with the given settings and returns the
// path of the executable.
func write(t *testing.T, settings string) string {
	t.Helper()
	self := filepath.Join(t.TempDir(), "some_test_v4")
	if err := os.WriteFile(self, nil, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(self+".level", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(self+".level/settings.json", []byte(settings), 0o666); err != nil {
		t.Fatal(err)
	}
	return self
}

// No emulator has v4, whatever the CPU.
const unable = `{"label": "//some:some_test_v4", "level": "v4", "program": "some_test", "emulate": "always", "qemu": "qemu", "mustRun": %t}`

const reason = `emulate = "always", and the emulator has no CPU of level v4`

func TestSkip(t *testing.T) {
	dir := t.TempDir()
	report, shards := filepath.Join(dir, "test.xml"), filepath.Join(dir, "shards")
	t.Setenv("XML_OUTPUT_FILE", report)
	t.Setenv("TEST_SHARD_STATUS_FILE", shards)
	var stdout, stderr bytes.Buffer
	if status := run([]string{write(t, fmt.Sprintf(unable, false)), "-test.v"}, &stdout, &stderr); status != 0 {
		t.Errorf("status %d, want 0", status)
	}
	if want := "--- SKIP: //some:some_test_v4\n    " + reason + "\n"; stdout.String() != want {
		t.Errorf("prints %q, want %q", stdout.String(), want)
	}
	if _, err := os.Stat(shards); err != nil {
		t.Errorf("does not say that it knows of shards: %v", err)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var got suites
	if err := xml.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	s := got.Suite
	if s.Tests != 1 || s.Skipped != 1 || s.Failures != 0 || s.Case.Name != "some_test_v4" || s.Case.Skipped.Message != reason {
		t.Errorf("reports\n%s", text)
	}
}

func TestMustRun(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run([]string{write(t, fmt.Sprintf(unable, true))}, &stdout, &stderr); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	if want := "testlevel: //some:some_test_v4 cannot run: " + reason; !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("prints %q, want it to begin with %q", stderr.String(), want)
	}
}

func TestErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct{ name, self, want string }{
		{"no such file", missing, "finding \"" + missing + "\""},
		{"no level", write(t, `{}`), `unknown level ""`},
		{"no JSON", write(t, `{`), "settings.json: unexpected end of JSON input"},
		{"no program", write(t, `{"label": "//some:test", "level": "v1", "program": "some_test", "emulate": "never"}`), "some_test_v4.level/some_test: no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run([]string{c.self}, &stdout, &stderr); status != 1 {
				t.Errorf("status %d, want 1", status)
			}
			if !strings.Contains(stderr.String(), c.want) {
				t.Errorf("prints %q, want %q in it", stderr.String(), c.want)
			}
		})
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadAhead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	commands := []command{{path: path}}
	before := readAhead(path)
	restore, err := setReadAhead(before+64, commands)
	if before == 0 || os.Geteuid() != 0 {
		// No disk below the file system, or not the user who may.
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %s", err, path)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := readAhead(path); got != before+64 {
		t.Errorf("the read-ahead is %d KiB, want %d", got, before+64)
	}
	restore()
	if got := readAhead(path); got != before {
		t.Errorf("afterwards the read-ahead is %d KiB, want %d", got, before)
	}
	if _, err := setReadAhead(128, []command{{path: path + ".missing"}}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error %v, want one about the missing file", err)
	}
}

package bazel_test

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestStamp builds with --stamp, twice, with different values. A program that
// asks for none stays as it is; in variants of one that does, the value
// changes, and with it the build ids.
func TestStamp(t *testing.T) {
	w := elsewhere(t)
	status := filepath.Join(w.Dir, "status.sh")
	build := func(value string) (plain, stamped map[string][]byte) {
		t.Helper()
		bazeltest.Write(t, status, "#!/bin/sh\necho STABLE_VALUE "+value+"\n")
		if err := os.Chmod(status, 0o777); err != nil {
			t.Fatal(err)
		}
		flags := []string{"--stamp", "--workspace_status_command=" + status, withGroups}
		targets := []string{"//tests/bazel/programs:two_levels", "//tests/bazel/programs:stamped"}
		w.Build(t, append(targets, flags...)...)
		return w.Files(t, targets[:1], flags...), w.Files(t, targets[1:], withGroups, flags[0], flags[1])
	}
	const one, two = "value-one", "value-two"
	plainOne, stampedOne := build(one)
	plainTwo, stampedTwo := build(two)
	for name := range plainOne {
		if want := copied.outputs[name]; !bytes.Equal(plainOne[name], want) || !bytes.Equal(plainTwo[name], want) {
			t.Errorf("%s: not the same bytes with --stamp", name)
		}
	}
	variants := 0
	for name, text := range stampedOne {
		if !strings.Contains(name, "/stamped_/v") {
			continue // packed file and manifest have checksums of the variants
		}
		variants++
		if !bytes.Contains(text, []byte(one)) {
			t.Errorf("%s: the value is not in it", name)
		}
		if want := bytes.ReplaceAll(withoutNotes(t, text), []byte(one), []byte(two)); !bytes.Equal(withoutNotes(t, stampedTwo[name]), want) {
			t.Errorf("%s: another value changes more than the value and build ids", name)
		}
	}
	if variants != 2 {
		t.Errorf("%d variants in %v, want 2", variants, names(stampedOne))
	}
}

// withoutNotes returns a program with zeroes for its notes, which are build ids.
func withoutNotes(t *testing.T, program []byte) []byte {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	program = bytes.Clone(program)
	for _, s := range file.Sections {
		if s.Type == elf.SHT_NOTE {
			clear(program[s.Offset : s.Offset+s.FileSize])
		}
	}
	return program
}

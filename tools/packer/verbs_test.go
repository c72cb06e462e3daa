package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
)

// result is how a command line ended.
type result struct {
	status         int
	stdout, stderr string
}

func packer(args ...string) result {
	var stdout, stderr bytes.Buffer
	status := run(context.Background(), args, &stdout, &stderr)
	return result{status, stdout.String(), stderr.String()}
}

// must runs a command line that has to succeed silently on standard error.
func must(t *testing.T, args ...string) string {
	t.Helper()
	r := packer(args...)
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("packer %q: status %d, %s", args, r.status, r.stderr)
	}
	return r.stdout
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// create packs levels of the probe afresh.
func create(t *testing.T, out string, levels ...goamd64.Level) string {
	t.Helper()
	probe := testenv.Probe(t)
	args := []string{"create", "-launcher", testenv.Launcher(t), "-o", out}
	for _, level := range levels {
		args = append(args, fmt.Sprintf("%v=%s", level, probe.Variants[level]))
	}
	must(t, args...)
	return out
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if !bytes.Equal(contents(t, got), contents(t, want)) {
		t.Errorf("%s and %s differ", got, want)
	}
}

func TestExtract(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "app"), contents(t, probe.Packed), 0o750)
	if err := os.Chmod(file, 0o750); err != nil {
		t.Fatal(err)
	}
	for level, path := range probe.Variants {
		out := filepath.Join(dir, level.String())
		must(t, "extract", "-level", level.String(), "-o", out, file)
		same(t, out, path)
		if info, err := os.Stat(out); err != nil || info.Mode() != 0o750 {
			t.Errorf("mode %v: want that of the packed file (%v)", info.Mode(), err)
		}
	}
	if err := exec.Command(filepath.Join(dir, "v1")).Run(); err != nil {
		t.Errorf("v1 does not run: %v", err)
	}
}

// TestChangesAreFreshCreates compares each verb's output with what create
// makes of the same executables.
func TestChangesAreFreshCreates(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	all := create(t, path("all"), 1, 2, 3, 4)
	if err := os.Chmod(all, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want []goamd64.Level
	}{
		"thin to two":    {[]string{"thin", "-level", "v1,v3", all, "-o", "OUT"}, []goamd64.Level{1, 3}},
		"thin to all":    {[]string{"thin", "-level=v1", "-level=v2", "--level", "v3,v4", "-o", "OUT", "--", all}, []goamd64.Level{1, 2, 3, 4}},
		"thin to upper":  {[]string{"thin", "-level", "v4,v2", "-o", "OUT", all}, []goamd64.Level{2, 4}},
		"remove lowest":  {[]string{"remove", "-level", "v1", "-o", "OUT", all}, []goamd64.Level{2, 3, 4}},
		"remove three":   {[]string{"remove", "-level", "v1,v2,v4", "-o", "OUT", all}, []goamd64.Level{3}},
		"replace itself": {[]string{"replace", "-o", "OUT", all, "v2=" + probe.Variants[2], probe.Variants[4]}, []goamd64.Level{1, 2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			for i := range test.args {
				test.args[i] = strings.Replace(test.args[i], "OUT", out, 1)
			}
			must(t, test.args...)
			same(t, out, create(t, out+".fresh", test.want...))
			if info, err := os.Stat(out); err != nil || info.Mode() != 0o700 {
				t.Errorf("mode %v: want that of the input (%v)", info.Mode(), err)
			}
			if problems := packer("verify", out); problems.status != 0 {
				t.Error(problems.stderr)
			}
		})
	}
}

// TestReplaceByAnother takes v3 of another program in and out again.
func TestReplaceByAnother(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var first []string
	for _, level := range []goamd64.Level{1, 3} {
		plain := write(t, path("plain."+level.String()), elftest.Executable(slots.Of(level).Base).Bytes(), 0o755)
		first = append(first, level.String()+"="+plain)
	}
	other := elftest.Executable(slots.Of(3).Base)
	other.Progs[2].Memsz += 0x3000
	write(t, path("other.v3"), other.Bytes(), 0o755)

	launcher := testenv.Launcher(t)
	must(t, append([]string{"create", "-no-environment", "-launcher", launcher, "-o", path("first")}, first...)...)
	must(t, "create", "-no-environment", "-launcher", launcher, "-o", path("second"), first[0], "v3="+path("other.v3"))
	must(t, "replace", "-o", path("replaced"), path("first"), "v3="+path("other.v3"))
	same(t, path("replaced"), path("second"))

	// In place, and back.
	must(t, "replace", "-o", path("replaced"), path("replaced"), first[1])
	same(t, path("replaced"), path("first"))
	// A packed file is a launcher too.
	must(t, append([]string{"create", "-no-environment", "-launcher", path("second"), "-o", path("third")}, first...)...)
	same(t, path("third"), path("first"))
}

func TestThinInPlace(t *testing.T) {
	dir := t.TempDir()
	file := create(t, filepath.Join(dir, "app"), 1, 2, 3)
	must(t, "thin", "-level", "v1,v2", "-o", file, file)
	same(t, file, create(t, filepath.Join(dir, "fresh"), 1, 2))
}

func TestInfo(t *testing.T) {
	probe := testenv.Probe(t)
	t.Setenv("GOAMD64", "")
	t.Setenv("GOMULTIARCH", "max=v1")
	var info fileInfo
	if err := json.Unmarshal([]byte(must(t, "info", "--json", probe.Packed)), &info); err != nil {
		t.Fatal(err)
	}
	if info.Layout != "side by side" || !info.Environment || info.Changed || len(info.Levels) != 4 || info.Program == nil {
		t.Errorf("%+v", info)
	}
	for _, l := range info.Levels {
		if l.Program == nil || l.Program.GOAMD64 != l.Level || l.Address < 0x400000 || l.Address >= l.End {
			t.Errorf("%+v", l)
		}
	}
	if info.Machine.Starts != "v1" || !strings.HasPrefix(info.Machine.Reason, "GOMULTIARCH has max=v1") && info.Machine.Level != "v1" {
		t.Errorf("%+v", info.Machine)
	}
	text := must(t, "info", probe.Packed)
	for _, want := range []string{"program:", "layout:   side by side\n", "here:     starts v1: ", info.BuildID, info.Levels[2].SHA256, "0x2a008000-0x2a"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestInfoTellsWhatStarts asks the packed file itself.
func TestInfoTellsWhatStarts(t *testing.T) {
	probe := testenv.Probe(t)
	for _, variable := range []string{"GOMULTIARCH=", "GOMULTIARCH=level=v1", "GOAMD64=v2", "GOMULTIARCH=max=v3"} {
		t.Run(variable, func(t *testing.T) {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
			var info fileInfo
			if err := json.Unmarshal([]byte(must(t, "info", "--json", probe.Packed)), &info); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(probe.Packed).Output()
			if err != nil {
				t.Fatal(err)
			}
			var report struct{ Level string }
			if err := json.Unmarshal(out, &report); err != nil || report.Level != info.Machine.Starts {
				t.Errorf("%+v, but it started %s (%v)", info.Machine, report.Level, err)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	probe := testenv.Probe(t)
	if got, want := must(t, "verify", "--against", "v3="+probe.Variants[3], "--against", probe.Variants[1], probe.Packed), probe.Packed+": sound: v1 v2 v3 v4\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	damaged := contents(t, probe.Packed)
	var info fileInfo
	if err := json.Unmarshal([]byte(must(t, "info", "--json", probe.Packed)), &info); err != nil {
		t.Fatal(err)
	}
	damaged[info.Levels[1].Offset+uint64(info.Levels[1].Size)/2]++
	path := write(t, filepath.Join(t.TempDir(), "damaged"), damaged, 0o755)
	r := packer("verify", "--json", path)
	var v verification
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatal(err)
	}
	if r.status != 1 || v.OK || len(v.Problems) != 1 || v.Problems[0].Level != "v2" || !strings.HasPrefix(r.stderr, "packer: verify: "+path+": v2: the SHA-256 of its bytes is ") {
		t.Errorf("status %d, %+v, %s", r.status, v, r.stderr)
	}
	// Nothing is taken out of it that differs from what was packed.
	out := filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{
		{"extract", "-level", "v2", "-o", out, path},
		{"thin", "-level", "v1,v2", "-o", out, path},
		{"remove", "-level", "v1", "-o", out, path},
		{"replace", "-o", out, path, "v1=" + probe.Variants[1]},
	} {
		if r := packer(args...); r.status != 1 || !strings.Contains(r.stderr, path+": v2: the SHA-256 of its bytes is") {
			t.Errorf("%s: status %d, %s", args[0], r.status, r.stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: there is an output", args[0])
		}
	}
	must(t, "extract", "-level", "v1", "-o", out, path) // is whole
	if r := packer("verify", "--against", "v1="+probe.Variants[1], path); r.status != 1 || strings.Contains(r.stderr, "v1:") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

// TestVerifyFindsAnotherLevel has a slot whose executable says of itself that it
// is for another level than the slot's, with all digests right.
func TestVerifyFindsAnotherLevel(t *testing.T) {
	dir := t.TempDir()
	data := contents(t, create(t, filepath.Join(dir, "app"), 1, 3))
	var info fileInfo
	if err := json.Unmarshal([]byte(must(t, "info", "--json", filepath.Join(dir, "app"))), &info); err != nil {
		t.Fatal(err)
	}
	v3 := info.Levels[1]
	slot := data[v3.Offset:][:v3.Size]
	if !bytes.Contains(slot, []byte("GOAMD64=v3")) {
		t.Fatal("no GOAMD64=v3 in the executable")
	}
	copy(slot, bytes.ReplaceAll(slot, []byte("GOAMD64=v3"), []byte("GOAMD64=v2")))
	digest := fmt.Sprintf("%x", sha256.Sum256(slot))
	copy(data, bytes.Replace(data, []byte(v3.SHA256), []byte(digest), 1))
	file := write(t, filepath.Join(dir, "mislabelled"), data, 0o755)
	const reason = "what is packed as v3 was built for v2, its Go build information says"
	if r := packer("verify", file); r.status != 1 || r.stderr != "packer: verify: "+file+": v3: "+reason+"\n" {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	out := filepath.Join(dir, "out")
	for _, args := range [][]string{
		{"thin", "-level", "v3", "-o", out, file},
		{"remove", "-level", "v1", "-o", out, file},
		{"replace", "-o", out, file, "v1=" + testenv.Probe(t).Variants[1]},
	} {
		if r := packer(args...); r.status != 1 || r.stderr != "packer: "+args[0]+": "+file+": "+reason+"\n" {
			t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("there is an output")
	}
}

func TestVerifyAgainstAnother(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	file := create(t, filepath.Join(dir, "app"), 1, 2)
	if r := packer("verify", "--against", probe.Variants[3], file); r.status != 1 || r.stderr != "packer: verify: "+file+": has no v3: it has v1 and v2\n" {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	other := contents(t, probe.Variants[2])
	other[0x2000]++
	path := write(t, filepath.Join(dir, "other"), other, 0o644)
	if r := packer("verify", "--against", "v2="+path, file); r.status != 1 || !strings.Contains(r.stderr, fmt.Sprintf("v2: differs from %s, first at byte %d", path, 0x2000)) {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

func TestStripped(t *testing.T) {
	if _, err := exec.LookPath("strip"); err != nil {
		t.Skip("skipped: no strip")
	}
	probe := testenv.Probe(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "stripped")
	if out, err := exec.Command("strip", "-o", path, probe.Packed).CombinedOutput(); err != nil {
		t.Fatalf("strip: %v\n%s", err, out)
	}
	if text := must(t, "info", path); !strings.Contains(text, "changed:  stripped or otherwise written to") || !strings.Contains(text, "program:") {
		t.Error(text)
	}
	out := filepath.Join(dir, "out")
	for _, args := range [][]string{
		{"verify", path},
		{"extract", "-level", "v1", "-o", out, path},
		{"thin", "-level", "v1", "-o", out, path},
		{"remove", "-level", "v1", "-o", out, path},
		{"replace", "-o", out, path, probe.Variants[1]},
	} {
		want := "packer: " + args[0] + ": " + path + ": is not as it was packed (was it stripped?): its variants cannot be taken out any more; take the file as the packer wrote it\n"
		if r := packer(args...); r.status != 1 || !strings.HasPrefix(r.stderr, want) || args[0] != "verify" && r.stderr != want {
			t.Errorf("%s: status %d, %s", args[0], r.status, r.stderr)
		}
	}
}

// badExecutables are inputs that no verb takes for an executable, and why.
func badExecutables(t *testing.T) map[string]struct {
	data []byte
	want string
} {
	type bad = struct {
		data []byte
		want string
	}
	changed := func(change func(*elftest.File)) []byte {
		file := elftest.Executable(slots.Of(3).Base)
		change(file)
		return file.Bytes()
	}
	table := map[string]bad{
		"not an ELF":     {[]byte("#!/bin/sh\necho this is a script\n"), "not an ELF file (begins with \"#!/b\")"},
		"empty":          {nil, "0 bytes long, too short for ELF"},
		"ELF32":          {changed(func(f *elftest.File) { f.Header.Ident[elf.EI_CLASS] = 1 }), "ELF class ELFCLASS32"},
		"big endian":     {changed(func(f *elftest.File) { f.Header.Ident[elf.EI_DATA] = 2 }), "ELF byte order ELFDATA2MSB"},
		"arm64":          {changed(func(f *elftest.File) { f.Header.Machine = uint16(elf.EM_AARCH64) }), "ELF machine EM_AARCH64"},
		"relocatable":    {changed(func(f *elftest.File) { f.Header.Type = uint16(elf.ET_REL) }), "ELF type ET_REL"},
		"shared library": {changed(func(f *elftest.File) { f.Header.Type = uint16(elf.ET_DYN) }), "shared library"},
		"section past the end": {changed(func(f *elftest.File) {
			f.Sections = []elftest.Section{{Name: ".x", Section64: elf.Section64{Type: 1, Off: 1 << 40, Size: 8}}}
		}), "section 1 (\".x\"): ends at file offset"},
		"segment that wraps":   {changed(func(f *elftest.File) { f.Progs[2].Memsz = ^uint64(0) - 10 }), "PT_LOAD 2"},
		"segment past the end": {changed(func(f *elftest.File) { f.Progs[2].Filesz = 0x900 }), "ends at file offset"},
	}
	whole := changed(func(f *elftest.File) {
		f.Sections = []elftest.Section{{Name: ".text", Section64: elf.Section64{Type: 1, Off: 0x1000, Size: 0x800}}}
	})
	// Ends of: identification, ELF header, each program header, each segment,
	// section names, each section header.
	for _, size := range []int{4, 16, 63, 64, 64 + 56, 64 + 4*56, 0x1800, 0x3400, 0x47ff, 0x4800, len(whole) - 128, len(whole) - 64, len(whole) - 1} {
		table[fmt.Sprintf("truncated at %#x", size)] = bad{whole[:size], ""}
	}
	return table
}

// TestBadExecutables gives every verb that reads executables all of them.
func TestBadExecutables(t *testing.T) {
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	good := filepath.Join(dir, "good")
	must(t, "create", "-launcher", launcher, "-o", good, "v3="+write(t, filepath.Join(dir, "v3"), elftest.Executable(slots.Of(3).Base).Bytes(), 0o755))
	for name, bad := range badExecutables(t) {
		path := write(t, filepath.Join(dir, "bad"), bad.data, 0o755)
		for _, args := range [][]string{
			{"create", "-launcher", launcher, "-o", out, "v3=" + path},
			{"replace", "-o", out, good, "v3=" + path},
			{"verify", "--against", "v3=" + path, good},
			{"info", path},
			{"verify", path},
			{"extract", "-level", "v3", "-o", out, path},
			{"thin", "-level", "v3", "-o", out, path},
			{"remove", "-level", "v3", "-o", out, path},
			{"replace", "-o", out, path, "v3=" + filepath.Join(dir, "v3")},
			{"create", "-launcher", path, "-o", out, "v3=" + filepath.Join(dir, "v3")},
			{"debug", "-file", out, path},
			{"debug", "-level", "v3", "-file", out, good, "v3=" + path},
			{"bench", path},
		} {
			r := packer(args...)
			takesExecutables := slices.Contains(args, "v3="+path)
			if r.status != 1 || !strings.HasPrefix(r.stderr, "packer: "+args[0]+": "+path+": ") || takesExecutables && !strings.Contains(r.stderr, bad.want) {
				t.Errorf("%s: %q: status %d, %s", name, args, r.status, r.stderr)
			}
			if _, err := os.Stat(out); err == nil {
				t.Fatalf("%s: %q: there is an output", name, args)
			}
		}
	}
	noneLeft(t, dir)
}

// TestLateError has what is only found while the output is written.
func TestLateError(t *testing.T) {
	dir := t.TempDir()
	unsound := elftest.Executable(slots.Of(3).Base)
	unsound.AddSymbols([]elf.Sym64{{Name: 1}}, []byte("\x00a\x00"))
	unsound.Sections[1].Section64.Size--
	bad := write(t, filepath.Join(dir, "bad"), unsound.Bytes(), 0o755)
	out := write(t, filepath.Join(dir, "out"), []byte("before"), 0o644)
	list := filepath.Join(dir, "manifest")
	r := packer("create", "-launcher", testenv.Launcher(t), "-manifest", list, "-o", out, "v3="+bad)
	if want := "packer: create: " + bad + ": its symbol table: section \".symtab\" has 47 bytes: want a multiple of 24\n"; r.status != 1 || r.stderr != want {
		t.Errorf("status %d, %q, want %q", r.status, r.stderr, want)
	}
	if text := contents(t, out); string(text) != "before" {
		t.Errorf("the output was replaced: %q", text)
	}
	if _, err := os.Stat(list); err == nil {
		t.Error("there is a manifest")
	}
	noneLeft(t, dir)
}

// noneLeft fails the test when a temporary file is in a folder.
func noneLeft(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// TestTruncatedPacked cuts a packed file at every boundary of its headers.
func TestTruncatedPacked(t *testing.T) {
	dir := t.TempDir()
	whole := contents(t, create(t, filepath.Join(dir, "app"), 1, 3))
	file, err := elf.NewFile(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	v3 := write(t, filepath.Join(dir, "v3"), elftest.Executable(slots.Of(3).Base).Bytes(), 0o755)
	sizes := []int{0, 4, 16, 63, 64, 4095, 4096, len(whole) - 64, len(whole) - 1}
	for i := range file.Progs {
		sizes = append(sizes, 64+56*(i+1))
	}
	for _, s := range file.Sections {
		if s.Type != elf.SHT_NOBITS {
			sizes = append(sizes, int(s.Offset), int(s.Offset+s.Size))
		}
	}
	out := filepath.Join(dir, "out")
	for _, size := range sizes {
		path := write(t, filepath.Join(dir, "cut"), whole[:min(size, len(whole)-1)], 0o755)
		for _, args := range [][]string{
			{"info", path},
			{"verify", path},
			{"extract", "-level", "v3", "-o", out, path},
			{"thin", "-level", "v3", "-o", out, path},
			{"remove", "-level", "v1", "-o", out, path},
			{"replace", "-o", out, path, "v3=" + v3},
			{"debug", "-level", "v3", "-file", out, path},
			{"bench", path},
		} {
			if r := packer(args...); r.status != 1 || !strings.HasPrefix(r.stderr, "packer: "+args[0]+": "+path+": ") {
				t.Errorf("%d bytes: %q: status %d, %s", size, args, r.status, r.stderr)
			}
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("there is an output")
	}
}

//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/internal/testenv"
)

// TestSameFile names one file as input and output. Verbs that change a packed
// file may do so in place; others would lose an input.
func TestSameFile(t *testing.T) {
	probe := testenv.Probe(t)
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	file := create(t, filepath.Join(dir, "app"), 1, 2)
	plain := write(t, filepath.Join(dir, "plain"), contents(t, probe.Variants[2]), 0o755)
	link := filepath.Join(dir, "link")
	if err := os.Link(plain, link); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"create":             {"create", "-launcher", launcher, "-o", plain, "v1=" + probe.Variants[1], "v2=" + plain},
		"create over a link": {"create", "-launcher", launcher, "-o", link, "v1=" + probe.Variants[1], "v2=" + plain},
		"replace":            {"replace", "-o", plain, file, "v2=" + plain},
		"extract":            {"extract", "-level", "v1", "-o", file, file},
	} {
		if r := packer(args...); r.status != 1 || !strings.HasSuffix(r.stderr, ": is an input too: want another -o OUT\n") {
			t.Errorf("%s: status %d, %s", name, r.status, r.stderr)
		}
	}
	same(t, plain, probe.Variants[2])
	same(t, file, create(t, filepath.Join(dir, "fresh"), 1, 2))
}

func TestOutputs(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	file := create(t, filepath.Join(dir, "app"), 1, 2)
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	refused := "permission denied"
	if os.Geteuid() == 0 {
		// Where root may not write either: sysfs, which sandboxes mount read-only.
		locked = "/sys"
		if unix.Access(locked, unix.W_OK) == unix.EROFS {
			refused = "read-only file system"
		}
	}
	for out, want := range map[string]string{
		filepath.Join(dir, "no", "out"): "no such file or directory",
		dir:                             "is a directory",
		filepath.Join(file, "out"):      "not a directory",
		filepath.Join(locked, "out"):    refused,
	} {
		for _, args := range [][]string{
			{"create", "-launcher", testenv.Launcher(t), "-o", out, probe.Variants[1]},
			{"create", "-launcher", testenv.Launcher(t), "-manifest", out, "-o", filepath.Join(dir, "unused"), probe.Variants[1]},
			{"extract", "-level", "v1", "-o", out, file},
			{"thin", "-level", "v1", "-o", out, file},
			{"remove", "-level", "v1", "-o", out, file},
			{"replace", "-o", out, file, probe.Variants[1]},
		} {
			if r := packer(args...); r.status != 1 || r.stderr != "packer: "+args[0]+": "+out+": "+want+"\n" {
				t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
			}
		}
	}
	noneLeft(t, dir)
	// What standard output leads to is written to, and the name of it stays what it is.
	printed, wanted := filepath.Join(dir, "printed"), filepath.Join(dir, "wanted")
	output, err := os.Create(printed)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd := exec.Command(testenv.Packer(t), "thin", "-level", "v1", "-o", "/dev/stdout", file)
	cmd.Stdout = output
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	must(t, "thin", "-level", "v1", "-o", wanted, file)
	same(t, printed, wanted)
	// As after ">>".
	log, err := os.OpenFile(write(t, filepath.Join(dir, "log"), []byte("earlier\n"), 0o640), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd = exec.Command(testenv.Packer(t), "thin", "-level", "v1", "-o", "/dev/stdout", file)
	cmd.Stdout = log
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	if got := contents(t, log.Name()); !bytes.Equal(got, append([]byte("earlier\n"), contents(t, wanted)...)) {
		t.Errorf("%d bytes that begin with %.20q: want what was there, and the file behind it", len(got), got)
	}
	if info, err := log.Stat(); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the log's mode is %v now (%v)", info.Mode(), err)
	}
	if info, err := os.Lstat("/dev/stdout"); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("/dev/stdout is %v (%v)", info.Mode(), err)
	}
	// A device stays what it is.
	must(t, "thin", "-level", "v1", "-o", os.DevNull, file)
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s: %v (%v)", os.DevNull, info.Mode(), err)
	}
}

// TestMissing leaves out what each verb cannot do without.
func TestMissing(t *testing.T) {
	file := create(t, filepath.Join(t.TempDir(), "app"), 1, 2)
	missing := filepath.Join(t.TempDir(), "missing")
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"info"}, 2, "packer: info: no file: want FILE\nusage: packer info [--json] [--html OUT] FILE\nsee packer help info\n"},
		{[]string{"info", file, file}, 2, "packer: info: 2 files, " + file + " " + file + ": want one FILE\n"},
		{[]string{"info", "-x", file}, 2, "packer: info: unknown flag -x\n"},
		{[]string{"info", missing}, 1, "packer: info: " + missing + ": no such file or directory\n"},
		{[]string{"verify", missing}, 1, "packer: verify: " + missing + ": no such file or directory\n"},
		{[]string{"verify", "--against", "v1=" + missing, file}, 1, "packer: verify: " + missing + ": no such file or directory\n"},
		{[]string{"verify", "--against", "v9=x", file}, 2, "packer: verify: invalid value \"v9=x\""},
		{[]string{"extract", file}, 2, "packer: extract: no level: want -level vN\n"},
		{[]string{"extract", "-level", "v1", file}, 2, "packer: extract: no output: want -o OUT\n"},
		{[]string{"extract", "-level", "v5", "-o", "x", file}, 2, "packer: extract: invalid value \"v5\" for flag -level: unknown level"},
		{[]string{"extract", "-level", "v3", "-o", "x", file}, 1, "packer: extract: " + file + ": has no v3: it has v1 and v2\n"},
		{[]string{"extract", "-level", "v1", "-o", "x", missing}, 1, "packer: extract: " + missing + ": no such file or directory\n"},
		{[]string{"thin", "-o", "x", file}, 2, "packer: thin: no level: want -level vN\n"},
		{[]string{"thin", "-level", "v1", file}, 2, "packer: thin: no output: want -o OUT\n"},
		{[]string{"thin", "-level", "v1,v1", "-o", "x", file}, 2, "packer: thin: invalid value \"v1,v1\" for flag -level: v1 twice\n"},
		{[]string{"thin", "-level", "v1,v4", "-o", "x", file}, 1, "packer: thin: " + file + ": has no v4: it has v1 and v2\n"},
		{[]string{"remove", "-level", "v1,v2", "-o", "x", file}, 1, "packer: remove: " + file + ": no level would be left\n"},
		{[]string{"remove", "-level", "v3", "-o", "x", file}, 1, "packer: remove: " + file + ": has no v3: it has v1 and v2\n"},
		{[]string{"replace", "-o", "x", file}, 2, "packer: replace: want FILE and at least one vN=NEW\n"},
		{[]string{"replace", file, "v1=x"}, 2, "packer: replace: no output: want -o OUT\n"},
		{[]string{"replace", "-o", "x", "v1=" + missing, file}, 2, "packer: replace: \"v1=" + missing + "\" comes first: want FILE, the packed one, before it\n"},
		{[]string{"info", ""}, 2, "packer: info: argument 1 is empty: is a variable not set?\n"},
		{[]string{"replace", "-o", "x", file, "v1=" + missing}, 1, "packer: replace: " + missing + ": no such file or directory\n"},
		{[]string{"replace", "-o", "x", file, testenv.Probe(t).Variants[3]}, 1, "packer: replace: " + file + ": has no v3: it has v1 and v2\n"},
		{[]string{"replace", "-o", "x", file, "v1=" + file}, 1, "packer: replace: " + file + ": is a packed file already"},
	} {
		r := packer(test.args...)
		if r.status != test.status || !strings.HasPrefix(r.stderr, test.want) {
			t.Errorf("%q: status %d, %s", test.args, r.status, r.stderr)
		}
	}
	if exists := func(path string) bool { _, err := os.Stat(path); return err == nil }; exists("x") {
		t.Error("there is an output")
	}
}

// TestDifferentPrograms packs the probe with this test's packer.
func TestDifferentPrograms(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	other := testenv.Packer(t) // v1 of another program
	if p, q := pathOf(t, other), pathOf(t, probe.Variants[2]); p == "" || q == "" || p == q {
		t.Skipf("skipped: build information names %q and %q", p, q)
	}
	file := create(t, filepath.Join(dir, "app"), 1, 2)
	out := filepath.Join(dir, "out")
	for _, args := range [][]string{
		{"create", "-launcher", testenv.Launcher(t), "-o", out, "v1=" + other, "v2=" + probe.Variants[2]},
		{"replace", "-o", out, file, "v1=" + other},
	} {
		if r := packer(args...); r.status != 1 || !strings.Contains(r.stderr, "give --force to pack them into one file all the same") {
			t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: there is an output", args)
		}
		must(t, append([]string{args[0], "--force"}, args[1:]...)...)
		if err := os.Remove(out); err != nil {
			t.Error(err)
		}
	}
}

// TestDataBehindInput packs executables with an archive behind their end.
func TestDataBehindInput(t *testing.T) {
	probe := testenv.Probe(t)
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	file := create(t, filepath.Join(dir, "app"), 1, 2)
	plain := contents(t, probe.Variants[2])
	longer := write(t, filepath.Join(dir, "v2"), append(plain, "PK\x05\x06"...), 0o755)
	want := fmt.Sprintf("%s: has 4 bytes of data behind its end, which the program would not find in a packed file: cut them off (truncate -s %d), and append them to the packed file instead\n", longer, len(plain))
	for _, args := range [][]string{
		{"create", "-launcher", launcher, "-o", out, "v1=" + probe.Variants[1], longer},
		{"create", "-force", "-strip", "all", "-launcher", launcher, "-o", out, "v1=" + probe.Variants[1], longer},
		{"replace", "-force", "-o", out, file, longer},
	} {
		if r := packer(args...); r.status != 1 || r.stderr != "packer: "+args[0]+": "+want {
			t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q: there is an output", args)
		}
	}
	// Behind the packed file it is where the program looks.
	write(t, file, append(contents(t, file), "PK\x05\x06"...), 0o755)
	if text := must(t, "info", file); !strings.Contains(text, "changed:  4 bytes were appended since it was packed; runs, ") {
		t.Errorf("info does not say that data was appended:\n%s", text)
	}
	// Padding is no data.
	write(t, longer, append(plain, make([]byte, 512)...), 0o755)
	must(t, "create", "-launcher", launcher, "-o", out, "v1="+probe.Variants[1], longer)
}

// TestDifferentBuilds packs levels whose build information differs in a setting.
func TestDifferentBuilds(t *testing.T) {
	probe := testenv.Probe(t)
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	plain := contents(t, probe.Variants[2])
	changed := bytes.ReplaceAll(plain, []byte("\tGOOS=linux\n"), []byte("\tGOOS=linus\n"))
	if pathOf(t, probe.Variants[2]) == "" || bytes.Equal(plain, changed) {
		t.Skip("skipped: needs a probe that the go command built: Bazel's has no build information to change")
	}
	v2 := write(t, filepath.Join(dir, "v2"), changed, 0o755)
	difference := `  GOOS: "linux" (v1), "linus" (v2)` + "\n"
	for _, args := range [][]string{
		{"create", "-launcher", launcher, "-o", out, probe.Variants[1], v2},
		{"replace", "-o", out, create(t, filepath.Join(dir, "app"), 1, 2), v2},
	} {
		want := ": its levels are not of the same build:\n" + difference + "Build all levels from the same source with the same flags, or give --force to pack them anyway (in Bazel: force = True)\n"
		if r := packer(args...); r.status != 1 || !strings.HasSuffix(r.stderr, want) || !strings.Contains(r.stderr, v2) {
			t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q: there is an output", args)
		}
		must(t, append([]string{args[0], "--force"}, args[1:]...)...)
		if text := must(t, "info", out); !strings.Contains(text, "builds:   the levels are not of the same build:\n"+difference) {
			t.Errorf("info does not show the difference:\n%s", text)
		}
		var info fileInfo
		if err := json.Unmarshal([]byte(must(t, "info", "--json", out)), &info); err != nil {
			t.Fatal(err)
		}
		if len(info.Differences) != 1 || info.Differences[0].Name != "GOOS" || info.Differences[0].Values[1].Value != "linus" || info.Differences[0].Values[1].Levels[0] != "v2" {
			t.Errorf("%+v", info.Differences)
		}
		page := filepath.Join(dir, "page.html")
		must(t, "info", "--html", page, out)
		if !bytes.Contains(contents(t, page), []byte("<li><code>GOOS: &#34;linux&#34; (v1), &#34;linus&#34; (v2)</code>")) {
			t.Error("the page does not show the difference")
		}
		if err := os.Remove(out); err != nil {
			t.Fatal(err)
		}
	}
	if text := must(t, "info", probe.Packed); strings.Contains(text, "builds:") {
		t.Errorf("info of levels of one build:\n%s", text)
	}
}

func pathOf(t *testing.T, executable string) string {
	t.Helper()
	file, err := os.Open(executable)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if p := readProgram(file); p != nil {
		return p.Path
	}
	return ""
}

// TestWrongKindOfFile gives every verb that reads files what it does not read:
// plain executables for packed ones and the other way round, folders and pipes.
func TestWrongKindOfFile(t *testing.T) {
	probe := testenv.Probe(t)
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	plain, packed := probe.Variants[1], probe.Packed
	takesPacked := func(path string) [][]string {
		return [][]string{
			{"info", "--html", out, path},
			{"verify", path},
			{"verify", "--json", path},
			{"extract", "-level", "v1", "-o", out, path},
			{"thin", "-level", "v1", "-o", out, path},
			{"remove", "-level", "v1", "-o", out, path},
			{"replace", "-o", out, path, "v1=" + plain},
		}
	}
	takesPlain := func(path string) [][]string {
		return [][]string{
			{"create", "-launcher", launcher, "-o", out, "v1=" + path},
			{"create", "-launcher", launcher, "-o", out, path},
			{"create", "-launcher", launcher, "-o", out, "-variant", "v1=" + path},
			{"replace", "-o", out, packed, "v1=" + path},
			{"verify", "--against", "v1=" + path, packed},
		}
	}
	takesLauncher := func(path string) [][]string {
		return [][]string{{"create", "-launcher", path, "-o", out, plain}}
	}
	notPacked := "not a packed file (it has no section .gomultiarch.manifest): see packer help create"
	for _, test := range []struct {
		path, want string
		args       [][]string
	}{
		{plain, notPacked, takesPacked(plain)},
		{packed, "is a packed file already: give its variants one by one", takesPlain(packed)},
		{plain, "no function of rules_go_multiarch/launcher/boot in it: want the launcher", takesLauncher(plain)},
		{dir, "not a regular file", append(append(takesPacked(dir), takesPlain(dir)...), takesLauncher(dir)...)},
		{pipe, "not a regular file", append(append(takesPacked(pipe), takesPlain(pipe)...), takesLauncher(pipe)...)},
	} {
		for _, args := range test.args {
			r := packer(args...)
			if want := "packer: " + args[0] + ": " + test.path + ": " + test.want + "\n"; r.status != 1 || r.stderr != want || r.stdout != "" {
				t.Errorf("%q: status %d, %q, %q: want %q", args, r.status, r.stdout, r.stderr, want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Fatalf("%q: there is an output", args)
			}
		}
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
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
	for out, want := range map[string]string{
		filepath.Join(dir, "no", "out"): "no such file or directory",
		dir:                             "is a directory",
		filepath.Join(file, "out"):      "not a directory",
		filepath.Join(locked, "out"):    "permission denied",
	} {
		if want == "permission denied" && os.Geteuid() == 0 {
			continue // root may write anywhere
		}
		for _, args := range [][]string{
			{"create", "-launcher", testenv.Launcher(t), "-o", out, probe.Variants[1]},
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
		{[]string{"info"}, 2, "packer: info: no file: want FILE\nusage: packer info [--json] FILE\nsee packer help info\n"},
		{[]string{"info", file, file}, 2, "packer: info: 2 files: want one\n"},
		{[]string{"info", "-x", file}, 2, "packer: info: flag provided but not defined: -x\n"},
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

// TestFullDisk writes to a file system that is too small, in a mount namespace
// of its own.
func TestFullDisk(t *testing.T) {
	const again = "PACKER_TEST_FULL_DISK"
	if dir := os.Getenv(again); dir != "" {
		fullDisk(t, dir)
		return
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("skipped: no unshare(1), which makes a file system of its own")
	}
	small := "mount -t tmpfs -o size=64k none \"$0\""
	if out, err := exec.Command(unshare, "--user", "--map-root-user", "--mount", "sh", "-c", small, dir).CombinedOutput(); err != nil {
		t.Skipf("skipped: this kernel gives no user namespace with a file system of its own: %v, %s", err, out)
	}
	cmd := exec.Command(unshare, "--user", "--map-root-user", "--mount", "sh", "-c", small+" && exec \"$1\" -test.run='^TestFullDisk$' -test.v", dir, self)
	cmd.Env = append(os.Environ(), again+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDisk") {
		t.Errorf("%v\n%s", err, out)
	}
}

func fullDisk(t *testing.T, dir string) {
	elsewhere := t.TempDir()
	v1 := write(t, filepath.Join(elsewhere, "v1"), elftest.Executable(slots.Of(1).Base).Bytes(), 0o755)
	large := elftest.Executable(slots.Of(2).Base)
	large.Size = 100 << 10
	v2 := write(t, filepath.Join(elsewhere, "v2"), large.Bytes(), 0o755)
	launcher := testenv.Launcher(t)
	file := filepath.Join(elsewhere, "app")
	must(t, "create", "-launcher", launcher, "-o", file, "v1="+v1, "v2="+v2)
	out := filepath.Join(dir, "out")
	for _, args := range [][]string{
		{"create", "-launcher", launcher, "-o", out, "v1=" + v1, "v2=" + v2},
		{"extract", "-level", "v2", "-o", out, file},
		{"thin", "-level", "v2", "-o", out, file},
		{"remove", "-level", "v1", "-o", out, file},
		{"replace", "-o", out, file, "v1=" + v1},
	} {
		if r := packer(args...); r.status != 1 || r.stderr != "packer: "+args[0]+": "+out+": no space left on device\n" {
			t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%q left %v behind (%v)", args, left, err)
		}
	}
	must(t, "extract", "-level", "v1", "-o", out, file) // has room
}

package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/companion"
	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/packed"
)

func openELF(t *testing.T, path string) *elf.File {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// TestDebugWritesCompanions checks that each of them is one that a debugger
// takes for the packed file's, and describes its level alone.
func TestDebugWritesCompanions(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	app := write(t, filepath.Join(dir, "app"), contents(t, probe.Packed), 0o755)
	out := must(t, "debug", "-level", "v3", app)
	file, err := packed.Open(app)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	link := filepath.Join(dir, file.Manifest.BuildID+".debug")
	if target, err := os.Readlink(link); err != nil || target != "app.v3.debug" || !strings.Contains(out, link+" -> app.v3.debug: debuggers see v3") {
		t.Errorf("link to %q (%v), output\n%s", target, err, out)
	}
	cpu := goamd64.Level(cpuid.CPU.X64Level())
	switch hint := out[strings.Index(out, "(-level)\n")+len("(-level)\n"):]; {
	case cpu == 3 && hint != "",
		cpu > 3 && hint != fmt.Sprintf("%s starts %v here, and v3 with GOMULTIARCH=level=v3\n", app, cpu),
		cpu < 3 && hint != fmt.Sprintf("%s does not start v3 here: GOMULTIARCH has level=v3, but this CPU runs %v at most\n", app, cpu):
		t.Errorf("on a CPU for %v: %q", cpu, hint)
	}
	fixed := filepath.Join(dir, "fixed")
	must(t, "create", "-no-environment", "-launcher", testenv.Launcher(t), "-o", fixed, "v1="+probe.Variants[1], "v3="+probe.Variants[3])
	other, starts := "v1", "v3"
	if cpu < 3 {
		other, starts = starts, other
	}
	if out, want := must(t, "debug", "-level", other, fixed), fixed+" does not start "+other+" here: "; !strings.Contains(out, want) {
		t.Errorf("of a file that starts %s alone: %q: want %q", starts, out, want)
	}
	section, err := file.ELF.Section(debuglink.Section).Data()
	if err != nil {
		t.Fatal(err)
	}
	sum := binary.LittleEndian.Uint32(section[len(section)-4:])
	ids := map[string]bool{file.Manifest.BuildID: true}
	for _, l := range file.Levels {
		path := filepath.Join(dir, "app."+l.Level.String()+".debug")
		made := openELF(t, path)
		if got := crc32.ChecksumIEEE(contents(t, path)); got != sum {
			t.Errorf("%v: CRC-32 %#x, the packed file asks for %#x", l.Level, got, sum)
		}
		if got := companion.Level(made); got != l.Level.String() {
			t.Errorf("%v: marked as %q", l.Level, got)
		}
		if id := buildID(t, made); ids[id] {
			t.Errorf("%v: build id %s: perf would take it for the packed file's", l.Level, id)
		} else {
			ids[id] = true
		}
		checkSymbols(t, made, l)
		checkDWARF(t, made, l)
	}
}

func buildID(t *testing.T, file *elf.File) string {
	t.Helper()
	note, err := file.Section(".note.gnu.build-id").Data()
	if err != nil || len(note) < 20 {
		t.Fatalf("build id note %x (%v)", note, err)
	}
	return hex.EncodeToString(note[16:])
}

// checkSymbols checks that a companion has variables of its own level alone,
// and functions of all.
func checkSymbols(t *testing.T, made *elf.File, l packed.Level) {
	t.Helper()
	symbols, err := made.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	mains := 0
	for _, s := range symbols {
		own := s.Value >= l.Table.Low && s.Value < l.Table.High
		if elf.ST_TYPE(s.Info) == elf.STT_OBJECT && !own {
			t.Errorf("%v: variable %s at %#x is another level's", l.Level, s.Name, s.Value)
		}
		if s.Name == "main.main" {
			mains++
		}
		if s.Section < elf.SHN_LORESERVE {
			if in := made.Sections[s.Section]; s.Value < in.Addr || s.Value > in.Addr+in.Size {
				t.Errorf("%v: %s at %#x is not in its section %s", l.Level, s.Name, s.Value, in.Name)
			}
		}
	}
	if mains != 4 {
		t.Errorf("%v: main.main %d times, want once a level", l.Level, mains)
	}
}

func checkDWARF(t *testing.T, made *elf.File, l packed.Level) {
	t.Helper()
	data, err := made.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	for r, units := data.Reader(), 0; ; units++ {
		entry, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry == nil {
			if units == 0 {
				t.Errorf("%v: no DWARF units", l.Level)
			}
			return
		}
		ranges, err := data.Ranges(entry)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range ranges {
			if pair[0] < l.Table.Low || pair[1] > l.Table.High {
				t.Errorf("%v: describes %#x to %#x", l.Level, pair[0], pair[1])
			}
		}
		r.SkipChildren()
	}
}

func TestDebugIntoAnotherFolder(t *testing.T) {
	probe := testenv.Probe(t)
	dir := filepath.Join(t.TempDir(), "debug")
	must(t, "debug", "-o", dir, "-level", "v2", "-only", probe.Packed)
	file, err := packed.Open(probe.Packed)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	id := file.Manifest.BuildID
	made := openELF(t, filepath.Join(dir, ".build-id", id[:2], id[2:]+".debug"))
	if got := companion.Level(made); got != "v2" {
		t.Errorf("level %q: want v2", got)
	}
	if got := buildID(t, made); got != id {
		t.Errorf("build id %s: want %s, by which it is found", got, id)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*.debug")); len(found) != 1 {
		t.Errorf("-only wrote %q", found)
	}
}

// TestDebugOfStripped strips a packed file: then companions are made from the
// executables that it was packed from, and they are the same ones.
func TestDebugOfStripped(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	app := write(t, filepath.Join(dir, "app"), contents(t, probe.Packed), 0o755)
	must(t, "debug", "-level", "v1", app)
	before := contents(t, filepath.Join(dir, "app.v3.debug"))
	strip := exec.Command(testenv.Tool(t, "strip"), "-g", app)
	if out, err := strip.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if r := packer("debug", "-level", "v3", app); r.status != 1 || !strings.Contains(r.stderr, "give the executable that it was packed from, before it was stripped, as v3=EXECUTABLE") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	must(t, "debug", "-level", "v3", app, "v3="+probe.Variants[3])
	got := openELF(t, filepath.Join(dir, "app.v3.debug"))
	dwarf := func(file *elf.File) []byte {
		data, err := file.Section(".debug_info").Data()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	was, err := elf.NewFile(bytes.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(dwarf(got), dwarf(was)) {
		t.Error("another .debug_info than before it was stripped")
	}
}

// TestDebugThroughLink names the file by a symbolic link in another folder. gdb looks
// beside the file, Delve beside the link: there is something to be found at both.
func TestDebugThroughLink(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	app := write(t, filepath.Join(dir, "app"), contents(t, testenv.Probe(t).Packed), 0o755)
	link := filepath.Join(other, "link")
	if err := os.Symlink(app, link); err != nil {
		t.Fatal(err)
	}
	for _, level := range []string{"v3", "v2"} {
		must(t, "debug", "-level", level, link)
		for _, folder := range []string{dir, other} {
			found, _ := filepath.Glob(filepath.Join(folder, "????????????????????????????????????????.debug"))
			if len(found) != 1 {
				t.Fatalf("links in %s: %q, want one", folder, found)
			}
			if got := companion.Level(openELF(t, found[0])); got != level {
				t.Errorf("%s leads to %q: want %s", found[0], got, level)
			}
		}
	}
}

func TestDebugRefuses(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	app := write(t, filepath.Join(dir, "app"), contents(t, probe.Packed), 0o755)
	// What was packed with another -ldflags is another program in memory.
	foreign := testenv.Build(t, "./tests/probe", 2, testenv.Link{Env: []string{"CGO_ENABLED=0"}, LDFlags: "-X main.extra=1 -buildid=other", Basename: "foreign"})
	bare := testenv.Build(t, "./tests/probe", 2, testenv.Link{Env: []string{"CGO_ENABLED=0"}, LDFlags: "-s -w", Basename: "bare"})
	other := create(t, filepath.Join(dir, "other"), 1, 2)
	pid := start(t, other)

	// Under the name that its companion would have.
	source := write(t, filepath.Join(dir, "app.v2.debug"), contents(t, probe.Variants[2]), 0o755)

	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"output is input": {[]string{"-level", "v1", app, "v2=" + source}, 1, source + ": is an input too"},
		"file is output":  {[]string{"-level", "v1", "-file", app, app}, 1, app + ": is an input too"},
		"nothing":         {nil, 2, "no file: want FILE"},
		"two choices":     {[]string{"-level", "v1", "-pid", "1", app}, 2, "want at most one of -level vN, -pid PID and -core CORE"},
		"level not there": {[]string{"-level", "v4", other}, 1, "has no v4: it has v1 and v2"},
		"not packed":      {[]string{probe.Variants[1]}, 1, "not a packed file"},
		"other program":   {[]string{"-level", "v2", app, "v2=" + foreign}, 1, "is not what was packed: its section"},
		"no DWARF":        {[]string{"-level", "v2", app, "v2=" + bare}, 1, "has no debug information"},
		"no core":         {[]string{"-core", app, app}, 1, "want a core dump of x86-64"},
		"other process":   {[]string{"-pid", strconv.Itoa(pid), app}, 1, "which is not " + app},
	} {
		t.Run(name, func(t *testing.T) {
			if r := packer(append([]string{"debug"}, test.args...)...); r.status != test.status || !strings.Contains(r.stderr, test.want) {
				t.Errorf("status %d, %q: want %d, %q", r.status, r.stderr, test.status, test.want)
			}
		})
	}

	same(t, source, probe.Variants[2])
	same(t, app, probe.Packed)

	file, err := packed.Open(app)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	somebodys := write(t, filepath.Join(dir, file.DebugLink), []byte("somebody's"), 0o644)
	if r := packer("debug", "-level", "v1", app); r.status != 1 || !strings.Contains(r.stderr, "is there and no link") {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
	if string(contents(t, somebodys)) != "somebody's" {
		t.Error("a file was replaced")
	}
}

func TestDebugLinkName(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	app := filepath.Join(dir, "app")
	must(t, "create", "-launcher", testenv.Launcher(t), "-debuglink", "app.debug", "-o", app, probe.Variants[1], probe.Variants[2])
	must(t, "thin", "-level", "v1", "-o", filepath.Join(dir, "thin"), app)
	for _, name := range []string{"app", "thin"} {
		file, err := packed.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if file.DebugLink != "app.debug" {
			t.Errorf("%s: debug link %q: want app.debug", name, file.DebugLink)
		}
		file.Close()
	}
	for name, want := range map[string]string{
		"a/b.debug": "want the name of a file", ".debug": "want a name that ends in .debug", "python3": "want a name that ends in .debug",
		"a\x1b.debug": "want a name without control characters",
	} {
		if r := packer("create", "-debuglink", name, "-o", app, probe.Variants[1]); r.status != 2 || !strings.Contains(r.stderr, want) {
			t.Errorf("-debuglink %q: status %d, %q: want %q", name, r.status, r.stderr, want)
		}
	}
}

// TestDebugKeepsLinks has a link in the way that leads to no companion, and a packed
// file with a name in it that is no debug file's.
func TestDebugKeepsLinks(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	app := filepath.Join(dir, "app")
	must(t, "create", "-launcher", testenv.Launcher(t), "-debuglink", "app.debug", "-o", app, probe.Variants[1], probe.Variants[2])
	link := filepath.Join(dir, "app.debug")
	if err := os.Symlink("/usr/bin/env", link); err != nil {
		t.Fatal(err)
	}
	if r := packer("debug", app); r.status != 1 || !strings.Contains(r.stderr, "is a link to /usr/bin/env, which packer debug did not make: remove it") {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
	if target, err := os.Readlink(link); err != nil || target != "/usr/bin/env" {
		t.Errorf("the link leads to %q now (%v)", target, err)
	}

	hostile := bytes.Replace(contents(t, app), []byte("app.debug\x00"), []byte("passwords\x00"), 1)
	file, err := packed.Open(write(t, filepath.Join(dir, "hostile"), hostile, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	must(t, "debug", file.Path)
	if _, err := os.Lstat(filepath.Join(dir, "passwords")); err == nil {
		t.Error("packer debug made a file with a name that is no debug file's")
	}
	if _, err := os.Lstat(filepath.Join(dir, debuglink.Name(file.Manifest.BuildID))); err != nil {
		t.Error(err)
	}
}

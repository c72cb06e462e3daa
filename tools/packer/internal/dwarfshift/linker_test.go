package dwarfshift

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a compiler or linker.
func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// read returns a program's debug information and the bounds of its addresses.
func read(t *testing.T, path string) (contents map[string][]byte, move Move) {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	contents = map[string][]byte{}
	move.Low = ^uint64(0)
	for _, s := range file.Sections {
		switch {
		case strings.HasPrefix(s.Name, ".debug_"):
			data, err := s.Data()
			if err != nil {
				t.Fatal(err)
			}
			contents[s.Name] = data
		case s.Flags&elf.SHF_ALLOC != 0:
			move.Low, move.High = min(move.Low, s.Addr), max(move.High, s.Addr+s.Size)
		}
	}
	return contents, move
}

// sameAsLinked moves what was linked at one address and compares every byte with
// what the linker wrote at another.
func sameAsLinked(t *testing.T, low, high, want string) {
	t.Helper()
	got, move := read(t, low)
	linked, _ := read(t, high)
	move.By = 0x14c00000
	for _, name := range strings.Fields(want) {
		name = ".debug_" + name
		if bytes.Equal(got[name], linked[name]) {
			t.Errorf("%s is the same at both addresses, or not there: this tests nothing", name)
		}
	}
	if err := Shift(got, move); err != nil {
		t.Fatal(err)
	}
	for name, data := range linked {
		if bytes.Equal(got[name], data) {
			continue
		}
		if len(got[name]) != len(data) {
			t.Errorf("%s: %d bytes, the linker wrote %d", name, len(got[name]), len(data))
			continue
		}
		shown := 0
		for i := range data {
			if data[i] != got[name][i] && shown < 5 {
				shown++
				t.Errorf("%s: %#x at %#x, the linker wrote %#x", name, got[name][i], i, data[i])
			}
		}
	}
}

// addresses are where programs are linked at here.
var addresses = []string{"0x400000", "0x15000000"}

// TestAsGCCAndLinker has C compiled to every kind of debug information, and linked
// twice.
func TestAsGCCAndLinker(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("skipped: no gcc")
	}
	for name, test := range map[string]struct {
		compile, link string
		want          string // sections with addresses
	}{
		"2":                  {"-gdwarf-2 -O2", "", "info line loc ranges aranges"},
		"2, strict":          {"-gdwarf-2 -gstrict-dwarf -O1", "", "info line aranges"},
		"3":                  {"-gdwarf-3 -O2", "", "info line loc ranges aranges"},
		"4":                  {"-gdwarf-4 -O2", "", "info line loc ranges aranges"},
		"4, not optimized":   {"-gdwarf-4 -O0", "", "info line aranges"},
		"4, sections":        {"-gdwarf-4 -O2 -ffunction-sections -fdata-sections", "-Wl,--gc-sections", "info line loc ranges aranges"},
		"4, type units":      {"-gdwarf-4 -O1 -fdebug-types-section", "", "info line aranges"},
		"4, frames":          {"-gdwarf-4 -O2 -fno-asynchronous-unwind-tables -fno-unwind-tables", "", "info line loc ranges aranges frame"},
		"4, split":           {"-gdwarf-4 -O2 -gsplit-dwarf -ffunction-sections", "", "line addr ranges aranges"},
		"4, 64 bits":         {"-gdwarf-4 -gdwarf64 -O2", "", "info line loc ranges aranges"},
		"4, link time":       {"-gdwarf-4 -O2 -flto -ffat-lto-objects", "-gdwarf-4 -O2 -flto -flto-partition=none", "info line loc ranges aranges"},
		"5":                  {"-gdwarf-5 -O2", "", "info line loclists rnglists aranges"},
		"5, sections":        {"-gdwarf-5 -O2 -ffunction-sections -fdata-sections", "-Wl,--gc-sections", "info line loclists rnglists aranges"},
		"5, type units":      {"-gdwarf-5 -O1 -fdebug-types-section", "", "info line aranges"},
		"5, frames":          {"-gdwarf-5 -O3 -fno-asynchronous-unwind-tables -fno-unwind-tables -fomit-frame-pointer", "", "info line loclists rnglists aranges frame"},
		"5, split":           {"-gdwarf-5 -O2 -gsplit-dwarf", "", "line addr aranges"},
		"5, split, sections": {"-gdwarf-5 -O2 -gsplit-dwarf -ffunction-sections", "", "line addr aranges"},
		"5, 64 bits":         {"-gdwarf-5 -gdwarf64 -O2", "", "info line loclists rnglists aranges"},
		"5, compressed":      {"-gdwarf-5 -O2", "-Wl,--compress-debug-sections=zlib", "info line loclists rnglists aranges"},
		"5, macros":          {"-g3 -gdwarf-5 -O2 -gvariable-location-views=incompat5", "", "info line loclists rnglists aranges"},
		"5, link time":       {"-gdwarf-5 -O2 -flto -ffat-lto-objects", "-O2 -flto -flto-partition=none", "info line loclists rnglists aranges"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var objects []string
			for _, source := range []string{"a", "b"} {
				object := filepath.Join(dir, source+".o")
				args := append(strings.Fields(test.compile), "-fno-pie", "-c", "-o", object, filepath.Join("testdata", source+".c"))
				run(t, nil, "gcc", args...)
				objects = append(objects, object)
			}
			var linked []string
			for _, address := range addresses {
				out := filepath.Join(dir, address)
				args := append([]string{"-no-pie", "-Wl,-Ttext-segment=" + address, "-o", out}, strings.Fields(test.link)...)
				run(t, nil, "gcc", append(args, objects...)...)
				linked = append(linked, out)
			}
			sameAsLinked(t, linked[0], linked[1], test.want)
		})
	}
}

// TestAsGoAndLinker has Go programs linked twice, by Go's linker and by the
// system's, which takes the runtime's C along.
func TestAsGoAndLinker(t *testing.T) {
	for name, test := range map[string]struct {
		env     string
		flags   []string
		ldflags string // with the address in place of TEXT and SEGMENT
		want    string // sections with addresses
	}{
		"Go's linker":   {"CGO_ENABLED=0", nil, "-T TEXT", "info line frame addr"},
		"not optimized": {"CGO_ENABLED=0", []string{"-gcflags=all=-N -l"}, "-T TEXT", "info line frame addr"},
		"DWARF 4":       {"CGO_ENABLED=0 GOEXPERIMENT=nodwarf5", nil, "-T TEXT", "info line frame loc ranges"},
		"system linker": {"CGO_ENABLED=1", nil, "-linkmode=external '-extldflags=-no-pie -Wl,-Ttext-segment=SEGMENT'", "info line frame addr aranges"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("gcc"); err != nil && strings.Contains(test.env, "CGO_ENABLED=1") {
				t.Skip("skipped: no gcc")
			}
			env := append(strings.Fields(test.env), "GOOS=linux", "GOARCH=amd64")
			dir := t.TempDir()
			var linked []string
			for _, address := range addresses {
				out := filepath.Join(dir, address)
				ldflags := strings.NewReplacer("TEXT", strings.TrimSuffix(address, "0000")+"1000", "SEGMENT", address).Replace(test.ldflags)
				args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out, "-ldflags=-buildid= " + ldflags}, test.flags...)
				run(t, env, "go", append(args, "rules_go_multiarch/tests/kinds/program")...)
				linked = append(linked, out)
			}
			sameAsLinked(t, linked[0], linked[1], test.want)
		})
	}
}

// TestDebugFrame compares what is made of .eh_frame with what the compiler writes when
// it is asked for .debug_frame.
func TestDebugFrame(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("skipped: no gcc")
	}
	const distance, before = 0x14c00000, 0x1230
	dir := t.TempDir()
	build := func(name string, flags ...string) map[string][]byte {
		out := filepath.Join(dir, name)
		run(t, nil, "gcc", append(flags, "-g", "-O2", "-no-pie", "-fno-pie", "-o", out, "testdata/a.c", "testdata/b.c")...)
		contents, _ := read(t, out)
		file, err := elf.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		s := file.Section(".eh_frame")
		data, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		made, err := DebugFrame(data, s.Addr+distance, distance, before)
		if err != nil {
			t.Fatal(err)
		}
		contents[".eh_frame"] = append(make([]byte, before), made...) // zeroes are entries without contents
		return contents
	}
	want := readFrames(t, build("frames", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables")[".debug_frame"])
	got := readFrames(t, build("unwind", "-fasynchronous-unwind-tables")[".eh_frame"])
	if len(want) < 4 {
		t.Fatalf("%d functions: want those of the sources", len(want))
	}
	for address, f := range want {
		if got[address+distance] != f {
			t.Errorf("%#x: %+v, want %+v", address, got[address+distance], f)
		}
	}
}

package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// TestStrip packs with every mode of -strip: each level still runs, what is left
// out is gone, and companions can be made of the executables.
func TestStrip(t *testing.T) {
	probe := testenv.Probe(t)
	sizes := map[string]int64{}
	for mode, want := range map[string]struct{ symbols, debug bool }{
		"none": {true, true}, "debug": {true, false}, "all": {false, false},
	} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			app := filepath.Join(dir, "app")
			must(t, "create", "-launcher", testenv.Launcher(t), "-strip", mode, "-o", app, probe.Variants[1], probe.Variants[2])
			must(t, "verify", app)
			if _, err := openELF(t, app).Symbols(); (err == nil) != want.symbols {
				t.Errorf("symbols of the packed file: %v", err)
			}
			level := filepath.Join(dir, "v2")
			must(t, "extract", "-level", "v2", "-o", level, app)
			if out, err := exec.Command(level).CombinedOutput(); err != nil || !strings.Contains(string(out), `"Level":"v2"`) {
				t.Errorf("the level alone: %v, %s", err, out)
			}
			checkStripped(t, openELF(t, level), openELF(t, probe.Variants[2]), want.symbols, want.debug)
			must(t, "debug", "-level", "v2", app, "v1="+probe.Variants[1], "v2="+probe.Variants[2])
			if openELF(t, filepath.Join(dir, "app.v2.debug")).Section(".debug_info") == nil {
				t.Error("no .debug_info in the companion")
			}
			info, err := os.Stat(app)
			if err != nil {
				t.Fatal(err)
			}
			sizes[mode] = info.Size()
		})
	}
	if sizes["all"] >= sizes["debug"] || sizes["debug"] >= sizes["none"] {
		t.Errorf("sizes %v", sizes)
	}
	if r := packer("create", "-strip", "some", "-o", "x", probe.Variants[1]); r.status != 2 || !strings.Contains(r.stderr, `"some": want all, debug or none`) {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

// checkStripped compares a stripped executable with the one it was.
func checkStripped(t *testing.T, got, was *elf.File, symbols, debug bool) {
	t.Helper()
	if has := got.Section(".debug_info") != nil; has != debug {
		t.Errorf("debug information is there: %v", has)
	}
	for _, s := range was.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		if kept := got.Section(s.Name); kept == nil || kept.Addr != s.Addr || kept.Size != s.Size || kept.Offset != s.Offset {
			t.Errorf("section %s is %+v, was %+v", s.Name, kept, s)
		}
	}
	names, err := got.Symbols()
	if !symbols {
		if err == nil {
			t.Errorf("%d symbols", len(names))
		}
		return
	}
	before, beforeErr := was.Symbols()
	if err != nil || beforeErr != nil || len(names) != len(before) {
		t.Fatalf("%d symbols (%v), were %d (%v)", len(names), err, len(before), beforeErr)
	}
	for i, s := range names {
		section := func(file *elf.File, s elf.Symbol) string {
			if s.Section < elf.SHN_LORESERVE {
				return file.Sections[s.Section].Name
			}
			return s.Section.String()
		}
		if s.Name != before[i].Name || s.Value != before[i].Value || section(got, s) != section(was, before[i]) {
			t.Errorf("symbol %+v, was %+v", s, before[i])
		}
	}
}

// TestDebugIntoAFile is how Bazel has companions made.
func TestDebugIntoAFile(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out.debug")
	if text := must(t, "debug", "-level", "v2", "-file", out, probe.Packed, "v2="+probe.Variants[2]); text != "" {
		t.Errorf("output %q", text)
	}
	if openELF(t, out).Section(".debug_info") == nil {
		t.Error("no .debug_info")
	}
	app := filepath.Join(dir, "app")
	must(t, "create", "-launcher", testenv.Launcher(t), "-strip", "all", "-o", app, probe.Variants[1])
	if r := packer("debug", "-level", "v1", "-file", out, app); r.status != 1 || !strings.Contains(r.stderr, "no debug information") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	must(t, "debug", "-level", "v1", "-file", out, "-if-any", app)
	if len(contents(t, out)) != 0 {
		t.Error("the file is not empty")
	}

	// What no level of starts here has no level that debuggers want to see.
	high := filepath.Join(dir, "high")
	must(t, "create", "-launcher", testenv.Launcher(t), "-o", high, probe.Variants[3])
	t.Setenv("GOAMD64", "v1")
	if r := packer("debug", "-file", out, high); r.status != 1 || !strings.Contains(r.stderr, "starts no level here") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	must(t, "debug", "-file", out, "-if-any", high)
	if len(contents(t, out)) != 0 {
		t.Error("the file of what starts no level is not empty")
	}
}

package variant

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const base = 0x400000

func read(data []byte, level goamd64.Level) (*Variant, error) {
	return Read(bytes.NewReader(data), int64(len(data)), level)
}

func TestReadAccepts(t *testing.T) {
	v, err := read(elftest.Executable(base).Bytes(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if v.Low != base || v.High != base+0x6000 || v.Phdr != base+64 {
		t.Errorf("%#x to %#x, program headers at %#x", v.Low, v.High, v.Phdr)
	}
}

func TestReadRefuses(t *testing.T) {
	prog := func(i int, f func(*elf.Prog64)) func(*elftest.File) {
		return func(file *elftest.File) { f(&file.Progs[i]) }
	}
	extra := func(kind elf.ProgType) func(*elftest.File) {
		return func(file *elftest.File) { file.Progs = append(file.Progs, elf.Prog64{Type: uint32(kind)}) }
	}
	interp := func(offset, size uint64) func(*elftest.File) {
		return func(file *elftest.File) {
			file.Progs = append(file.Progs, elf.Prog64{Type: uint32(elf.PT_INTERP), Off: offset, Filesz: size, Memsz: size})
		}
	}
	for name, test := range map[string]struct {
		change func(*elftest.File)
		want   string
	}{
		"ELF32":               {func(f *elftest.File) { f.Header.Ident[elf.EI_CLASS] = 1 }, "ELF class ELFCLASS32: want a 64-bit little-endian x86-64 executable"},
		"big endian":          {func(f *elftest.File) { f.Header.Ident[elf.EI_DATA] = 2 }, "ELF byte order ELFDATA2MSB: want"},
		"arm64":               {func(f *elftest.File) { f.Header.Machine = uint16(elf.EM_AARCH64) }, "ELF machine EM_AARCH64: want"},
		"relocatable":         {func(f *elftest.File) { f.Header.Type = uint16(elf.ET_REL) }, "ELF type ET_REL: want an executable (ET_EXEC or ET_DYN)"},
		"core file":           {func(f *elftest.File) { f.Header.Type = uint16(elf.ET_CORE) }, "ELF type ET_CORE: want"},
		"shared library":      {func(f *elftest.File) { f.Header.Type = uint16(elf.ET_DYN) }, "a shared library (ELF type ET_DYN with no interpreter and no DF_1_PIE): want an executable"},
		"empty interpreter":   {extra(elf.PT_INTERP), "PT_INTERP: 0 bytes, want 2 to 4096"},
		"endless interpreter": {interp(0x1000, 8), "want a path that ends in the only zero byte"},
		"nothing to load":     {func(f *elftest.File) { f.Progs = f.Progs[3:] }, "no PT_LOAD program header"},
		"below mmap_min_addr": {func(f *elftest.File) { *f = *elftest.Executable(0x1000) }, "PT_LOAD 0 at 0x1000 with 0x1800 bytes: addresses must lie between"},
		"kernel addresses":    {func(f *elftest.File) { *f = *elftest.Executable(0xffffffff80000000) }, "PT_LOAD 0 at 0xffffffff80000000"},
		"wraps around":        {prog(2, func(p *elf.Prog64) { p.Memsz = ^uint64(0) - 10 }), "PT_LOAD 2 at 0x404000"},
		"file over memory":    {prog(1, func(p *elf.Prog64) { p.Memsz = 1 }), "PT_LOAD 1 at 0x402000: 0x1400 bytes in the file but only 0x1 in memory"},
		"past the end":        {prog(2, func(p *elf.Prog64) { p.Filesz = 0x801 }), "PT_LOAD 2 at 0x404000: ends at file offset 0x4801, but the file has 0x4800 bytes"},
		"offset past the end": {prog(2, func(p *elf.Prog64) { p.Off = 1 << 62 }), "PT_LOAD 2 at 0x404000: ends at file offset"},
		"not congruent":       {prog(1, func(p *elf.Prog64) { p.Off += 8 }), "PT_LOAD 1 at 0x402000: file offset 0x2008 is not congruent"},
		"overlapping":         {prog(1, func(p *elf.Prog64) { p.Vaddr -= 0x1000 }), "PT_LOAD 1 at 0x401000: overlaps or precedes the segment before it"},
		"descending":          {func(f *elftest.File) { f.Progs[0], f.Progs[2] = f.Progs[2], f.Progs[0] }, "overlaps or precedes the segment before it"},
		"empty segment":       {prog(1, func(p *elf.Prog64) { p.Filesz, p.Memsz = 0, 0 }), "PT_LOAD 1 at 0x402000: is empty"},
		"writable code":       {prog(0, func(p *elf.Prog64) { p.Flags = 7 }), "PT_LOAD 0 at 0x400000: is both writable and executable"},
		"executable .bss":     {prog(0, func(p *elf.Prog64) { p.Memsz++ }), "PT_LOAD 0 at 0x400000: is executable and larger in memory than in the file"},
		"entry in data":       {func(f *elftest.File) { f.Header.Entry = base + 0x2000 }, "entry point 0x402000 is in no executable segment"},
		"headers not loaded": {func(f *elftest.File) {
			f.Progs[0].Off, f.Progs[0].Vaddr = 0x1000, base+0x1000
			f.Progs[0].Filesz = 0x800
			f.Progs[0].Memsz = 0x800
		}, "program headers at file offset 0x40 are in no segment"},
		"section past end": {func(f *elftest.File) {
			f.Sections = []elftest.Section{{Name: ".x", Section64: elf.Section64{Type: 1, Off: 0x4000, Size: 1 << 40}}}
		}, "section 1 (\".x\"): ends at file offset"},
		"packed already": {func(f *elftest.File) {
			f.Sections = []elftest.Section{{Name: ManifestSection, Section64: elf.Section64{Type: 1}}}
		}, "is a packed file already"},
	} {
		t.Run(name, func(t *testing.T) {
			file := elftest.Executable(base)
			test.change(file)
			_, err := read(file.Bytes(), 1)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v: want one that has %q", err, test.want)
			}
		})
	}
}

func TestReadRefusesWhatIsNoELF(t *testing.T) {
	for data, want := range map[string]string{
		"":                           "0 bytes long, too short for ELF: want a 64-bit little-endian x86-64 executable",
		"\x7fELF":                    "4 bytes long, too short for ELF",
		"#!/bin/sh\nexec app \"$@\"": "not an ELF file (begins with \"#!/b\"): want",
	} {
		if _, err := read([]byte(data), 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v: want one that has %q", data, err, want)
		}
	}
}

func TestReadRefusesTruncated(t *testing.T) {
	file := elftest.Executable(base)
	file.Sections = []elftest.Section{{Name: ".text", Section64: elf.Section64{Type: 1, Off: 0x1000, Size: 0x800}}}
	data := file.Bytes()
	for size := range data {
		if _, err := read(data[:size], 1); err == nil {
			t.Fatalf("%d of %d bytes: accepted", size, len(data))
		}
	}
}

func TestLevelComesFromBuildInfo(t *testing.T) {
	probe := testenv.Probe(t)
	for _, test := range []struct {
		given goamd64.Level
		path  string
		level goamd64.Level
		want  string
	}{
		{given: 0, path: probe.Variants[3], level: 3},
		{given: 3, path: probe.Variants[3], level: 3},
		{given: 2, path: probe.Variants[3], want: "given as v2, but its Go build information says GOAMD64=v3"},
	} {
		v, err := Open(test.path, test.given)
		switch {
		case test.want != "":
			if err == nil || err.Error() != test.want {
				t.Errorf("%v: error %v: want %q", test.given, err, test.want)
			}
		case err != nil:
			t.Errorf("%v: %v", test.given, err)
		case v.Level != test.level:
			t.Errorf("%v: read as %v", test.given, v.Level)
		}
	}
	if _, err := read(elftest.Executable(base).Bytes(), 0); err == nil || !strings.Contains(err.Error(), "names no GOAMD64: give the level as vN=FILE") {
		t.Errorf("no build information: error %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                           "not a regular file",
		filepath.Join(dir, "missing"): "no such file or directory",
	} {
		if _, err := Open(path, 1); err == nil || err.Error() != want {
			t.Errorf("%s: error %v: want %q", path, err, want)
		}
	}
}

// TestReadBoundsHeaders refuses what would make package elf take memory.
func TestReadBoundsHeaders(t *testing.T) {
	names := func(size, flags uint64) func([]byte) {
		return func(b []byte) { // the last section header is that of the names
			binary.LittleEndian.PutUint64(b[len(b)-64+8:], flags)
			binary.LittleEndian.PutUint64(b[len(b)-64+32:], size)
		}
	}
	for name, test := range map[string]struct {
		change func([]byte)
		want   string
	}{
		"program headers":     {func(b []byte) { binary.LittleEndian.PutUint16(b[56:], 5000) }, "damaged ELF file: 5000 program headers: want at most 1024"},
		"sections":            {func(b []byte) { binary.LittleEndian.PutUint16(b[60:], 60000) }, "damaged ELF file: 60000 sections: want 1 to 8192"},
		"sections in section": {func(b []byte) { binary.LittleEndian.PutUint16(b[60:], 0) }, "damaged ELF file: 0 sections: want 1 to 8192"},
		"section names":       {names(1<<40, 0), "section names of 1099511627776 bytes"},
		"compressed names":    {names(10, uint64(elf.SHF_COMPRESSED)), "want at most 1048576 bytes, uncompressed"},
		"a section name":      {func(b []byte) { names(0x1000, 0)(b); binary.LittleEndian.PutUint64(b[len(b)-64+24:], 0x1000) }, "a section name of"},
		"no end":              {func(b []byte) { binary.LittleEndian.PutUint64(b[40:], 1<<40) }, "it ends before all that its headers refer to: was it copied whole?"},
	} {
		t.Run(name, func(t *testing.T) {
			file := elftest.Executable(base)
			file.Sections = []elftest.Section{{Name: ".x", Section64: elf.Section64{Type: 1, Off: 0x1000, Size: 8}}}
			data := file.Bytes()
			for i := 0x1000; i < 0x2000; i++ {
				data[i] |= 1 // no byte ends a name
			}
			test.change(data)
			if _, err := read(data, 1); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v: want %q", err, test.want)
			}
		})
	}
}

// FuzzRead looks for panics, endless loops, accepted files whose bounds are
// unsound, and memory that a number in the file makes the reader take.
func FuzzRead(f *testing.F) {
	f.Add(elftest.Executable(base).Bytes())
	withSections := elftest.Executable(base)
	withSections.Sections = []elftest.Section{{Name: ".text", Section64: elf.Section64{Type: 1, Flags: 6, Addr: base + 0x1000, Off: 0x1000, Size: 0x800}}}
	f.Add(withSections.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := read(data, 1)
		runtime.ReadMemStats(&after)
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(32<<20+20*len(data)); took > limit {
			t.Errorf("%d bytes of memory for a file of %d", took, len(data))
		}
		if err != nil {
			return
		}
		if v.Low >= v.High || v.Phdr < v.Low || v.Phdr >= v.High {
			t.Fatalf("%#x to %#x, program headers at %#x", v.Low, v.High, v.Phdr)
		}
		for _, p := range v.Loads() {
			if p.Vaddr < v.Low || p.Vaddr+p.Memsz > v.High || p.Off+p.Filesz > uint64(len(data)) {
				t.Fatalf("%+v", p)
			}
		}
	})
}

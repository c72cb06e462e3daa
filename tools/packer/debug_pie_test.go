package main

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/packed"
)

// TestDebugOfPIE compares all that debug/dwarf and debug/elf read from companions of
// position-independent levels with what they read from the executables: every address
// is as far away as the level was moved.
func TestDebugOfPIE(t *testing.T) {
	for _, kind := range []struct {
		name string
		link testenv.Link
	}{
		{"Go's linker", testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true, Basename: "debug_pie"}},
		{"system linker", testenv.Link{Env: []string{"CGO_ENABLED=1"}, Flags: []string{"-buildmode=pie", "-tags=withc"}, LDFlags: "-linkmode=external", NoSlot: true, Basename: "debug_pie_cgo"}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			if _, err := exec.LookPath("gcc"); err != nil && kind.link.LDFlags != "" {
				t.Skip("skipped: no gcc")
			}
			variants := map[goamd64.Level]string{}
			for _, level := range []goamd64.Level{1, 2, 4} {
				variants[level] = testenv.Build(t, "./tests/debuggers/program", level, kind.link)
			}
			app := testenv.Pack(t, kind.link.Basename, variants)
			dir := t.TempDir()
			must(t, "debug", "-o", dir, "-level", "v1", app)
			file, err := packed.Open(app)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			for _, l := range file.Levels {
				want := openELF(t, variants[l.Level])
				got := openELF(t, filepath.Join(dir, filepath.Base(app)+"."+l.Level.String()+".debug"))
				m := movedBy{t, l.Table.Low - lowest(want)}
				if l.Level > 1 && m.distance == 0 {
					t.Errorf("%v: was not moved", l.Level)
				}
				m.compareEntries(dwarfOf(t, got), dwarfOf(t, want))
				m.compareSymbols(got, want)
			}
		})
	}
}

func lowest(file *elf.File) uint64 {
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD {
			return p.Vaddr &^ 0xfff
		}
	}
	return 0
}

func dwarfOf(t *testing.T, file *elf.File) *dwarf.Data {
	t.Helper()
	data, err := file.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// movedBy compares what is there with what was there before it was moved.
type movedBy struct {
	*testing.T
	distance uint64
}

// address returns where an address is now; 0 is none.
func (m movedBy) address(a uint64) uint64 {
	if a == 0 {
		return 0
	}
	return a + m.distance
}

func (m movedBy) compareEntries(got, want *dwarf.Data) {
	m.Helper()
	const goRuntimeType = 0x2904
	gotReader, wantReader := got.Reader(), want.Reader()
	entries, addresses, lines := 0, 0, 0
	for {
		g, err := gotReader.Next()
		if err != nil {
			m.Fatal(err)
		}
		w, err := wantReader.Next()
		if err != nil {
			m.Fatal(err)
		}
		if w == nil || g == nil {
			if w != nil || g != nil {
				m.Fatal("not as many entries")
			}
			break
		}
		entries++
		for i, field := range w.Field {
			switch {
			case field.Attr == goRuntimeType: // an offset
			case field.Class == dwarf.ClassAddress:
				addresses++
				field.Val = m.address(field.Val.(uint64))
			case field.Class == dwarf.ClassExprLoc:
				field.Val = m.expression(field.Val.([]byte))
			}
			if !reflect.DeepEqual(g.Field[i], field) {
				m.Errorf("entry at %#x: %+v, want %+v", w.Offset, g.Field[i], field)
			}
		}
		ranges, err := want.Ranges(w)
		if err != nil {
			m.Fatal(err)
		}
		for i := range ranges {
			ranges[i][0], ranges[i][1] = m.address(ranges[i][0]), m.address(ranges[i][1])
			addresses += 2
		}
		if found, err := got.Ranges(g); err != nil || !reflect.DeepEqual(found, ranges) {
			m.Errorf("entry at %#x: ranges %#x (%v), want %#x", w.Offset, found, err, ranges)
		}
		if w.Tag == dwarf.TagCompileUnit {
			lines += m.compareLines(got, want, g, w)
		}
	}
	if entries < 10000 || addresses < 3000 || lines < 10000 {
		m.Errorf("%d entries, %d addresses, %d lines: want those of a program", entries, addresses, lines)
	}
}

// expression moves an address alone, as package variables have it.
func (m movedBy) expression(e []byte) []byte {
	const opAddr = 0x03
	if len(e) != 9 || e[0] != opAddr {
		return e
	}
	return binary.LittleEndian.AppendUint64([]byte{opAddr}, m.address(binary.LittleEndian.Uint64(e[1:])))
}

func (m movedBy) compareLines(got, want *dwarf.Data, g, w *dwarf.Entry) (count int) {
	m.Helper()
	gotLines, err := got.LineReader(g)
	if err != nil {
		m.Fatal(err)
	}
	wantLines, err := want.LineReader(w)
	if err != nil {
		m.Fatal(err)
	}
	if gotLines == nil || wantLines == nil {
		return 0
	}
	for ; ; count++ {
		var a, b dwarf.LineEntry
		gotErr, wantErr := gotLines.Next(&a), wantLines.Next(&b)
		if errors.Is(wantErr, io.EOF) && errors.Is(gotErr, io.EOF) {
			return count
		}
		if gotErr != nil || wantErr != nil {
			m.Fatal(gotErr, wantErr)
		}
		b.Address = m.address(b.Address)
		if !reflect.DeepEqual(a, b) {
			m.Errorf("line %+v, want %+v", a, b)
		}
	}
}

// compareSymbols looks for every symbol of the executable.
func (m movedBy) compareSymbols(got, want *elf.File) {
	m.Helper()
	type symbol struct {
		name        string
		info        byte
		value, size uint64
	}
	found := map[symbol]bool{}
	symbols, err := got.Symbols()
	if err != nil {
		m.Fatal(err)
	}
	for _, s := range symbols {
		found[symbol{s.Name, s.Info, s.Value, s.Size}] = true
	}
	symbols, err = want.Symbols()
	if err != nil {
		m.Fatal(err)
	}
	for _, s := range symbols {
		inSection := s.Section != elf.SHN_UNDEF && s.Section < elf.SHN_LORESERVE && elf.ST_TYPE(s.Info) != elf.STT_TLS
		if inSection {
			s.Value += m.distance
		}
		if !found[symbol{s.Name, s.Info, s.Value, s.Size}] {
			m.Errorf("no symbol %s at %#x", s.Name, s.Value)
		}
	}
}

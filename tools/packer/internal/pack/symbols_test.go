package pack

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/elftest"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// nopCode is boot code that does nothing, with room for a table word.
func nopCode() *bootcode.Code {
	c := &bootcode.Code{Bytes: bytes.Repeat([]byte{0x90}, 200), Entry: 64, Funcs: []bootcode.Func{{Name: "boot", Start: 64, End: 200}}}
	binary.LittleEndian.PutUint64(c.Bytes[c.Entry+format.TableWord:], format.TablePlaceholder)
	return c
}

// symbol is one of a crafted executable.
type symbol struct {
	name string
	kind elf.SymType
	bind elf.SymBind
}

func function(name string) symbol { return symbol{name, elf.STT_FUNC, elf.STB_GLOBAL} }

// crafted returns an executable with the given symbols in its text.
func crafted(level goamd64.Level, symbols []symbol, change func(*elftest.File)) []byte {
	file := elftest.Executable(slots.Of(level).Base)
	var table []elf.Sym64
	names := []byte{0}
	for i, s := range symbols {
		size := uint64(1)
		if strings.HasPrefix(s.name, "runtime.") { // the linker's marks of where code begins and ends
			size = 0
		}
		table = append(table, elf.Sym64{
			Name: uint32(len(names)), Info: elf.ST_INFO(s.bind, s.kind), Shndx: 1,
			Value: slots.Of(level).Base + 0x1000 + uint64(i), Size: size,
		})
		names = append(append(names, s.name...), 0)
	}
	file.AddSymbols(table, names)
	if change != nil {
		change(file)
	}
	return file.Bytes()
}

func readVariant(t testing.TB, data []byte, level goamd64.Level) *variant.Variant {
	t.Helper()
	v, err := variant.Read(bytes.NewReader(data), int64(len(data)), level)
	if err != nil {
		t.Fatal(err)
	}
	v.Path = level.String()
	return v
}

// packedSymbols packs variants and returns the symbols of the packed file as
// package elf reads them, and the size of its string table.
func packedSymbols(t *testing.T, variants ...*variant.Variant) (symbols []elf.Symbol, names uint64) {
	t.Helper()
	file, err := New(context.Background(), variants, Options{Launcher: nopCode()})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := file.Write(&out); err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != file.Size() {
		t.Errorf("%d bytes written, %d planned", out.Len(), file.Size())
	}
	read, err := elf.NewFile(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err = read.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	table := read.SectionByType(elf.SHT_SYMTAB)
	for i, s := range symbols {
		if local := elf.ST_BIND(s.Info) == elf.STB_LOCAL; local != (uint32(i+1) < table.Info) {
			t.Errorf("symbol %d of %d is local: %v, but sh_info is %d", i+1, len(symbols), local, table.Info)
		}
	}
	return symbols, read.Section(".strtab").Size
}

func TestSymbolsOfAllLevels(t *testing.T) {
	long := strings.Repeat("long", 20_000)
	one := []symbol{
		{"runtime.text", elf.STT_FUNC, elf.STB_LOCAL}, {"local", elf.STT_FUNC, elf.STB_LOCAL}, {"data", elf.STT_OBJECT, elf.STB_LOCAL},
		function("a"), function("b"), function("c"), {"variable", elf.STT_OBJECT, elf.STB_GLOBAL}, function(long),
	}
	other := []symbol{
		{"runtime.text", elf.STT_FUNC, elf.STB_LOCAL}, {"local", elf.STT_FUNC, elf.STB_LOCAL}, {"own", elf.STT_FUNC, elf.STB_LOCAL},
		function("c"), function("a"), function("new"), function("b"), {"variable", elf.STT_OBJECT, elf.STB_GLOBAL}, function(long), function(""), function("new"),
	}
	symbols, names := packedSymbols(t, readVariant(t, crafted(1, one, nil), 1), readVariant(t, crafted(3, other, nil), 3))
	var got []string
	for _, s := range symbols {
		got = append(got, fmt.Sprintf("%.8s %#x", s.Name, s.Value>>24))
	}
	want := []string{
		"runtime. 0x0", "local 0x0", "data 0x0", "local 0x2a", "own 0x2a", "boot 0x2a",
		"a 0x0", "b 0x0", "c 0x0", "variable 0x0", "longlong 0x0", "c 0x2a", "a 0x2a", "new 0x2a", "b 0x2a", "longlong 0x2a", " 0x2a", "new 0x2a",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	// Names that both have are there once.
	shared := 0
	for _, s := range one {
		shared += len(s.name) + 1
	}
	if want := uint64(1 + shared + len("own\x00boot\x00new\x00")); names != want {
		t.Errorf("%d bytes of names, want %d", names, want)
	}
}

// TestWrongCountOfLocalSymbols has sh_info that is not true: the order of symbols
// stays that of the variant.
func TestWrongCountOfLocalSymbols(t *testing.T) {
	for _, info := range []uint32{0, 2, 1 << 31} {
		data := crafted(1, []symbol{function("a"), function("b")}, func(f *elftest.File) { f.Sections[1].Info = info })
		file, err := New(context.Background(), []*variant.Variant{readVariant(t, data, 1)}, Options{Launcher: nopCode()})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := file.Write(&out); err != nil {
			t.Fatal(err)
		}
		read, err := elf.NewFile(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		symbols, err := read.Symbols()
		var names []string
		for _, s := range symbols {
			if s.Name != "boot" {
				names = append(names, s.Name)
			}
		}
		if err != nil || !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("sh_info %d: %q (%v)", info, names, err)
		}
	}
}

// TestWriteToFile writes to what can be written again, as verbs do, and to what
// cannot.
func TestWriteToFile(t *testing.T) {
	pack := func() *File {
		file, err := New(context.Background(), []*variant.Variant{
			readVariant(t, crafted(1, []symbol{function("a")}, nil), 1), readVariant(t, crafted(4, []symbol{function("b")}, nil), 4),
		}, Options{Launcher: nopCode()})
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	var want bytes.Buffer
	if err := pack().Write(&want); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "packed")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := pack().Write(out); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("other bytes in a file than elsewhere (%v)", err)
	}
}

// failing is a file that has room for so many bytes.
type failing struct {
	*os.File
	left int
}

var errFull = errors.New("full")

func (f *failing) Write(data []byte) (int, error) {
	if f.left -= len(data); f.left < 0 {
		return 0, errFull
	}
	return len(data), nil
}

// ReadFrom hides that of the file.
func (f *failing) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{f}, r) }

// TestWriteFails fails at every part of the file, symbols of more than one buffer
// among them.
func TestWriteFails(t *testing.T) {
	var symbols []symbol
	for i := range 150_000 {
		symbols = append(symbols, function(fmt.Sprint("f", i)))
	}
	v1, v2 := readVariant(t, crafted(1, symbols, nil), 1), readVariant(t, crafted(2, symbols, nil), 2)
	for part := range 20 {
		file, err := New(context.Background(), []*variant.Variant{v1, v2}, Options{Launcher: nopCode()})
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := file.Write(&failing{left: int(file.Size()) * part / 20}); !errors.Is(err, errFull) {
			t.Errorf("%d/20: error %v", part, err)
		}
	}
}

// TestSymbolsOfSomeLevels has symbols where the lowest level was stripped.
func TestSymbolsOfSomeLevels(t *testing.T) {
	stripped := elftest.Executable(slots.Of(1).Base).Bytes()
	symbols, _ := packedSymbols(t, readVariant(t, stripped, 1), readVariant(t, crafted(2, []symbol{function("a")}, nil), 2))
	if len(symbols) != 2 || symbols[0].Name != "boot" || symbols[1].Name != "a" {
		t.Errorf("%+v", symbols)
	}
}

// TestManyNames has more names than are remembered, and none in the order of
// the other level.
func TestManyNames(t *testing.T) {
	const count = 300_000
	var up, down []symbol
	for i := range count {
		up = append(up, function(fmt.Sprint("f", i)))
		down = append(down, function(fmt.Sprint("f", count-1-i)))
	}
	down = append(down, function("own"), function("own"))
	symbols, _ := packedSymbols(t, readVariant(t, crafted(1, up, nil), 1), readVariant(t, crafted(2, down, nil), 2))
	symbols = symbols[1:] // boot
	if len(symbols) != 2*count+2 {
		t.Fatalf("%d symbols", len(symbols))
	}
	for i := range count {
		if a, b := symbols[i].Name, symbols[count+i].Name; a != up[i].name || b != down[i].name {
			t.Fatalf("%d: %s and %s, want %s and %s", i, a, b, up[i].name, down[i].name)
		}
	}
	if a, b := symbols[2*count].Name, symbols[2*count+1].Name; a != "own" || b != "own" {
		t.Errorf("%s and %s", a, b)
	}
}

func packable(variants ...*variant.Variant) error {
	file, err := New(context.Background(), variants, Options{Launcher: nopCode()})
	if err == nil {
		err = file.Wait()
	}
	return err
}

func TestUnsoundSymbols(t *testing.T) {
	set := func(section int, change func(*elftest.Section)) func(*elftest.File) {
		return func(f *elftest.File) { change(&f.Sections[section]) }
	}
	for name, test := range map[string]struct {
		change func(*elftest.File)
		want   string
	}{
		"half a symbol":       {set(1, func(s *elftest.Section) { s.Section64.Size-- }), "v3: its symbol table: section \".symtab\" has 71 bytes: want a multiple of 24"},
		"no string table":     {set(1, func(s *elftest.Section) { s.Link = 1 }), "linked to section 1: want a string table"},
		"link out of range":   {set(1, func(s *elftest.Section) { s.Link = 1 << 30 }), "linked to section 1073741824"},
		"compressed":          {set(1, func(s *elftest.Section) { s.Flags = uint64(elf.SHF_COMPRESSED) }), "is compressed: want it as linkers write it"},
		"no empty string":     {set(2, func(s *elftest.Section) { s.Off++; s.Section64.Size-- }), "does not begin with the empty string"},
		"strings of no bytes": {set(2, func(s *elftest.Section) { s.Section64.Size = 0 }), "does not begin with the empty string"},
	} {
		t.Run(name, func(t *testing.T) {
			data := crafted(3, []symbol{function("a"), function("b")}, test.change)
			v, err := variant.Read(bytes.NewReader(data), int64(len(data)), 3)
			if err == nil {
				v.Path = "v3"
				err = packable(readVariant(t, crafted(1, nil, nil), 1), v)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v: want %q", err, test.want)
			}
		})
	}
	t.Run("names that do not end", func(t *testing.T) {
		cut := set(2, func(s *elftest.Section) { s.Section64.Size-- })
		symbols, _ := packedSymbols(t, readVariant(t, crafted(1, []symbol{function("one")}, cut), 1), readVariant(t, crafted(3, []symbol{function("two")}, cut), 3))
		if symbols[1].Name != "one" || symbols[2].Name != "two" {
			t.Errorf("%+v", symbols)
		}
	})
	t.Run("names behind the table", func(t *testing.T) {
		cut := set(2, func(s *elftest.Section) { s.Section64.Size = 1 })
		symbols, _ := packedSymbols(t, readVariant(t, crafted(1, []symbol{function("one")}, cut), 1), readVariant(t, crafted(3, []symbol{function("two")}, cut), 3))
		if symbols[1].Name != "" || symbols[2].Name != "" {
			t.Errorf("%+v", symbols)
		}
	})
	for _, endless := range []goamd64.Level{1, 3} {
		t.Run("endless name in "+endless.String(), func(t *testing.T) {
			names := map[goamd64.Level]string{1: "one", 3: "three"}
			names[endless] = strings.Repeat("x", 2<<20)
			err := packable(readVariant(t, crafted(1, []symbol{function(names[1])}, nil), 1), readVariant(t, crafted(3, []symbol{function(names[3])}, nil), 3))
			if err == nil || !strings.HasPrefix(err.Error(), endless.String()+": reading its symbols: ") || !strings.Contains(err.Error(), "has more than 1048576 bytes") {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("too many sections", func(t *testing.T) {
		many := func(level goamd64.Level) *variant.Variant {
			return readVariant(t, crafted(level, nil, func(f *elftest.File) {
				for range 5000 {
					f.Sections = append(f.Sections, elftest.Section{Name: ".s", Section64: elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC), Addr: slots.Of(level).Base + 0x1000, Off: 0x1000, Size: 1}})
				}
			}), level)
		}
		err := packable(many(1), many(2))
		if err == nil || !strings.Contains(err.Error(), "sections in all variants together: want at most") {
			t.Errorf("error %v", err)
		}
	})
}

// FuzzNew packs what package variant lets through, beside a sound variant. It
// looks for panics, for memory that a number in the file makes the packer take,
// and for files that are not as planned.
func FuzzNew(f *testing.F) {
	f.Add(crafted(3, []symbol{function("a"), {"b", elf.STT_OBJECT, elf.STB_LOCAL}}, nil))
	f.Add(elftest.Executable(slots.Of(3).Base).Bytes())
	sound := readVariant(f, crafted(1, []symbol{function("a"), function("c")}, nil), 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := variant.Read(bytes.NewReader(data), int64(len(data)), 3)
		if err != nil {
			return
		}
		file, err := New(context.Background(), []*variant.Variant{sound, v}, Options{Launcher: nopCode()})
		if err == nil && file.Wait() == nil && file.Size() < 64<<20 {
			var out bytes.Buffer
			if err := file.Write(&out); err != nil || int64(out.Len()) != file.Size() {
				t.Errorf("%d bytes written, %d planned (%v)", out.Len(), file.Size(), err)
			}
		}
		runtime.ReadMemStats(&after)
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(32<<20+20*len(data)); took > limit {
			t.Errorf("%d bytes of memory for a file of %d", took, len(data))
		}
	})
}

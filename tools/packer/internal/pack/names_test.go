package pack

import (
	"bytes"
	"context"
	"debug/elf"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/tools/packer/internal/elftest"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// named returns an executable whose functions have their names at the given
// offsets of a string table. Where size says so they have no size.
func named(level goamd64.Level, names []byte, offsets []uint32, size func(i int) uint64) []byte {
	file := elftest.Executable(slots.Of(level).Base)
	var table []elf.Sym64
	for i, offset := range offsets {
		table = append(table, elf.Sym64{
			Name: offset, Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1,
			Value: slots.Of(level).Base + 0x1000, Size: size(i),
		})
	}
	file.AddSymbols(table, names)
	return file.Bytes()
}

// nameAt is what a string table says.
func nameAt(names []byte, offset uint32) string {
	if int(offset) >= len(names) {
		return ""
	}
	name, _, _ := bytes.Cut(names[offset:], []byte{0})
	return string(name)
}

// checkNames packs functions of two levels, whole and in a file whose start is
// written last, and wants all of them to have their names.
func checkNames(t *testing.T, names [2][]byte, offsets [2][]uint32, size func(i int) uint64) {
	t.Helper()
	var variants []*variant.Variant
	var want []string
	for i, level := range []goamd64.Level{1, 3} {
		variants = append(variants, readVariant(t, named(level, names[i], offsets[i], size), level))
		for n, offset := range offsets[i] {
			name := nameAt(names[i], offset)
			if leaves := size(n) == 0 && (name == "runtime.text" || name == "runtime.etext"); !leaves || i == 0 {
				want = append(want, name)
			}
		}
	}
	packed := func() *File {
		file, err := New(context.Background(), variants, Options{Launcher: nopCode()})
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	var out bytes.Buffer
	if err := packed().Write(&out); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "packed"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := packed().Write(file); err != nil {
		t.Fatal(err)
	}
	if early, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(early, out.Bytes()) {
		t.Errorf("a file has other bytes than a buffer (%v)", err)
	}
	read, err := elf.NewFile(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := read.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range symbols[1:] { // without the launcher's
		got = append(got, s.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d names %.200q\nwant %d %.200q", len(got), got, len(want), want)
	}
}

// TestNamesInAnyOrder has string tables that are larger than what is read of them
// at a time, the same for the most part, with symbols that go through them in no
// order, and with names that end others.
func TestNamesInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	table := func() []byte {
		names := []byte{0}
		for len(names) < 200<<10 {
			name := strings.Repeat("n", 1+random.IntN(40))
			names = append(append(names, name...), byte('a'+random.IntN(26)), 0)
			if random.IntN(1000) == 0 {
				names = append(names, "runtime.etext\x00\x00"...)
			}
		}
		return names
	}
	one := table()
	other := slices.Concat(one[:50<<10], []byte("only here\x00"), one[50<<10:90<<10], one[91<<10:], table()[:10<<10], []byte{0})
	for name, order := range map[string]func(size, i, count int) int{
		"up":     func(size, i, count int) int { return size / count * i },
		"down":   func(size, i, count int) int { return size / count * (count - i - 1) },
		"random": func(size, _, _ int) int { return random.IntN(size) },
	} {
		t.Run(name, func(t *testing.T) {
			const count = 20_000
			var offsets [2][]uint32
			for i := range count {
				offsets[0] = append(offsets[0], uint32(order(len(one), i, count)))
				offsets[1] = append(offsets[1], uint32(order(len(other), i, count)))
			}
			checkNames(t, [2][]byte{one, other}, offsets, func(i int) uint64 { return uint64(i % 2) })
		})
	}
}

// FuzzNames looks for symbols that get another one's name, or another one when
// they are read again.
func FuzzNames(f *testing.F) {
	f.Add([]byte("a\x00b\x00"), []byte("b\x00a\x00c\x00"), []byte{1, 3, 5, 0, 2, 1}, uint16(1))
	f.Add([]byte("main.main\x00runtime.text\x00main.f\x00"), []byte("main.f\x00runtime.etext\x00\x00"), []byte{1, 11, 24, 5, 90}, uint16(4000))
	f.Fuzz(func(t *testing.T, first, second, offsets []byte, times uint16) {
		if len(first)+len(second) > 1<<10 || len(offsets) == 0 || len(offsets) > 1<<10 {
			return
		}
		var names [2][]byte
		var at [2][]uint32
		for i, text := range [][]byte{first, second} {
			names[i] = append([]byte{0}, bytes.Repeat(text, int(times)%64+1)...)
			names[i] = append(names[i], 0)
			for n, b := range offsets {
				// In steps, and back now and then.
				at[i] = append(at[i], uint32(int(b)*(n*i+1)*(int(times)/64+1)%(len(names[i])+3)))
			}
		}
		checkNames(t, names, at, func(i int) uint64 { return uint64(i+len(first)) % 3 })
	})
}

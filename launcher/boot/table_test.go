package boot

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/launcher/format"
)

// guarded returns a copy of data that ends where readable memory ends: reading
// behind it kills the test.
func guarded(t testing.TB, data []byte) []byte {
	t.Helper()
	size := (len(data)+format.PageSize-1)/format.PageSize*format.PageSize + format.PageSize
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(memory) })
	if err := unix.Mprotect(memory[size-format.PageSize:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	copied := memory[size-format.PageSize-len(data) : size-format.PageSize]
	copy(copied, data)
	return copied
}

// resum makes the checksum right, so that the checks behind it are reached.
func resum(data []byte) {
	if len(data) >= int(format.HeaderSize) {
		binary.LittleEndian.PutUint64(data[8:], format.Sum(data))
	}
}

func sound(data []byte) bool { return tableSound(address(data), uintptr(len(data))) }

func TestSoundTables(t *testing.T) {
	for name, variants := range map[string][]format.Variant{
		"one level":   {variant(4)},
		"four levels": {variant(1), variant(2), variant(3), variant(4)},
	} {
		if !sound(guarded(t, encode(t, variants...))) {
			t.Errorf("%s: not sound", name)
		}
	}
}

func TestUnsoundTables(t *testing.T) {
	change := func(f func(*format.Variant)) []format.Variant {
		v := variant(2)
		f(&v)
		return []format.Variant{variant(1), v}
	}
	for name, variants := range map[string][]format.Variant{
		"no level":                     {},
		"five levels":                  {variant(1), variant(2), variant(3), variant(4), variant(5)},
		"level twice":                  {variant(1), variant(1)},
		"levels in descending order":   {variant(2), variant(1)},
		"level 0":                      {variant(0)},
		"level 5":                      {variant(5)},
		"bounds the wrong way":         change(func(v *format.Variant) { v.Low, v.High = v.High, v.Low }),
		"bounds inside a page":         change(func(v *format.Variant) { v.High++ }),
		"entry below the variant":      change(func(v *format.Variant) { v.Entry = v.Low - 1 }),
		"entry above the variant":      change(func(v *format.Variant) { v.Entry = v.High }),
		"headers outside the variant":  change(func(v *format.Variant) { v.Phdr = v.High }),
		"file offset that wraps":       change(func(v *format.Variant) { v.Offset = ^uint64(0) - 10 }),
		"file end past the file":       change(func(v *format.Variant) { v.Size = 0x10000 }),
		"unknown operation":            change(func(v *format.Variant) { v.Ops[0].Kind = 9 }),
		"operation of another variant": change(func(v *format.Variant) { v.Ops[0].Addr = variant(1).Low }),
		"operation past the variant":   change(func(v *format.Variant) { v.Ops[2].Len = 0x2000 }),
		"operation that wraps":         change(func(v *format.Variant) { v.Ops[2].Len = ^uint64(0xfff) }),
		"empty operation":              change(func(v *format.Variant) { v.Ops[0].Len = 0 }),
		"data outside the variant":     change(func(v *format.Variant) { v.Data, v.DataLen = v.Mapped-format.PageSize, format.PageSize }),
		"data past the variant":        change(func(v *format.Variant) { v.Data, v.DataLen = v.Mapped, v.Unused+format.PageSize }),
		"data that wraps":              change(func(v *format.Variant) { v.Data, v.DataLen = v.Mapped+format.PageSize, ^uint64(format.PageSize-1) }),
		"data behind the end":          change(func(v *format.Variant) { v.Data, v.DataLen = v.Mapped+v.Unused+format.PageSize, format.PageSize }),
		"data inside a page":           change(func(v *format.Variant) { v.Data, v.DataLen = v.Mapped+1, format.PageSize }),
		"part of a page of data":       change(func(v *format.Variant) { v.Data, v.DataLen = v.Mapped, 1 }),
		"a check inside a word":        change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpCheck, Addr: v.Low + 4, Len: 8} }),
		"a check of part of a word":    change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpCheck, Addr: v.Low, Len: 4} }),
		"a check of a page":            change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpCheck, Addr: v.Low, Len: format.PageSize} }),
		"a dynamic section of a half":  change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpDynamic, Addr: v.Low, Len: 24} }),
		"a dynamic section of a page": change(func(v *format.Variant) {
			v.Ops[1] = format.Op{Kind: format.OpDynamic, Addr: v.Low, Len: format.PageSize}
		}),
		"a dynamic section inside a word": change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpDynamic, Addr: v.Low + 4, Len: 16} }),
		"names of part of a word":         change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpNames, Addr: v.Low, Len: 4} }),
		"names of another variant":        change(func(v *format.Variant) { v.Ops[1] = format.Op{Kind: format.OpNames, Addr: variant(1).Low, Len: 8} }),
		"executable memory":               change(func(v *format.Variant) { v.Ops[0].Prot = 7 }),
		"protection inside a page":        change(func(v *format.Variant) { v.Ops[0].Addr++ }),
		"a page of zeroes":                change(func(v *format.Variant) { v.Ops[1].Addr, v.Ops[1].Len = v.Low, format.PageSize }),
	} {
		if sound(guarded(t, encode(t, variants...))) {
			t.Errorf("%s: sound", name)
		}
	}
	lowest := variant(1)
	for word, want := range map[uint64]bool{
		0: true, lowest.Mapped: true, lowest.Data - 8: true,
		lowest.Mapped - 8: false, lowest.Mapped + 4: false, lowest.Data: false, lowest.Mapped + lowest.Unused: false, variant(2).Low: false,
	} {
		data, err := format.Encode(format.Table{Entry: 0x54000000, FileSize: 0x10000, Debug: word, Variants: []format.Variant{lowest, variant(2)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := sound(guarded(t, data)); got != want {
			t.Errorf("debuggers look at %#x: sound: %v, want %v", word, got, want)
		}
	}
	over := variant(2)
	over.Low = lowest.Low
	if data, err := format.Encode(format.Table{Entry: 0x54000000, FileSize: 0x10000, Debug: lowest.Low, Variants: []format.Variant{lowest, over}}); err != nil || sound(guarded(t, data)) {
		t.Errorf("debuggers look at what another level runs in: sound (%v)", err)
	}
}

// TestPlace moves a sound table, and what it says, to where the boot code is not or
// must not be.
func TestPlace(t *testing.T) {
	const entry = 0x3f000000
	for name, test := range map[string]struct {
		movable bool
		bias    uintptr
		change  func(*format.Variant)
		want    bool
	}{
		"in place":                             {false, 0, func(*format.Variant) {}, true},
		"moved":                                {true, 0x555000000000, func(*format.Variant) {}, true},
		"moved, but is in place":               {false, 0x1000, func(*format.Variant) {}, false},
		"moved by part of a page":              {true, 0x1008, func(*format.Variant) {}, false},
		"bounds over the launcher":             {false, 0, func(v *format.Variant) { v.Low, v.High = entry-0x1000, entry+0x1000 }, false},
		"unmaps the launcher":                  {false, 0, func(v *format.Variant) { v.Mapped, v.Unused = entry-0x1000, 0x2000 }, false},
		"bounds over what is before the entry": {false, 0, func(v *format.Variant) { v.Low, v.High = entry-0x3000, entry-0x1000 }, false},
		"unmaps what is before the entry":      {false, 0, func(v *format.Variant) { v.Mapped, v.Unused = entry-0x3000, 0x2000 }, false},
		"bounds end where the launcher begins": {false, 0, func(v *format.Variant) { v.Low, v.High = entry-0x4000, entry-0x2000 }, true},
	} {
		v := variant(2)
		test.change(&v)
		data, err := format.Encode(format.Table{Entry: entry, Movable: test.movable, Variants: []format.Variant{variant(1), v}})
		if err != nil {
			t.Fatal(err)
		}
		table := address(guarded(t, data))
		// The table is where it is: what is moved is where the table says it is.
		h := (*format.Header)(at(table))
		before := uint64(table) - 0x40
		h.Entry = before - uint64(test.bias)
		h.Boot = h.Entry - 0x2000
		for i := uint32(0); i < h.LevelCount; i++ {
			l := (*format.Level)(at(levelAt(table, i)))
			l.Low, l.High, l.Mapped = l.Low+h.Entry-entry, l.High+h.Entry-entry, l.Mapped+h.Entry-entry
		}
		if got := placeSound(table, uintptr(len(data)), uintptr(before)); got != test.want {
			t.Errorf("%s: sound: %v, want %v", name, got, test.want)
		}
	}
	for before, want := range map[uint64]bool{0: true, format.MaxBoot - 1: true, format.MaxBoot: false, ^uint64(0): false} {
		table := address(guarded(t, encode(t, variant(1))))
		h := (*format.Header)(at(table))
		h.Entry = uint64(table) - 0x40
		h.Boot = h.Entry - before
		if got := placeSound(table, uintptr(h.Size), uintptr(h.Entry)); got != want {
			t.Errorf("boot code %#x bytes before its entry: sound: %v, want %v", before, got, want)
		}
	}
}

// FuzzTable feeds tables with a right checksum to the boot code's check. What
// passes is walked as the boot code would walk it, but for its messages.
func FuzzTable(f *testing.F) {
	f.Add(encode(f, variant(1)))
	f.Add(encode(f, variant(1), variant(2), variant(3), variant(4)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		data = guarded(t, data)
		resum(data)
		if !sound(data) {
			return
		}
		table := address(data)
		end := table + uintptr(len(data))
		for m := uint32(0); m < format.MsgCount; m++ {
			text := messageAt(table, m)
			if table+uintptr(text.Offset)+uintptr(text.Len) > end {
				t.Fatalf("message %d ends behind the table", m)
			}
		}
		for limit := uint32(0); limit <= format.MaxLevels; limit++ {
			addr := highest(table, limit)
			if addr == 0 {
				continue
			}
			level := (*format.Level)(at(addr))
			if path := level.Interp; path.Len != 0 && load8(table+uintptr(path.Offset)+uintptr(path.Len)-1) != 0 {
				t.Fatalf("the interpreter's path of level %+v has no end", level)
			}
			if level.DataLen != 0 && (level.Data < level.Mapped || level.Data+level.DataLen > level.Mapped+level.Unused) {
				t.Fatalf("level %+v has data that is not its own", level)
			}
			if level.Mapped+level.Unused < level.Mapped {
				t.Fatalf("level %+v is mapped past the end of memory", level)
			}
			if level.Level > limit || level.Entry < level.Low || level.Entry >= level.High {
				t.Fatalf("level %+v for a limit of %d", level, limit)
			}
			for i := uint32(0); i < level.OpCount; i++ {
				op := opAt(table, level.Op+i)
				if op.Addr < level.Low || op.Addr+op.Len > level.High {
					t.Fatalf("operation %+v outside of level %+v", op, level)
				}
				if op.Kind == format.OpMove && op.From < level.High && level.Low < op.From+op.Len {
					t.Fatalf("operation %+v moves what is in level %+v", op, level)
				}
			}
		}
	})
}

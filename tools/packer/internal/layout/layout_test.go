package layout

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/launcher/format"
)

// goProgram is laid out as Go's linker does it.
func goProgram(level goamd64.Level) Input {
	base := slots.Of(level).Base
	load := func(flags elf.ProgFlag, offset, filesz, memsz uint64) elf.ProgHeader {
		return elf.ProgHeader{Type: elf.PT_LOAD, Flags: flags, Off: offset, Vaddr: base + offset, Filesz: filesz, Memsz: memsz}
	}
	return Input{Level: level, Size: 0x9123, Loads: []elf.ProgHeader{
		load(elf.PF_R|elf.PF_X, 0, 0x2345, 0x2345),
		load(elf.PF_R, 0x3000, 0x1800, 0x1800),
		load(elf.PF_R|elf.PF_W, 0x5000, 0x1678, 0x5000),
	}}
}

// systemProgram is laid out as GNU ld does it: headers and constants first, and
// the data at another distance from its file offset than the rest.
func systemProgram(level goamd64.Level) Input {
	base := slots.Of(level).Base
	load := func(flags elf.ProgFlag, offset, addr, filesz, memsz uint64) elf.ProgHeader {
		return elf.ProgHeader{Type: elf.PT_LOAD, Flags: flags, Off: offset, Vaddr: base + addr, Filesz: filesz, Memsz: memsz}
	}
	return Input{Level: level, Size: 0x6000, Loads: []elf.ProgHeader{
		load(elf.PF_R, 0, 0, 0x700, 0x700),
		load(elf.PF_R|elf.PF_X, 0x1000, 0x1000, 0x1100, 0x1100),
		load(elf.PF_R, 0x3000, 0x3000, 0x200, 0x200),
		load(elf.PF_R|elf.PF_W, 0x3e10, 0x4e10, 0x300, 0x2300),
	}}
}

func plan(t *testing.T, inputs ...Input) *Layout {
	t.Helper()
	l, err := Plan(inputs, launcherSize, false)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const launcherSize = 0x2345

// TestInterpreter: what ldd has loaded of a dynamic program, its lowest level, has
// data that can be written before the boot code has run.
func TestInterpreter(t *testing.T) {
	lowest, higher := goProgram(1), goProgram(3)
	lowest.Interp, higher.Interp = true, true
	l := plan(t, lowest, higher)
	data := lowest.Loads[2]
	for _, p := range l.Loads {
		if p.Vaddr <= data.Vaddr && data.Vaddr < p.Vaddr+p.Memsz && p.Flags != elf.PF_R|elf.PF_W {
			t.Errorf("the data of the lowest level is in %+v: want it writable", p)
		}
	}
	if len(l.Loads) != 3+1+1 {
		t.Errorf("%d PT_LOADs: want three of the lowest level, one of the other, and its .bss", len(l.Loads))
	}
}

func TestOneMappingForEachLevel(t *testing.T) {
	l := plan(t, goProgram(1), goProgram(2), goProgram(3), goProgram(4))
	if len(l.Loads) != 5 {
		t.Errorf("%d PT_LOADs: want one for each level, and the highest one's .bss", len(l.Loads))
	}
	if top := l.Loads[3]; top.Off != 0 || top.Vaddr != l.HeaderAddr || top.Vaddr+l.Variants[3].Offset != slots.Of(4).Base {
		t.Errorf("PT_LOAD of v4 %+v: want it to begin with the start of the file", top)
	}
	for i, p := range l.Variants {
		want := 4
		if i == 3 {
			want = 3
		}
		if len(p.Ops) != want {
			t.Errorf("level %d: operations %+v: want %d", i+1, p.Ops, want)
		}
	}
	if v4, last := goProgram(4), l.Loads[4]; last.Filesz != 0 || last.Vaddr+last.Memsz != v4.high() {
		t.Errorf("last PT_LOAD %+v: want it to end at %#x", last, v4.high())
	}
}

// TestEachVariantIsAsIfAlone compares, in a model of memory, what each variant
// sees in the packed file with what the kernel gives it when it is alone.
func TestEachVariantIsAsIfAlone(t *testing.T) {
	bss := goProgram(3)
	bss.Loads[2].Filesz = 0x1000 // ends at a page boundary
	none := goProgram(2)
	none.Loads[2].Memsz = none.Loads[2].Filesz
	small := goProgram(4)
	small.Loads[2].Memsz = small.Loads[2].Filesz + 4 // within the page
	empty := goProgram(4)
	empty.Loads = append(empty.Loads, elf.ProgHeader{Type: elf.PT_LOAD, Flags: 6, Vaddr: empty.Loads[2].Vaddr + 0x8000, Memsz: 0x1234})
	for name, inputs := range map[string][]Input{
		"Go's linker":       {goProgram(1), goProgram(2), goProgram(3), goProgram(4)},
		"two levels":        {goProgram(2), goProgram(4)},
		"one level":         {goProgram(3)},
		"GNU ld":            {systemProgram(1), systemProgram(3)},
		"mixed":             {systemProgram(1), goProgram(2), systemProgram(4)},
		".bss of all kinds": {goProgram(1), none, bss, small},
		".bss alone":        {goProgram(1), empty},
	} {
		t.Run(name, func(t *testing.T) { check(t, inputs, plan(t, inputs...)) })
	}
}

// movable makes a position-independent executable of a variant.
func movable(in Input) Input {
	base := in.low()
	loads := append([]elf.ProgHeader(nil), in.Loads...)
	for i := range loads {
		loads[i].Vaddr -= base
	}
	in.PIE, in.Loads = true, loads
	return in
}

// at1 links a variant where v1 is linked.
// atSlot returns the program as it is when it is linked at the slot of another level.
func atSlot(level goamd64.Level, in Input) Input {
	loads := append([]elf.ProgHeader(nil), in.Loads...)
	for i := range loads {
		loads[i].Vaddr += slots.Of(level).Base - in.low()
	}
	in.Loads = loads
	return in
}

func TestMovedVariantsAreAsIfAlone(t *testing.T) {
	much := func(in Input, bss uint64) Input {
		in = movable(in)
		last := &in.Loads[len(in.Loads)-1]
		last.Memsz = last.Filesz + bss
		return in
	}
	const page1 = 0x1000 - 0x678 // of goProgram, up to the end of a page
	for name, inputs := range map[string][]Input{
		"Go's linker": {movable(goProgram(1)), movable(goProgram(2)), movable(goProgram(3)), movable(goProgram(4))},
		"GNU ld":      {movable(systemProgram(1)), movable(systemProgram(3))},
		"one level":   {movable(systemProgram(2))},
		// The .bss that is just not too much, too much, and too much for the file's size.
		"much .bss":      {much(goProgram(1), 1<<19), much(goProgram(2), 1<<19), much(goProgram(3), page1+uncounted), much(systemProgram(4), 1<<19)},
		"very much .bss": {much(goProgram(1), 1<<19), much(goProgram(2), 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			l := plan(t, inputs...)
			check(t, inputs, l)
			end := uint64(0)
			for _, p := range l.Loads {
				if floor(p.Vaddr) != end {
					t.Errorf("a gap at %#x, before %+v", end, p)
				}
				end = ceil(p.Vaddr + p.Memsz)
			}
			if want := end - ceil(l.Start); l.HeaderAddr != want {
				t.Errorf("start of the file at %#x: want %#x, where the variants end", l.HeaderAddr, want)
			}
			for i, p := range l.Variants {
				left := name == "much .bss" && (i == 1 || i == 3)
				if left != (len(p.Ops) == 2) || !left && len(p.Ops) > 0 || left == p.BSS {
					t.Errorf("%v: operations %+v, .bss mapped by the kernel: %v; left to the launcher: want %v", inputs[i].Level, p.Ops, p.BSS, left)
				}
			}
		})
	}
}

func TestRemappedVariantsAreAsIfAlone(t *testing.T) {
	for name, inputs := range map[string][]Input{
		"Go's linker":   {goProgram(1), atSlot(1, goProgram(2)), atSlot(1, goProgram(3)), atSlot(1, goProgram(4))},
		"GNU ld":        {systemProgram(1), atSlot(1, systemProgram(3))},
		"of both":       {goProgram(1), atSlot(1, systemProgram(2)), goProgram(4)},
		"apart already": {goProgram(1), goProgram(2)},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Plan(inputs, launcherSize, true)
			if err != nil {
				t.Fatal(err)
			}
			check(t, inputs, l)
		})
	}
}

// check fails the test unless a plan keeps all promises.
func check(t *testing.T, inputs []Input, l *Layout) {
	t.Helper()
	file := make([]byte, l.End)
	for i := range file[:l.Start] {
		file[i] = byte(i>>12) | 0x80
	}
	contents := make([][]byte, len(inputs))
	for i, in := range inputs {
		contents[i] = make([]byte, in.Size)
		for j := range contents[i] {
			contents[i][j] = byte(j) ^ byte(j>>8)*31 ^ byte(i)<<6 | 1
		}
		copy(file[l.Variants[i].Offset:], contents[i])
	}

	end := uint64(0)
	for _, p := range l.Loads {
		if p.Vaddr%page != p.Off%page || floor(p.Vaddr) < end || p.Filesz > p.Memsz || p.Off+p.Filesz > l.End {
			t.Fatalf("PT_LOAD %+v after %#x", p, end)
		}
		if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
			t.Fatalf("PT_LOAD %+v is writable and executable", p)
		}
		end = ceil(p.Vaddr + p.Memsz)
	}
	for i := range inputs {
		if end < l.Variants[i].High {
			t.Fatalf("segments end at %#x, below the end of a variant, %#x", end, l.Variants[i].High)
		}
	}

	for i, in := range inputs {
		packed := newMemory(file)
		for _, p := range l.Loads {
			packed.load(p)
		}
		for _, op := range l.Variants[i].Ops {
			if err := packed.carryOut(op, l.Variants[i]); err != nil {
				t.Fatalf("%v: %v", in.Level, err)
			}
		}
		for at := uint64(0); at < l.Start; at += page {
			got, ok := packed.pages[l.HeaderAddr+at]
			if !ok || got.flags != elf.PF_R|elf.PF_X || got.private != nil || got.offset != at {
				t.Fatalf("%v: start of the file: %+v at %#x, want file offset %#x, readable and executable", in.Level, got, l.HeaderAddr+at, at)
			}
		}
		alone := newMemory(contents[i])
		for _, p := range in.Loads {
			alone.load(p)
		}
		for at, want := range alone.pages {
			got, ok := packed.pages[at+l.Variants[i].Delta]
			if !ok {
				t.Fatalf("%v: nothing at %#x", in.Level, at)
			}
			if got.flags != want.flags {
				t.Fatalf("%v: page %#x is %v, want %v", in.Level, at, got.flags, want.flags)
			}
			// Behind the end of the file a page shows whatever follows there.
			if want.private == nil && want.offset+page > in.Size {
				continue
			}
			if !bytes.Equal(packed.contents(at+l.Variants[i].Delta), alone.contents(at)) {
				t.Fatalf("%v: page %#x has other contents than alone", in.Level, at)
			}
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	large := goProgram(3)
	large.Loads[2].Memsz = slots.Of(3).Size()
	moved := func(in Input, to uint64) Input {
		from := in.low()
		in.Loads = append([]elf.ProgHeader(nil), in.Loads...)
		for i := range in.Loads {
			in.Loads[i].Vaddr += to - from
		}
		return in
	}
	low, below := moved(goProgram(1), 64<<10), moved(goProgram(2), 0x40b000)
	for name, test := range map[string]struct {
		inputs []Input
		want   string
	}{
		"two kinds": {[]Input{goProgram(1), movable(goProgram(3))}, "v3 is a position-independent executable and v1 is not: want all of one kind"},
		"overlapping": {[]Input{goProgram(1), {Level: 3, Size: 0x9123, Loads: goProgram(1).Loads}},
			"v3 at 0x400000 to 0x40a000 overlaps v1 at 0x400000 to 0x40a000: link v3 with -ldflags=-T=0x2a009000, or pack with -remap"},
		"all overlapping": {[]Input{
			goProgram(1), {Level: 2, Size: 0x9123, Loads: goProgram(1).Loads, Linker: slots.GNULinker}, {Level: 4, Size: 0x9123, Loads: goProgram(1).Loads, Linker: slots.LLVMLinker}},
			"v2 at 0x400000 to 0x40a000 overlaps v1 at 0x400000 to 0x40a000: link v2 with -ldflags=-extldflags=-Wl,-Ttext-segment=0x15008000, link v4 with -ldflags=-extldflags=-Wl,--image-base=0x3f008000, or pack with -remap"},
		"no room below":   {[]Input{low}, "v1 is at 0x10000: want it at 0x14000 or higher, to have room for the launcher below it"},
		"no room between": {[]Input{goProgram(1), below}, "v1 at 0x400000 to 0x40a000 leaves no room for the launcher below v2, from 0x407000 to 0x40b000"},
		"too large": {[]Input{goProgram(1), large},
			"v3 takes 335 MiB of addresses from 0x2a008000, but its slot has 335 MiB: make it smaller, build it with -buildmode=pie, which needs no slots, or leave levels out until the ones left fit"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Plan(test.inputs, launcherSize, false); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v: want %q", err, test.want)
			}
		})
	}
}

// FuzzPlan makes variants of random segments; every plan must keep all promises.
func FuzzPlan(f *testing.F) {
	f.Add([]byte{2, 3, 1, 0, 0, 2, 3, 4})
	f.Add(bytes.Repeat([]byte{7, 1, 0x10, 3, 0xff, 0x20}, 20))
	f.Fuzz(func(t *testing.T, data []byte) {
		inputs := randomInputs(data)
		if len(inputs) == 0 {
			return
		}
		remap := data[0]&4 != 0
		for i := range inputs {
			if data[0]&3 == 1 {
				inputs[i] = movable(inputs[i])
			} else if remap && i > 0 && data[0]&8 != 0 {
				inputs[i] = atSlot(1, inputs[i])
			}
		}
		l, err := Plan(inputs, launcherSize, remap)
		if err != nil {
			return
		}
		check(t, inputs, l)
	})
}

// randomInputs reads up to four variants of up to five segments from data; they
// are sound as package variant checks it.
func randomInputs(data []byte) []Input {
	next := func(limit uint64) uint64 {
		var word [2]byte
		data = data[copy(word[:], data):]
		return uint64(binary.LittleEndian.Uint16(word[:])) % limit
	}
	var inputs []Input
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		if next(4) == 0 {
			continue
		}
		in := Input{Level: level}
		addr := slots.Of(level).Base + next(3)*page
		offset := uint64(0)
		for n := 1 + next(5); n > 0; n-- {
			p := elf.ProgHeader{Type: elf.PT_LOAD, Flags: []elf.ProgFlag{4, 5, 6}[next(3)]}
			within := next(page)
			if next(2) == 0 {
				within = 0
			}
			p.Vaddr, p.Off = addr+within, offset+within
			p.Filesz = next(4 * page)
			p.Memsz = p.Filesz + next(2)*next(4*page)
			if p.Memsz == 0 || p.Flags&elf.PF_X != 0 && p.Memsz > p.Filesz {
				continue
			}
			in.Loads = append(in.Loads, p)
			in.Size = max(in.Size, p.Off+p.Filesz)
			offset = floor(p.Off+p.Filesz) + next(2)*page
			addr = ceil(p.Vaddr+p.Memsz) + next(2)*page
			if next(2) == 0 { // as Go's linker: one distance for all
				offset = ceil(p.Off + p.Filesz)
			}
		}
		if len(in.Loads) > 0 {
			inputs = append(inputs, in)
		}
	}
	return inputs
}

func TestPlacementsFollowEachOther(t *testing.T) {
	l := plan(t, goProgram(1), goProgram(2))
	if l.Variants[1].Offset != 0x4000 || l.Variants[0].Offset != 0xe000 || l.End != 0x17123 {
		t.Errorf("offsets %#x, %#x, end %#x: want 0x4000, 0xe000, 0x17123", l.Variants[1].Offset, l.Variants[0].Offset, l.End)
	}
	if l.HeaderAddr != slots.Of(2).Base-0x4000 || format.PageSize != page {
		t.Errorf("start of the file at %#x", l.HeaderAddr)
	}
}

// TestData checks that what the launcher unmaps of a level that it does not start is
// all that the level would write to, and nothing of its code.
func TestData(t *testing.T) {
	several := systemProgram(2)
	several.Loads[2].Flags = elf.PF_R | elf.PF_W
	muchData := goProgram(4)
	muchData.Loads[2].Memsz += uncounted
	constants := goProgram(4)
	constants.Loads = append(constants.Loads, elf.ProgHeader{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: constants.high(), Off: 0x8000, Filesz: 0x1000, Memsz: 0x1000})
	for name, test := range map[string]struct {
		inputs  []Input
		remap   bool
		charged string // what the kernel counts: all, that of the highest level, or nothing
	}{
		"Go's linker":           {[]Input{goProgram(1), goProgram(2), goProgram(4)}, false, ""},
		"GNU ld":                {[]Input{systemProgram(1), systemProgram(3)}, false, "all"},
		"mixed":                 {[]Input{goProgram(1), systemProgram(2), goProgram(3), systemProgram(4)}, false, "all"},
		"position-independent":  {[]Input{movable(goProgram(1)), movable(systemProgram(3))}, false, "all"},
		"moved into place":      {[]Input{goProgram(1), atSlot(1, goProgram(2)), goProgram(3)}, true, "all"},
		"several segments":      {[]Input{goProgram(1), several}, false, "all"},
		"much data":             {[]Input{goProgram(1), muchData}, false, "highest"},
		"another order":         {[]Input{goProgram(1), atSlot(3, goProgram(2)), atSlot(2, goProgram(3))}, false, "all"},
		"much in a lower level": {[]Input{func() Input { in := goProgram(1); in.Loads[2].Memsz += uncounted; return in }(), goProgram(4)}, false, ""},
		"constants behind it":   {[]Input{goProgram(1), constants}, false, "all"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Plan(test.inputs, launcherSize, test.remap)
			if err != nil {
				t.Fatal(err)
			}
			if all, highest := test.charged == "all", test.charged == "highest"; l.Charged != all || l.ChargedHighest != highest {
				t.Errorf("data can be written to from the start: %v, the highest level's %v; want %v, %v", l.Charged, l.ChargedHighest, all, highest)
			}
			for i, in := range test.inputs {
				p := &l.Variants[i]
				moved := p.Delta + p.Stage
				for _, load := range in.Loads {
					low, high := floor(load.Vaddr)+moved, ceil(load.Vaddr+load.Memsz)+moved
					inside := p.Data <= low && high <= p.Data+p.DataLen
					outside := high <= p.Data || p.Data+p.DataLen <= low
					if load.Flags&elf.PF_W != 0 && !inside || load.Flags&elf.PF_X != 0 && !outside {
						t.Errorf("%v: data from %#x, %#x bytes; segment %v from %#x to %#x", in.Level, p.Data, p.DataLen, load.Flags, low, high)
					}
				}
				if p.Data%page != 0 || p.DataLen%page != 0 {
					t.Errorf("%v: data from %#x, %#x bytes: want whole pages", in.Level, p.Data, p.DataLen)
				}
			}
		})
	}
	if start, size := dataRange(&Input{Loads: goProgram(1).Loads[:2]}, true); size != 0 {
		t.Errorf("data of a program without any: %#x bytes from %#x", size, start)
	}
	dynamic := systemProgram(1)
	data := dynamic.Loads[3]
	for constant, want := range map[uint64]uint64{0: floor(data.Vaddr), data.Vaddr + 0x100: ceil(data.Vaddr), dynamic.high() - 1: dynamic.high(), dynamic.high() + page: dynamic.high()} {
		dynamic.Constant = constant
		if start, size := dataRange(&dynamic, true); start != want || start+size != dynamic.high() {
			t.Errorf("constant up to %#x: data from %#x to %#x, want %#x to %#x", constant, start, start+size, want, dynamic.high())
		}
		if start, size := dataRange(&dynamic, false); start != floor(data.Vaddr) || start+size != dynamic.high() {
			t.Errorf("constant up to %#x, not the lowest level: data from %#x to %#x", constant, start, start+size)
		}
	}
}

// TestLargeProgramsAreAligned checks what lets the kernel map large folios.
func TestLargeProgramsAreAligned(t *testing.T) {
	for _, test := range []struct{ size, alignment, padding uint64 }{
		{100 << 10, 4 << 10, 16},
		{2 << 20, 128 << 10, 16},
		{11 << 20, 512 << 10, 16},
		{12 << 20, 2 << 20, 6},
		{60 << 20, 2 << 20, 16},
		{300 << 20, 2 << 20, 16},
	} {
		var inputs []Input
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			in := goProgram(level)
			in.Size = test.size + uint64(level)
			inputs = append(inputs, in)
		}
		l := plan(t, inputs...)
		for _, p := range l.Loads[:4] {
			if p.Vaddr%test.alignment != p.Off%test.alignment {
				t.Errorf("%d bytes: PT_LOAD at offset %#x, address %#x: want them congruent modulo %#x", test.size, p.Off, p.Vaddr, test.alignment)
			}
		}
		if padding := l.End - 4*test.size; padding > 4*test.size/test.padding+5*page {
			t.Errorf("%d bytes: %d of padding", test.size, padding)
		}
	}
}

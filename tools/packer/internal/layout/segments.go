package layout

import (
	"debug/elf"
	"slices"

	"rules_go_multiarch/launcher/format"
)

// loads returns the program headers that map the variant's own segments where
// the placement says, with or without their .bss.
func loads(in *Input, p *Placement, bss bool) []elf.ProgHeader {
	var loads []elf.ProgHeader
	for _, own := range in.Loads {
		h := elf.ProgHeader{
			Type: elf.PT_LOAD, Flags: own.Flags,
			Off: p.Offset + own.Off, Vaddr: own.Vaddr + p.Delta + p.Stage, Filesz: own.Filesz, Memsz: own.Filesz,
		}
		if bss {
			h.Memsz = own.Memsz
		}
		if h.Memsz > 0 {
			loads = append(loads, aligned(h))
		}
	}
	return loads
}

// maxPlaces is how many PT_LOADs may keep the place of one .bss: a small file has few pages.
const maxPlaces = 4

// reserve leaves much .bss of variant i to the boot code, for RLIMIT_DATA counts that of
// every level while the kernel loads the file. A PT_LOAD without access rights keeps the
// place, as pages of the file: pages without contents would be writable, and counted,
// whatever their rights (vm_brk_flags in linux/mm/vma.c). Nobody reads them.
func (l *Layout) reserve(loads []elf.ProgHeader, i int) []elf.ProgHeader {
	p := &l.Variants[i]
	// Not the file's first page: strip would take the segment for one of its headers.
	most := floor(l.End) - LauncherOffset
	var out []elf.ProgHeader
	for _, load := range loads {
		start, end := ceil(load.Vaddr+load.Filesz), ceil(load.Vaddr+load.Memsz)
		if load.Filesz == 0 || load.Flags != elf.PF_R|elf.PF_W || end <= start+uncounted || end-start > maxPlaces*most {
			out = append(out, load)
			continue
		}
		p.BSS = false
		load.Memsz = load.Filesz
		out = append(out, load)
		if end := load.Vaddr + load.Filesz; end < start {
			p.Ops = append(p.Ops, format.Op{Kind: format.OpZero, Addr: end, Len: start - end})
		}
		p.Ops = append(p.Ops, format.Op{Kind: format.OpAnonymous, Prot: prot(load.Flags), Addr: start, Len: end - start})
		for start < end {
			size := min(end-start, most)
			place := aligned(elf.ProgHeader{Type: elf.PT_LOAD, Off: LauncherOffset, Vaddr: start, Filesz: size, Memsz: size})
			out = append(out, place)
			l.Reserved = append(l.Reserved, Zeroes{place, i})
			start += size
		}
	}
	return out
}

// mapStart maps the start of the file, with the launcher in it: together with the
// segment that follows it, or alone.
func (l *Layout) mapStart() {
	start := aligned(elf.ProgHeader{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Vaddr: l.HeaderAddr, Filesz: l.Start, Memsz: l.Start})
	next := -1
	for i, p := range l.Loads {
		if p.Vaddr > start.Vaddr && (next < 0 || p.Vaddr < l.Loads[next].Vaddr) {
			next = i
		}
	}
	if next >= 0 {
		if p := l.Loads[next]; p.Flags == start.Flags && p.Filesz == p.Memsz && p.Vaddr-start.Vaddr == p.Off {
			start.Filesz, start.Memsz = p.Off+p.Filesz, p.Off+p.Filesz
			l.Loads = slices.Delete(l.Loads, next, next+1)
		}
	}
	l.Loads = append(l.Loads, start)
}

// endHighest makes the segments end where the highest variant does, because the
// heap of brk(2) begins behind them: with its .bss where that is what is missing.
func (l *Layout) endHighest(inputs []Input) {
	last := l.Loads[len(l.Loads)-1]
	highest := 0
	for i := range l.Variants {
		if l.Variants[i].High > l.Variants[highest].High {
			highest = i
		}
	}
	p := &l.Variants[highest]
	if ceil(last.Vaddr+last.Memsz) >= p.High {
		return
	}
	end := elf.ProgHeader{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: p.High - page, Memsz: page}
	if n := len(p.Ops); n > 0 && p.Stage == 0 {
		if op := p.Ops[n-1]; op.Kind == format.OpAnonymous && op.Addr+op.Len == p.High && op.Addr >= ceil(last.Vaddr+last.Memsz) {
			own := inputs[highest].Loads[len(inputs[highest].Loads)-1]
			end.Flags, end.Vaddr, end.Memsz = own.Flags, op.Addr, ceil(own.Vaddr+own.Memsz)-op.Addr
			end.Off = ceil(p.Offset + own.Off + own.Filesz)
			p.Ops = p.Ops[:n-1]
			l.Zeroes = &Zeroes{end, highest}
			if highest == len(inputs)-1 {
				l.ChargedHighest = end.Memsz > uncounted
			} else {
				l.Charged = true // levels may be linked in another order than their slots'
			}
		}
	}
	l.Loads = append(l.Loads, aligned(end))
	l.End = max(l.End, end.Off)
}

// mergedLoad returns one segment over all of the variant's, which is possible
// when they follow each other in the file as they do in memory.
func mergedLoad(in *Input, offset uint64) (elf.ProgHeader, bool) {
	first := in.Loads[0]
	if first.Filesz == 0 {
		return elf.ProgHeader{}, false
	}
	end := first.Vaddr + first.Filesz
	bss := first.Memsz > first.Filesz
	for _, p := range in.Loads[1:] {
		if p.Filesz == 0 {
			continue
		}
		if bss || p.Vaddr-p.Off != first.Vaddr-first.Off || floor(p.Vaddr) != ceil(end) {
			return elf.ProgHeader{}, false
		}
		end = p.Vaddr + p.Filesz
		bss = p.Memsz > p.Filesz
	}
	skew := first.Vaddr % page
	size := end - first.Vaddr + skew
	return aligned(elf.ProgHeader{
		Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X,
		Off: offset + first.Off - skew, Vaddr: first.Vaddr - skew, Filesz: size, Memsz: size,
	}), true
}

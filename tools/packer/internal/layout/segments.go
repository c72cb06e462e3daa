package layout

import "debug/elf"

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

// withHeader puts the first size bytes of the file in front of segments: into
// the first one when that continues them in file and memory.
func withHeader(addr, size uint64, loads []elf.ProgHeader) []elf.ProgHeader {
	header := elf.ProgHeader{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: addr, Filesz: size, Memsz: size}
	if len(loads) > 0 && loads[0].Vaddr-addr == loads[0].Off && loads[0].Filesz == loads[0].Memsz {
		header.Flags = loads[0].Flags
		header.Filesz = loads[0].Off + loads[0].Filesz
		header.Memsz = header.Filesz
		loads = loads[1:]
	}
	return append([]elf.ProgHeader{aligned(header)}, loads...)
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

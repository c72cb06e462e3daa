package layout

import (
	"debug/elf"

	"rules_go_multiarch/launcher/format"
)

// protections returns the Ops that give the parts of a merged segment the
// access rights of the variant's own segments. None of them adds PROT_EXEC, so
// that they pass where that is forbidden (PR_SET_MDWE, SELinux execmod).
func protections(in *Input) []format.Op {
	var ops []format.Op
	for _, p := range in.Loads {
		if p.Filesz == 0 || p.Flags&elf.PF_X != 0 {
			continue
		}
		op := format.Op{Kind: format.OpProtect, Prot: prot(p.Flags), Addr: floor(p.Vaddr)}
		op.Len = ceil(p.Vaddr+p.Filesz) - op.Addr
		if n := len(ops); n > 0 && ops[n-1].Prot == op.Prot && ops[n-1].Addr+ops[n-1].Len == op.Addr {
			ops[n-1].Len += op.Len
			continue
		}
		ops = append(ops, op)
	}
	return ops
}

// dataRange returns the first address and the number of bytes of what a variant
// writes to, .bss included, as it was linked: all that is behind its code, from the first
// writable segment on, where every linker has it. Of the lowest level, whose dynamic section
// is the packed file's, what is constant is not part of it.
func dataRange(in *Input, lowest bool) (start, size uint64) {
	for _, p := range in.Loads {
		switch {
		case p.Flags&elf.PF_X != 0:
			start, size = 0, 0
		case p.Flags&elf.PF_W != 0 || size > 0:
			if size == 0 {
				start = floor(p.Vaddr)
			}
			size = ceil(p.Vaddr+p.Memsz) - start
		}
	}
	if constant := ceil(in.Constant); lowest && size > 0 && start < constant {
		constant = min(constant, start+size)
		start, size = constant, start+size-constant
	}
	return start, size
}

// completeData returns the Ops that make the zeroed memory behind segments
// that are larger in memory than in the file: the rest of the last page, which
// holds whatever follows in the file, and the pages after it.
func completeData(in *Input) []format.Op {
	var ops []format.Op
	for _, p := range in.Loads {
		end := p.Vaddr + p.Filesz
		last := p.Vaddr + p.Memsz
		if p.Memsz == p.Filesz {
			continue
		}
		anonymous := floor(p.Vaddr)
		if p.Filesz > 0 {
			anonymous = ceil(end)
			if end%page != 0 && p.Flags&elf.PF_W != 0 {
				ops = append(ops, format.Op{Kind: format.OpZero, Addr: end, Len: anonymous - end})
			}
		}
		if last > anonymous {
			ops = append(ops, format.Op{
				Kind: format.OpAnonymous, Prot: prot(p.Flags),
				Addr: anonymous, Len: ceil(last) - anonymous,
			})
		}
	}
	return ops
}

// moveInto returns the Ops that move a variant's segments from its stage into
// place: one a segment, for mremap(2) moves no more than one mapping.
func moveInto(in *Input, stage uint64) []format.Op {
	var ops []format.Op
	for _, p := range in.Loads {
		if p.Filesz == 0 {
			continue
		}
		start := floor(p.Vaddr)
		ops = append(ops, format.Op{
			Kind: format.OpMove, Addr: start, Len: ceil(p.Vaddr+p.Filesz) - start, From: start + stage,
		})
	}
	return ops
}

// prot converts the flags of a segment without PF_X to those of mmap(2).
func prot(flags elf.ProgFlag) uint32 {
	var prot uint32
	if flags&elf.PF_R != 0 {
		prot |= 1
	}
	if flags&elf.PF_W != 0 {
		prot |= 2
	}
	return prot
}

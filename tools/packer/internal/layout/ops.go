package layout

import (
	"debug/elf"
	"slices"

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

// Isolate makes a plan for a launcher that unmaps the data of levels that it does
// not start: where that is comes from the Ops that make it writable, so levels
// that the kernel gives their own segments get such Ops too. Levels that are moved
// into place are left as they are: what is mapped elsewhere shows nothing.
func (l *Layout) Isolate(inputs []Input) {
	for i := range inputs {
		in, p := &inputs[i], &l.Variants[i]
		if p.Stage != 0 {
			continue
		}
		protected := slices.ContainsFunc(p.Ops, func(op format.Op) bool { return op.Kind == format.OpProtect })
		if l.Zeroes != nil && l.Zeroes.Of == i {
			p.Ops = append(p.Ops, format.Op{Kind: format.OpProtect, Prot: prot(l.Zeroes.Flags), Addr: l.Zeroes.Vaddr, Len: l.Zeroes.Memsz})
		}
		if protected {
			continue
		}
		for _, load := range in.Loads {
			end := load.Vaddr + load.Filesz
			if p.BSS {
				end = load.Vaddr + load.Memsz
			}
			if load.Flags&elf.PF_W == 0 || end == load.Vaddr {
				continue
			}
			op := format.Op{Kind: format.OpProtect, Prot: prot(load.Flags), Addr: floor(load.Vaddr) + p.Delta}
			op.Len = ceil(end) + p.Delta - op.Addr
			p.Ops = append([]format.Op{op}, p.Ops...)
		}
	}
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

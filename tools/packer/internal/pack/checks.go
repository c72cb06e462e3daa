package pack

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"slices"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// checkedData is how many bytes the launcher compares where data begins and ends: what
// no tool changes when it edits a dynamic section. Where a file begins it compares ELF header
// and program headers, which differ from level to level.
const checkedData = 16

const protWrite = 2 // PROT_WRITE of mmap(2)

// checks returns the Ops by which the boot code finds that a level's mapping is not of
// the level's file, or of less: damage in a program header, say. Code is left out, for
// debuggers write breakpoints to it.
func (f *File) checks(i int) ([]format.Op, error) {
	v, placed := f.variants[i], f.layout.Variants[i]
	var ops []format.Op
	// check compares the words between two offsets in the variant's file, the first of
	// which is mapped at addr.
	check := func(addr, from, to uint64, prot uint32) error {
		skip := -addr % 8
		if from += skip; to < from+8 {
			return nil
		}
		data := make([]byte, (to-from)&^7)
		if _, err := v.Reader().ReadAt(data, int64(from)); err != nil {
			return fmt.Errorf("%s: %w", v.Path, err)
		}
		ops = append(ops, format.Op{Kind: format.OpCheck, Prot: prot, Addr: addr + skip, Len: uint64(len(data)), From: format.SumWords(data)})
		return nil
	}
	for _, load := range f.layout.Loads {
		// The start of the file may be part of the highest level's mapping.
		from, end := max(load.Off, placed.Offset), load.Off+load.Filesz
		if load.Flags == 0 || from >= min(end, placed.Offset+uint64(v.Size)) {
			continue
		}
		length := uint64(checkedData)
		if from == placed.Offset {
			length = headersSize(v)
		} else if load.Flags&elf.PF_X != 0 {
			continue
		}
		offset := from - placed.Offset
		if err := check(load.Vaddr+from-load.Off-placed.Stage, offset, min(offset+length, end-placed.Offset), 0); err != nil {
			return nil, err
		}
	}
	for _, load := range v.Loads() {
		if load.Flags&elf.PF_X != 0 || !f.endsMapping(placed.Offset+load.Off+load.Filesz) {
			continue
		}
		// Zeroes would be there, too, if the kernel mapped less of the file.
		end, err := contentsEnd(v.Reader(), load)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Path, err)
		}
		end = min(align(end, 8), load.Off+load.Filesz)
		start := max(load.Off, end-min(end, checkedData))
		if err := check(load.Vaddr+start-load.Off+placed.Delta, start, end, uint32(load.Flags&elf.PF_W)); err != nil {
			return nil, err
		}
	}
	if zeroes := f.layout.Zeroes; zeroes != nil && zeroes.Of == i && zeroes.Flags&elf.PF_W != 0 {
		ops = append(ops, format.Op{Kind: format.OpCheck, Prot: protWrite, Addr: zeroes.Vaddr, Len: 8, From: format.SumWords(make([]byte, 8))})
	}
	return ops, nil
}

// endsMapping reports whether a PT_LOAD ends at an offset in the packed file.
func (f *File) endsMapping(offset uint64) bool {
	return slices.ContainsFunc(f.layout.Loads, func(l elf.ProgHeader) bool { return l.Flags != 0 && l.Off+l.Filesz == offset })
}

// contentsEnd returns the file offset behind the last byte of a segment that is not
// zero, or the segment's file offset.
func contentsEnd(r io.ReaderAt, load elf.ProgHeader) (uint64, error) {
	var buffer [format.PageSize]byte
	for end := load.Off + load.Filesz; end > load.Off; {
		start := max(load.Off, (end-1)&^(format.PageSize-1))
		data := buffer[:end-start]
		if _, err := r.ReadAt(data, int64(start)); err != nil {
			return 0, err
		}
		if data = bytes.TrimRight(data, "\x00"); len(data) > 0 {
			return start + uint64(len(data)), nil
		}
		end = start
	}
	return load.Off, nil
}

// headersSize returns how many bytes ELF header and program headers have, if they are
// together and less than what a check can compare; else what the ELF header has.
func headersSize(v *variant.Variant) uint64 {
	size := uint64(elfHeaderSize + len(v.ELF.Progs)*programHeaderSize)
	if v.Phoff != elfHeaderSize || size >= format.PageSize {
		return elfHeaderSize
	}
	return size
}

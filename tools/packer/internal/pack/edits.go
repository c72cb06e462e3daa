package pack

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// largestDynamic bounds the dynamic section and the string table that editChecks reads.
const largestDynamic = 64 << 20

// span is a range of a variant's addresses.
type span struct{ start, end uint64 }

// editChecks returns the Ops by which the boot code finds that a tool edited the
// libraries, search path or interpreter of a packed file. Tools find those of the lowest
// variant, v, alone, and where they make a section larger not even that has all of the edit:
// its own program headers do not lead to what the tool moved.
func editChecks(v *variant.Variant) ([]format.Op, error) {
	if v.Interp == "" {
		return nil, nil
	}
	var spans []span
	var ops []format.Op
	for _, p := range v.ELF.Progs {
		switch {
		case p.Type == elf.PT_INTERP:
			spans = append(spans, span{p.Vaddr, p.Vaddr + p.Filesz})
		case p.Type == elf.PT_DYNAMIC:
			size := p.Filesz &^ 15
			if p.Vaddr%8 != 0 || size == 0 || size >= format.PageSize || !inFile(v, span{p.Vaddr, p.Vaddr + size}) {
				continue
			}
			section := make([]byte, size)
			if err := readAt(v, section, p.Vaddr); err != nil {
				return nil, fmt.Errorf("the dynamic section: %w", err)
			}
			ops = append(ops, format.Op{Kind: format.OpDynamic, Addr: p.Vaddr, Len: size, From: format.SumDynamic(section)})
			spans = append(spans, names(v, section)...)
			spans = append(spans, versions(v)...)
		}
	}
	for _, s := range wholeWords(v, spans) {
		data := make([]byte, s.end-s.start)
		if err := readAt(v, data, s.start); err != nil {
			return nil, fmt.Errorf("the names in the dynamic section: %w", err)
		}
		ops = append(ops, format.Op{Kind: format.OpNames, Addr: s.start, Len: s.end - s.start, From: format.SumWords(data)})
	}
	return ops, nil
}

// names returns where the strings are that a dynamic section names libraries and
// search paths by.
func names(v *variant.Variant, section []byte) (spans []span) {
	table, size := uint64(0), uint64(0)
	var offsets []uint64
	for ; len(section) > 0; section = section[16:] {
		tag, value := binary.LittleEndian.Uint64(section), binary.LittleEndian.Uint64(section[8:])
		switch elf.DynTag(tag) {
		case elf.DT_STRTAB:
			table = value
		case elf.DT_STRSZ:
			size = value
		case elf.DT_NEEDED, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH:
			offsets = append(offsets, value)
		}
	}
	if size == 0 || size > largestDynamic || table+size < table || !inFile(v, span{table, table + size}) {
		return nil
	}
	text := make([]byte, size)
	if readAt(v, text, table) != nil {
		return nil
	}
	for _, offset := range offsets {
		if offset >= size {
			continue
		}
		length := bytes.IndexByte(text[offset:], 0)
		if length >= 0 {
			spans = append(spans, span{table + offset, table + offset + uint64(length) + 1})
		}
	}
	return spans
}

// versions returns where the versions of symbols are, which tools can clear, if they are
// small.
func versions(v *variant.Variant) (spans []span) {
	for _, s := range v.ELF.Sections {
		if (s.Type == elf.SHT_GNU_VERSYM || s.Type == elf.SHT_GNU_VERNEED) && s.Flags&elf.SHF_ALLOC != 0 &&
			s.Size > 0 && s.Size < format.PageSize && s.Addr+s.Size > s.Addr {
			spans = append(spans, span{s.Addr, s.Addr + s.Size})
		}
	}
	return spans
}

// wholeWords returns the spans in order, as ranges that an Op can check: whole words,
// less than a page, those together that are close to each other. It leaves out what the
// file does not have.
func wholeWords(v *variant.Variant, spans []span) (ranges []span) {
	const (
		close  = 64
		length = format.PageSize - 8
	)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	for _, s := range spans {
		s = span{s.start &^ 7, align(s.end, 8)}
		if !inFile(v, s) {
			continue
		}
		if n := len(ranges); n > 0 && s.start <= ranges[n-1].end+close {
			joined := span{ranges[n-1].start, max(s.end, ranges[n-1].end)}
			if joined.end-joined.start <= length && inFile(v, joined) {
				ranges[n-1] = joined
				continue
			}
			s.start = max(s.start, ranges[n-1].end)
		}
		for ; s.start < s.end; s.start += length {
			ranges = append(ranges, span{s.start, min(s.end, s.start+length)})
		}
	}
	return ranges
}

// inFile reports whether a segment of a variant has all of a span in the file.
func inFile(v *variant.Variant, s span) bool {
	return slices.ContainsFunc(v.Loads(), func(p elf.ProgHeader) bool {
		return s.start >= p.Vaddr && s.end >= s.start && s.end <= p.Vaddr+p.Filesz
	})
}

// readAt reads what a variant has at an address.
func readAt(v *variant.Variant, data []byte, addr uint64) error {
	for _, p := range v.Loads() {
		if addr >= p.Vaddr && addr-p.Vaddr <= p.Filesz && uint64(len(data)) <= p.Filesz-(addr-p.Vaddr) {
			_, err := v.Reader().ReadAt(data, int64(p.Off+addr-p.Vaddr))
			return err
		}
	}
	return fmt.Errorf("no segment has %#x bytes at %#x", len(data), addr)
}

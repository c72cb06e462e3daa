// Package strip leaves symbols and debug information out of executables, as
// strip does, without changing a byte of what is in memory but the ELF header.
package strip

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"

	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Mode says what is left out.
type Mode string

// The modes, named as what they strip.
const (
	None  Mode = "none"
	Debug Mode = "debug" // debug information, as strip -g
	All   Mode = "all"   // that and symbols, as strip
)

// String returns the mode.
func (m *Mode) String() string { return string(*m) }

// Set sets the mode.
func (m *Mode) Set(s string) error {
	switch mode := Mode(s); mode {
	case None, Debug, All:
		*m = mode
		return nil
	}
	return fmt.Errorf("%q: want all, debug or none", s)
}

// Variant returns an executable without what mode leaves out. The one given has
// to stay open.
func Variant(v *variant.Variant, mode Mode) (*variant.Variant, error) {
	if mode == None || mode == "" {
		return v, nil
	}
	r, size, err := stripped(v, mode)
	if err != nil {
		return nil, err
	}
	out, err := variant.Read(r, size, v.Level)
	if err != nil {
		return nil, fmt.Errorf("stripping it: %w", err)
	}
	out.Path = v.Path
	return out, nil
}

// stripped returns the file: all segments as they are, with another ELF header,
// and behind them the sections that are kept and a new section table.
func stripped(v *variant.Variant, mode Mode) (io.ReaderAt, int64, error) {
	end := uint64(0)
	for _, p := range v.ELF.Progs {
		if p.Type == elf.PT_LOAD {
			end = max(end, p.Off+p.Filesz)
		}
	}
	table := sections.New()
	index := map[uint32]uint32{}
	var tail bytes.Buffer
	for i, s := range v.ELF.Sections {
		h := s.SectionHeader
		symbols := mode == Debug && (s.Type == elf.SHT_SYMTAB || s.Type == elf.SHT_STRTAB && isNames(v.ELF, i))
		if i == 0 || s.Flags&elf.SHF_ALLOC == 0 && !symbols {
			continue
		}
		if s.Flags&elf.SHF_ALLOC == 0 {
			for (end+uint64(tail.Len()))%8 != 0 {
				tail.WriteByte(0)
			}
			h.Offset, h.Size = end+uint64(tail.Len()), s.FileSize
			if _, err := io.Copy(&tail, io.NewSectionReader(v.Reader(), int64(s.Offset), int64(s.FileSize))); err != nil {
				return nil, 0, fmt.Errorf("reading its section %s: %w", s.Name, err)
			}
		}
		index[uint32(i)] = uint32(table.Add(h))
	}
	for i := range table.Sections {
		s := &table.Sections[i]
		s.Link = index[s.Link]
		if s.Flags&elf.SHF_INFO_LINK != 0 {
			s.Info = index[s.Info]
		}
	}
	if err := renumber(table, index, tail.Bytes(), end); err != nil {
		return nil, 0, err
	}
	names, headers := table.Encode(end + uint64(tail.Len()))
	tail.Write(names)
	for (end+uint64(tail.Len()))%8 != 0 {
		tail.WriteByte(0)
	}
	head, err := header(v, end, end+uint64(tail.Len()), len(table.Sections))
	if err != nil {
		return nil, 0, err
	}
	tail.Write(headers)
	return &file{head: head, body: v.Reader(), end: int64(end), tail: tail.Bytes()}, int64(end) + int64(tail.Len()), nil
}

// isNames reports whether a section has the names of the symbol table.
func isNames(file *elf.File, i int) bool {
	for _, s := range file.Sections {
		if s.Type == elf.SHT_SYMTAB && int(s.Link) == i {
			return true
		}
	}
	return false
}

// renumber corrects the section indexes in the symbol table. Symbols of sections
// that are gone become absolute.
func renumber(table *sections.Table, index map[uint32]uint32, tail []byte, at uint64) error {
	const size, shndx = 24, 6 // Elf64_Sym, and st_shndx in it
	for _, s := range table.Sections {
		if s.Type != elf.SHT_SYMTAB || s.Flags&elf.SHF_ALLOC != 0 { // what is in memory stays as it is
			continue
		}
		if s.Size%size != 0 {
			return fmt.Errorf("its symbol table has %d bytes, want a multiple of %d", s.Size, size)
		}
		data := tail[s.Offset-at:][:s.Size]
		for ; len(data) > 0; data = data[size:] {
			section := binary.LittleEndian.Uint16(data[shndx:])
			if section == 0 || section >= uint16(elf.SHN_LORESERVE) {
				continue
			}
			to, kept := index[uint32(section)]
			if !kept {
				to = uint32(elf.SHN_ABS)
			}
			binary.LittleEndian.PutUint16(data[shndx:], uint16(to))
		}
	}
	return nil
}

// header returns the start of the file with a section table elsewhere, and
// zeroes where the old one was, if it was among the segments.
func header(v *variant.Variant, end, table uint64, count int) ([]byte, error) {
	var ehdr [64]byte
	if _, err := v.Reader().ReadAt(ehdr[:], 0); err != nil {
		return nil, fmt.Errorf("reading its ELF header: %w", err)
	}
	// e_shoff, e_shnum and e_shstrndx. Source: System V gABI, "ELF Header".
	old := binary.LittleEndian.Uint64(ehdr[40:])
	oldSize := uint64(len(v.ELF.Sections)) * sections.HeaderSize
	head := ehdr[:]
	const largest = 64 << 10
	if old >= 64 && old < end && old+oldSize <= largest {
		head = make([]byte, old+oldSize)
		if _, err := v.Reader().ReadAt(head, 0); err != nil {
			return nil, fmt.Errorf("reading its section headers: %w", err)
		}
		clear(head[old:])
	}
	binary.LittleEndian.PutUint64(head[40:], table)
	binary.LittleEndian.PutUint16(head[60:], uint16(count))
	binary.LittleEndian.PutUint16(head[62:], uint16(count-1))
	return head, nil
}

// file is a file in three parts.
type file struct {
	head []byte
	body io.ReaderAt
	end  int64 // of the body
	tail []byte
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := offset + int64(n)
		var part int
		switch {
		case at < int64(len(f.head)):
			part = copy(p[n:], f.head[at:])
		case at < f.end:
			if part, err = f.body.ReadAt(p[n:][:min(int64(len(p)-n), f.end-at)], at); err != nil {
				return n + part, err
			}
		case at-f.end < int64(len(f.tail)):
			part = copy(p[n:], f.tail[at-f.end:])
		default:
			return n, io.EOF
		}
		n += part
	}
	return n, nil
}

// Package sections makes the section table and the symbol table of a packed
// file.
//
// The lowest level's sections keep their names and types, so that tools take
// the file for an executable of that level. Those of other levels get the level
// as a suffix (.text.v3) and are plain PROGBITS; NOBITS ones are there when the
// kernel maps them. Every byte of a segment that is not zero is in some section,
// because strip and objcopy clear the others.
package sections

import (
	"debug/elf"
	"fmt"
	"io"
	"slices"
	"strings"

	"rules_go_multiarch/tools/packer/internal/layout"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Names of the sections that are the packed file's own.
const (
	BuildID       = ".note.gnu.build-id"
	LauncherCode  = ".text.launcher"
	LauncherTable = ".rodata.launcher"
	Manifest      = variant.ManifestSection
	SymbolTable   = ".symtab"
	StringTable   = ".strtab"
	NameTable     = ".shstrtab"
)

// gapPrefix begins the names of sections for what no section of the variant covers.
const gapPrefix = ".elf."

// ofOneVariant reports whether a section's name promises what holds for the
// variant but not for the packed file: a variant's build id, or that all code is
// made for IBT and shadow stacks, which the boot code is not.
func ofOneVariant(name string) bool { return name == BuildID || name == ".note.gnu.property" }

// misleads reports whether a section's name would have gdb look for an interpreter that
// the kernel has loaded: where no list of libraries says where that is, gdb takes it for
// loaded at 0, and a process that it attaches to cannot go on.
func misleads(v *variant.Variant, name string) bool { return name == ".interp" && !v.NeedsLibraries() }

// Table is a section table under construction. Its first entry is the null
// section.
type Table struct {
	Sections []elf.SectionHeader
}

// New returns a table with the null section alone.
func New() *Table { return &Table{Sections: make([]elf.SectionHeader, 1)} }

// Clone returns a table of the same sections.
func (t *Table) Clone() *Table { return &Table{Sections: slices.Clone(t.Sections)} }

// Add appends a section and returns its index.
func (t *Table) Add(s elf.SectionHeader) int {
	s.FileSize = s.Size
	t.Sections = append(t.Sections, s)
	return len(t.Sections) - 1
}

// Index maps section indexes of a variant to those of the packed file. A
// section that is left out has no entry.
type Index map[elf.SectionIndex]elf.SectionIndex

// AddVariant appends the sections that are in memory when the variant runs,
// and sections for what its own section table does not cover. The baseline
// variant is the one whose sections keep their names, and their types unless it
// is moved: what a moved .dynamic or .rela.dyn says of addresses is not true.
func (t *Table) AddVariant(v *variant.Variant, p layout.Placement, baseline bool) (Index, error) {
	index := Index{}
	added := len(t.Sections)
	for i, s := range v.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NULL {
			continue
		}
		h := s.SectionHeader
		h.Offset += p.Offset
		h.Addr += p.Delta + p.Stage
		rename := !baseline || ofOneVariant(h.Name) || misleads(v, h.Name)
		if !rename && p.Delta == 0 {
			index[elf.SectionIndex(i)] = elf.SectionIndex(t.Add(h))
			continue
		}
		if h.Type == elf.SHT_NOBITS && (!p.BSS || h.Flags&elf.SHF_TLS != 0) {
			continue
		}
		if rename {
			h.Name = suffixed(h.Name, v)
		}
		if h.Type != elf.SHT_NOBITS {
			h.Type = elf.SHT_PROGBITS
		}
		h.Flags &= elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR
		h.Link, h.Info, h.Entsize = 0, 0, 0
		index[elf.SectionIndex(i)] = elf.SectionIndex(t.Add(h))
	}
	for _, s := range t.Sections[added:] {
		if int(s.Link) >= len(v.ELF.Sections) {
			return nil, fmt.Errorf("section %q: linked to section %d of %d", s.Name, s.Link, len(v.ELF.Sections))
		}
	}
	for i := range t.Sections[added:] {
		s := &t.Sections[added+i]
		s.Link = uint32(index[elf.SectionIndex(s.Link)])
		if s.Flags&elf.SHF_INFO_LINK != 0 {
			s.Info = uint32(index[elf.SectionIndex(s.Info)])
		}
	}
	return index, t.addGaps(v, p, added)
}

// AddZeroes appends the sections of a segment without contents, and satisfies
// eu-elflint, which looks sections up in segments by file offset, and does not
// count NOBITS ones: an empty section shows that the segment is writable, and the
// lowest level's .bss, the only one here and which the boot code maps, gets the segment's file offset.
func (t *Table) AddZeroes(zeroes *layout.Zeroes, v *variant.Variant) {
	for i := range t.Sections {
		if s := &t.Sections[i]; s.Type == elf.SHT_NOBITS && s.Flags&elf.SHF_TLS == 0 && s.Size <= zeroes.Memsz {
			s.Offset = zeroes.Off
		}
	}
	flags := elf.SHF_ALLOC
	if zeroes.Flags&elf.PF_W != 0 {
		flags |= elf.SHF_WRITE
	}
	h := elf.SectionHeader{Name: suffixed(".zeroes", v), Type: elf.SHT_PROGBITS, Flags: flags, Addr: zeroes.Vaddr, Offset: zeroes.Off, Addralign: 1}
	t.Add(h)
	if zeroes.Of > 0 {
		h.Name, h.Type, h.Size = suffixed(".bss", v), elf.SHT_NOBITS, zeroes.Memsz
		t.Add(h)
	}
}

// AddReserved appends the section of a segment that keeps the place of .bss. strip drops
// segments without sections.
func (t *Table) AddReserved(place *layout.Zeroes, v *variant.Variant) {
	t.Add(elf.SectionHeader{
		Name: suffixed(".bss", v), Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE,
		Addr: place.Vaddr, Offset: place.Off, Size: place.Memsz, Addralign: 1,
	})
}

func suffixed(name string, v *variant.Variant) string {
	if strings.HasPrefix(name, ".rela") {
		return "." + v.Level.String() + name // eu-elflint wants relocations behind .rela
	}
	if !strings.HasPrefix(name, ".") {
		name = "." + name
	}
	return name + "." + v.Level.String()
}

// addGaps covers the parts of the variant's segments that are in none of the
// sections from index first on and are not all zero: first of all its ELF
// header and program headers.
func (t *Table) addGaps(v *variant.Variant, p layout.Placement, first int) error {
	covered := t.Sections[first:]
	for _, load := range v.Loads() {
		load.Vaddr += p.Delta + p.Stage
		at, end := load.Vaddr, load.Vaddr+load.Filesz
		for at < end {
			next := end
			inside := false
			for _, s := range covered {
				if s.Type == elf.SHT_NOBITS || s.Size == 0 || s.Addr+s.Size <= at || s.Addr >= end {
					continue
				}
				if s.Addr <= at {
					at, inside = s.Addr+s.Size, true
					break
				}
				next = min(next, s.Addr)
			}
			if inside {
				continue
			}
			zero, err := allZero(v.Reader(), int64(load.Off+at-load.Vaddr), int64(next-at))
			if err != nil {
				return err
			}
			if !zero {
				t.Add(elf.SectionHeader{
					Name: suffixed(fmt.Sprintf(gapPrefix+"%x", at-v.Low-p.Delta-p.Stage), v), Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC,
					Addr: at, Offset: p.Offset + load.Off + at - load.Vaddr, Size: next - at, Addralign: 1,
				})
			}
			at = next
		}
	}
	return nil
}

func allZero(r io.ReaderAt, offset, size int64) (bool, error) {
	var buffer [4096]byte
	for size > 0 {
		chunk := buffer[:min(size, int64(len(buffer)))]
		if _, err := r.ReadAt(chunk, offset); err != nil {
			return false, err
		}
		for _, b := range chunk {
			if b != 0 {
				return false, nil
			}
		}
		offset += int64(len(chunk))
		size -= int64(len(chunk))
	}
	return true, nil
}

// SortByAddress puts the sections with an address in ascending order, those that
// cover gaps behind the others, and returns the new index of each old one. So the
// lowest level's, which come first, have the numbers that its dynamic symbols say.
func (t *Table) SortByAddress() []elf.SectionIndex {
	return sortSections(t.Sections)
}

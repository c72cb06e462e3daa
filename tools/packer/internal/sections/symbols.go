package sections

import (
	"debug/elf"
	"encoding/binary"
	"errors"

	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/layout"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Symbols is a symbol table under construction: everything the baseline variant
// has, and the functions of the others. Functions are what profilers and
// debuggers look addresses up for; a second runtime.mheap_ would only make
// tools that look symbols up by name read another level's variables.
type Symbols struct {
	Names  []byte // contents of the string table
	locals []byte // entries, in file format
	global []byte
	count  uint32 // local entries, the null symbol included
	offset map[string]uint32
}

const symbolSize = 24 // Elf64_Sym

// NewSymbols returns a table with the null symbol alone.
func NewSymbols() *Symbols {
	return &Symbols{Names: []byte{0}, locals: make([]byte, symbolSize), count: 1, offset: map[string]uint32{"": 0}}
}

// AddVariant adds a variant's symbols; index says where its sections are. A
// variant that is moved into place by the boot code gets none: profilers are
// not told of the move, and its symbols would name another level's addresses.
func (s *Symbols) AddVariant(v *variant.Variant, p layout.Placement, index Index, baseline bool) error {
	if p.Stage != 0 {
		return nil
	}
	symbols, err := v.ELF.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, sym := range symbols {
		section := sym.Section
		if section < elf.SHN_LORESERVE {
			known := false
			if section, known = index[section]; !known {
				continue
			}
		}
		if !baseline && !IsFunction(sym) {
			continue
		}
		s.Add(sym.Name, sym.Info, sym.Other, section, sym.Value+p.Delta, sym.Size)
	}
	return nil
}

// IsFunction reports whether a symbol is a function. It leaves out the two functions-to-be by which tools find where all
// of a program's code begins and ends.
func IsFunction(sym elf.Symbol) bool {
	return elf.ST_TYPE(sym.Info) == elf.STT_FUNC && sym.Name != "runtime.text" && sym.Name != "runtime.etext"
}

// AddBoot adds the functions of the boot code, which stands at an address in
// the given section.
func (s *Symbols) AddBoot(code *bootcode.Code, addr uint64, section elf.SectionIndex) {
	for _, f := range code.Funcs {
		s.Add(f.Name, elf.ST_INFO(elf.STB_LOCAL, elf.STT_FUNC), byte(elf.STV_DEFAULT), section, addr+f.Start, f.End-f.Start)
	}
}

// Add adds a symbol.
func (s *Symbols) Add(name string, info, other byte, section elf.SectionIndex, value, size uint64) {
	at, known := s.offset[name]
	if !known {
		at = uint32(len(s.Names))
		s.offset[name] = at
		s.Names = append(append(s.Names, name...), 0)
	}
	list := &s.global
	if elf.ST_BIND(info) == elf.STB_LOCAL {
		list = &s.locals
		s.count++
	}
	entry := binary.LittleEndian.AppendUint32(*list, at)
	entry = append(entry, info, other)
	entry = binary.LittleEndian.AppendUint16(entry, uint16(section))
	entry = binary.LittleEndian.AppendUint64(entry, value)
	*list = binary.LittleEndian.AppendUint64(entry, size)
}

// Empty reports whether there is no symbol but the null one.
func (s *Symbols) Empty() bool { return s.count == 1 && len(s.global) == 0 }

// Entries returns the contents of the symbol table, local symbols first, and
// how many of those there are (sh_info).
func (s *Symbols) Entries() (entries []byte, locals uint32) {
	return append(s.locals, s.global...), s.count
}

package sections

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"

	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/layout"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Symbols is the symbol table of a packed file: everything the baseline variant
// has, and the functions of the others. Functions are what profilers and
// debuggers look addresses up for; a second runtime.mheap_ would only make
// tools that look symbols up by name read another level's variables.
//
// The string table is the baseline's, followed by what others add to it. Both
// tables are made while they are written and read anew for that, because they
// may be larger than memory.
type Symbols struct {
	sources []source
	boot    []bootFunction
	base    *names // of the baseline, or nil

	shared    map[nameKey]uint32 // where names of functions stand in the string table
	seeds     [2]maphash.Seed
	baseSize  int64
	namesSize int64 // of the string table; while walking, of what is known of it

	locals, globals uint32 // entries, without the null symbol
	empty           bool
}

// source is a variant's symbol table and what becomes of its symbols.
type source struct {
	path     string
	table    *symtab
	delta    uint64
	section  []elf.SectionIndex // by index in the variant; 0 for those left out
	baseline bool

	// expected is where the next name is likely to be in the baseline's string
	// table: linkers write the functions of all levels in the same order. It
	// spares most searches.
	expected uint32
}

type bootFunction struct {
	name string
	entry
}

// nameKey stands for a name. 128 bits of a hash with a random seed are never
// equal for two names.
type nameKey [2]uint64

// maxShared bounds the names that are known for sharing, and with them the
// memory that they take: about 12 MB. Further names are there once a level.
const maxShared = 1 << 18

// NewSymbols returns a table with the null symbol alone.
func NewSymbols() *Symbols {
	return &Symbols{shared: map[nameKey]uint32{}, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, baseSize: 1}
}

// AddVariant adds a variant's symbols; index says where its sections are. A
// variant that is moved into place by the boot code gets none: profilers are
// not told of the move, and its symbols would name another level's addresses.
func (s *Symbols) AddVariant(v *variant.Variant, p layout.Placement, index Index, baseline bool) error {
	if p.Stage != 0 {
		return nil
	}
	table, err := readSymtab(v)
	if err != nil || table == nil {
		return err
	}
	src := source{path: v.Path, table: table, delta: p.Delta, section: make([]elf.SectionIndex, len(v.ELF.Sections)), baseline: baseline}
	for from, to := range index {
		src.section[from] = to
	}
	s.sources = append(s.sources, src)
	if len(s.shared) == 0 {
		s.shared = make(map[nameKey]uint32, min(table.size/symbolSize, maxShared))
	}
	if !baseline {
		return nil
	}
	s.base = &table.names
	if s.baseSize, err = s.base.sizeInFile(); err != nil {
		return err
	}
	return table.each(func(e *entry) error {
		if !e.function() || len(s.shared) >= maxShared {
			return nil
		}
		name, err := table.names.at(e.name)
		if key := s.key(name); err == nil && len(name) > 0 {
			if _, known := s.shared[key]; !known {
				s.shared[key] = e.name
			}
		}
		return err
	})
}

// AddBoot adds the functions of the boot code, which stands at an address in
// the given section.
func (s *Symbols) AddBoot(code *bootcode.Code, addr uint64, section elf.SectionIndex) {
	for _, f := range code.Funcs {
		s.boot = append(s.boot, bootFunction{f.Name, entry{
			info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_FUNC), other: byte(elf.STV_DEFAULT),
			section: section, value: addr + f.Start, size: f.End - f.Start,
		}})
	}
}

// Plan counts the symbols. Call it after everything is added.
func (s *Symbols) Plan() error {
	s.locals, s.globals = 0, 0
	if err := s.walk(func(e *entry, _ []byte) error {
		if e.local() {
			s.locals++
		} else {
			s.globals++
		}
		return nil
	}); err != nil {
		return err
	}
	s.empty = s.locals == uint32(len(s.boot)) && s.globals == 0
	if s.namesSize > math.MaxUint32 {
		return fmt.Errorf("the names of all symbols have %d bytes, and %d is the most that a symbol table can refer to: strip the executables", s.namesSize, uint32(math.MaxUint32))
	}
	return nil
}

// Empty reports whether no variant has a symbol.
func (s *Symbols) Empty() bool { return s.empty }

// Locals returns how many local symbols there are (sh_info), the null symbol
// included.
func (s *Symbols) Locals() uint32 { return s.locals + 1 }

// Size returns the size of the symbol table in bytes.
func (s *Symbols) Size() uint64 { return symbolSize * (1 + uint64(s.locals) + uint64(s.globals)) }

// NamesSize returns the size of the string table in bytes.
func (s *Symbols) NamesSize() uint64 { return uint64(s.namesSize) }

// Write writes the symbol table, local symbols first.
func (s *Symbols) Write(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	buffer := make([]byte, symbolSize)
	if _, err := out.Write(buffer); err != nil {
		return err
	}
	if err := s.walk(func(e *entry, _ []byte) error {
		_, err := out.Write(e.append(buffer[:0]))
		return err
	}); err != nil {
		return err
	}
	return out.Flush()
}

// WriteNames writes the string table.
func (s *Symbols) WriteNames(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if s.base == nil {
		if err := out.WriteByte(0); err != nil {
			return err
		}
	} else if err := s.base.copyTo(out); err != nil {
		return err
	}
	if s.namesSize > s.baseSize {
		if err := s.walk(func(_ *entry, name []byte) error {
			if name == nil {
				return nil
			}
			out.Write(name)
			return out.WriteByte(0)
		}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// walk calls f for each symbol of the packed file in the order that they have in
// it. name is given where it is one that the string table does not have yet.
// Every walk comes to the same: later ones find in s.shared what the first one
// left there.
func (s *Symbols) walk(f func(e *entry, name []byte) error) error {
	s.namesSize = s.baseSize
	for i := range s.sources {
		s.sources[i].expected = 0
	}
	if err := s.walkSources(true, f); err != nil {
		return err
	}
	for i := range s.boot {
		e, name := s.boot[i].entry, []byte(s.boot[i].name)
		var added bool
		if e.name, added = s.search(name); !added {
			name = nil
		}
		if err := f(&e, name); err != nil {
			return err
		}
	}
	return s.walkSources(false, f)
}

func (s *Symbols) walkSources(local bool, f func(e *entry, name []byte) error) error {
	for i := range s.sources {
		src := &s.sources[i]
		var failed error // of f, which the path has nothing to do with
		if err := src.table.each(func(e *entry) error {
			if e.local() != local || !src.keeps(e) {
				return nil
			}
			var name []byte
			if src.baseline {
				if int64(e.name) >= src.table.names.size {
					e.name = 0
				}
			} else {
				own, err := src.table.names.at(e.name)
				if err != nil {
					return err
				}
				// By these two tools find where all of a program's code begins and ends.
				if string(own) == "runtime.text" || string(own) == "runtime.etext" {
					return nil
				}
				var added bool
				if e.name, added, err = s.place(src, own); err != nil {
					return err
				}
				if added {
					name = own
				}
			}
			failed = f(e, name)
			return failed
		}); failed != nil {
			return failed
		} else if err != nil {
			return fmt.Errorf("%s: reading its symbols: %w", src.path, unexpected(err))
		}
	}
	return nil
}

// keeps decides on a symbol, and makes section and value those in the packed
// file.
func (src *source) keeps(e *entry) bool {
	if !src.baseline && !e.function() {
		return false
	}
	if e.section < elf.SHN_LORESERVE {
		if int(e.section) >= len(src.section) || src.section[e.section] == 0 {
			return false
		}
		e.section = src.section[e.section]
	}
	e.value += src.delta
	return true
}

// place returns where a source's name stands in the string table, and whether it
// is new there.
func (s *Symbols) place(src *source, name []byte) (offset uint32, added bool, err error) {
	if s.base != nil && src.expected != 0 {
		at, err := s.base.at(src.expected)
		if err != nil {
			return 0, false, err
		}
		if len(name) > 0 && bytes.Equal(at, name) {
			offset = src.expected
			src.expected += uint32(len(name)) + 1
			return offset, false, nil
		}
	}
	offset, added = s.search(name)
	if int64(offset) < s.baseSize {
		src.expected = offset + uint32(len(name)) + 1
	}
	return offset, added, nil
}

// search does the same without expecting anything.
func (s *Symbols) search(name []byte) (offset uint32, added bool) {
	if len(name) == 0 {
		return 0, false
	}
	next := uint32(s.namesSize)
	key := s.key(name)
	if known, found := s.shared[key]; found && known != next {
		return known, false
	} else if !found && len(s.shared) < maxShared {
		s.shared[key] = next
	}
	s.namesSize += int64(len(name)) + 1
	return next, true
}

func (s *Symbols) key(name []byte) nameKey {
	return nameKey{maphash.Bytes(s.seeds[0], name), maphash.Bytes(s.seeds[1], name)}
}

// unexpected says of a file that got shorter what happened.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

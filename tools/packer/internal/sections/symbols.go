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
	"slices"

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
	base    *source // the baseline, or nil

	// shared says where names of functions stand in the string table. It is nil
	// until a name is not where it is expected.
	shared    map[nameKey]uint32
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
	spans    [2]span

	// distance is how far the next name is likely to be, in the baseline's string
	// table, from where it is in this one, modulo 2^32: linkers write the functions
	// of all levels in the same order. It spares most searches. In a part of both
	// that is the same it is known, and spares reading names one by one.
	distance uint32
	same     part
}

// part is a part of a string table that the baseline's has, too, at a distance.
// It ends where a name ends.
type part struct {
	from, to uint32
	distance uint32
}

// span is the local symbols of a variant, or the others. What the first reading
// finds out of it the later ones take from here: tables may have millions of
// symbols, but hardly a name that the baseline does not have.
type span struct {
	from, to int64 // offsets in the table of the first symbol and behind the last one
	kept     uint32

	// State when the span begins: namesSize, and distance of the source.
	namesSize int64
	distance  uint32

	added bool   // one of them has a name that the string table gets from it
	moves []move // ascending, or nil when there are more than maxMoves
}

// move says of the symbols from an offset in the table on, up to the next move,
// where their names are in the packed file's string table.
type move struct {
	at       int64
	distance uint32 // from where they were, modulo 2^32
	dropped  bool   // these symbols are left out
}

const maxMoves = 1 << 15

func (sp *span) addMove(m move) {
	if sp.moves == nil {
		return
	}
	if last := sp.moves[len(sp.moves)-1]; m.distance == last.distance && m.dropped == last.dropped {
		return
	}
	if sp.moves = append(sp.moves, m); len(sp.moves) > maxMoves {
		sp.moves = nil
	}
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
	return &Symbols{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, baseSize: 1}
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
	src := source{path: v.Path, table: table, delta: p.Delta, section: make([]elf.SectionIndex, len(v.ELF.Sections)), baseline: baseline, spans: [2]span{{from: symbolSize, to: table.locals}, {from: table.locals, to: table.size}}}
	for from, to := range index {
		src.section[from] = to
	}
	s.sources = append(s.sources, src)
	if !baseline {
		return nil
	}
	s.base = &source{path: v.Path, table: table}
	s.baseSize, err = table.names.sizeInFile()
	return err
}

// share gathers the names of the baseline's functions.
func (s *Symbols) share() error {
	if s.base == nil {
		s.shared = map[nameKey]uint32{}
		return nil
	}
	table := s.base.table
	s.shared = make(map[nameKey]uint32, min(table.size/symbolSize, maxShared))
	full := errors.New("full")
	if err := table.each(symbolSize, table.size, func(e *entry, _ int64) error {
		if !e.function() {
			return nil
		}
		name, err := table.names.at(e.name)
		if err != nil || len(name) == 0 {
			return err
		}
		key := s.key(name)
		if _, known := s.shared[key]; known {
			return nil
		}
		if len(s.shared) >= maxShared {
			return full
		}
		s.shared[key] = e.name
		return nil
	}); err != nil && err != full {
		return s.base.unreadable(err)
	}
	return nil
}

// AddBoot adds the functions of the boot code, which stands at an address in
// the given section.
func (s *Symbols) AddBoot(code *bootcode.Code, addr uint64, section elf.SectionIndex) {
	for _, f := range code.Funcs {
		s.boot = append(s.boot, bootFunction{name: f.Name, entry: entry{
			info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_FUNC), other: byte(elf.STV_DEFAULT),
			section: section, value: addr + f.Start, size: f.End - f.Start,
		}})
	}
}

// Plan counts the symbols. Call it after everything is added.
func (s *Symbols) Plan() error {
	s.namesSize = s.baseSize
	if err := s.inOrder(s.planSpan, s.planBoot); err != nil {
		return err
	}
	s.locals, s.globals = uint32(len(s.boot)), 0
	for _, src := range s.sources {
		s.locals += src.spans[0].kept
		s.globals += src.spans[1].kept
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

// inOrder visits all symbols in the order of the packed file.
func (s *Symbols) inOrder(visit func(*source, *span) error, boot func(*bootFunction) error) error {
	visitAll := func(kind int) error {
		for i := range s.sources {
			if err := visit(&s.sources[i], &s.sources[i].spans[kind]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := visitAll(0); err != nil {
		return err
	}
	for i := range s.boot {
		if err := boot(&s.boot[i]); err != nil {
			return err
		}
	}
	return visitAll(1)
}

// planBoot adds a name that no program has.
func (s *Symbols) planBoot(f *bootFunction) error {
	f.entry.name = uint32(s.namesSize)
	s.namesSize += int64(len(f.name)) + 1
	return nil
}

// planSpan reads a source's table for the first time.
func (s *Symbols) planSpan(src *source, sp *span) error {
	*sp = span{from: sp.from, to: sp.to, namesSize: s.namesSize, distance: src.distance, moves: []move{{}}}
	return s.resolve(src, sp, func(r *resolved) error {
		sp.addMove(move{r.at, r.name - r.own, r.dropped})
		if !r.dropped {
			sp.kept++
		}
		sp.added = sp.added || r.added != nil
		return nil
	})
}

// Write writes the symbol table, local symbols first.
func (s *Symbols) Write(w io.Writer) error {
	const full = 64 << 10
	buffer := make([]byte, symbolSize, full+symbolSize)
	write := func(e *entry) error {
		if buffer = e.append(buffer); len(buffer) < full {
			return nil
		}
		_, err := w.Write(buffer)
		buffer = buffer[:0]
		return err
	}
	if err := s.inOrder(func(src *source, sp *span) error {
		if sp.moves != nil {
			return src.rename(sp, write)
		}
		return s.resolve(src, sp, func(r *resolved) error {
			if r.dropped {
				return nil
			}
			return write(&r.entry)
		})
	}, func(f *bootFunction) error { return write(&f.entry) }); err != nil {
		return err
	}
	_, err := w.Write(buffer)
	return err
}

// WriteNames writes the string table.
func (s *Symbols) WriteNames(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	if s.base == nil {
		if err := out.WriteByte(0); err != nil {
			return err
		}
	} else if err := s.base.table.names.copyTo(out); err != nil {
		return err
	}
	write := func(name []byte) error {
		out.Write(name)
		return out.WriteByte(0)
	}
	if err := s.inOrder(func(src *source, sp *span) error {
		if !sp.added {
			return nil
		}
		return s.resolve(src, sp, func(r *resolved) error {
			if r.added == nil {
				return nil
			}
			return write(r.added)
		})
	}, func(f *bootFunction) error { return write([]byte(f.name)) }); err != nil {
		return err
	}
	return out.Flush()
}

// resolved is a symbol with section, value and name of the packed file.
type resolved struct {
	entry
	at      int64  // its offset in the variant's table
	own     uint32 // where its name is in the variant's string table
	added   []byte // the name, where the packed file's string table does not have it yet
	dropped bool   // it is left out
}

// resolve reads a span and calls f for each symbol whose section is kept. Every
// reading of a span comes to the same: later ones find in s.shared what the first
// one left there.
func (s *Symbols) resolve(src *source, sp *span, f func(*resolved) error) error {
	namesSize := s.namesSize
	defer func() { s.namesSize = max(s.namesSize, namesSize) }()
	s.namesSize, src.distance, src.same = sp.namesSize, sp.distance, part{}
	var r resolved
	return src.each(sp, func(e *entry, at int64) error {
		r = resolved{entry: *e, at: at, own: e.name}
		if src.baseline {
			if int64(r.name) >= src.table.names.size {
				r.name = 0
			}
			return f(&r)
		}
		if r.size > 0 && r.own >= src.same.from && r.own < src.same.to {
			r.name = r.own + src.same.distance
			return f(&r)
		}
		name, err := src.table.names.at(r.own)
		if err != nil {
			return src.unreadable(err)
		}
		if r.size == 0 && slices.Contains(leftOut, string(name)) {
			r.dropped = true
			return f(&r)
		}
		var isNew bool
		if r.name, isNew, err = s.place(src, r.own, name); err != nil {
			return err
		}
		if isNew {
			r.added = name
		}
		return f(&r)
	})
}

// rename calls f for each symbol of a span whose moves are known, and reads no
// names for that.
func (src *source) rename(sp *span, f func(*entry) error) error {
	moves := sp.moves
	return src.each(sp, func(e *entry, at int64) error {
		for len(moves) > 1 && moves[1].at <= at {
			moves = moves[1:]
		}
		if moves[0].dropped {
			return nil
		}
		e.name += moves[0].distance
		return f(e)
	})
}

// each calls f for the symbols of a span whose section is kept, with section and
// value of the packed file.
func (src *source) each(sp *span, f func(e *entry, at int64) error) error {
	var failed error // of f
	if err := src.table.each(sp.from, sp.to, func(e *entry, at int64) error {
		if src.keeps(e) {
			failed = f(e, at)
		}
		return failed
	}); failed == nil && err != nil {
		return src.unreadable(err)
	}
	return failed
}

func (src *source) unreadable(err error) error {
	if errors.Is(err, io.EOF) { // the file got shorter
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s: reading its symbols: %w", src.path, err)
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

// leftOut are names by which tools find where all of a program's code begins and
// ends. Their symbols have no size: names of others need not be read.
var leftOut = []string{"runtime.text", "runtime.etext"}

// place returns where a source's name stands in the string table, and whether it
// is new there.
func (s *Symbols) place(src *source, own uint32, name []byte) (offset uint32, added bool, err error) {
	if own == 0 { // the empty name
		return 0, false, nil
	}
	if expected := own + src.distance; s.base != nil && int64(expected) < s.base.table.names.size {
		found, err := s.base.table.names.has(expected, name)
		if err != nil {
			return 0, false, s.base.unreadable(err)
		}
		if found {
			src.same = s.samePart(src, own)
			return expected, false, nil
		}
	}
	if offset, added, err = s.search(name); err != nil || len(name) == 0 {
		return offset, added, err
	}
	if int64(offset) < s.baseSize {
		src.distance = offset - own
	} else {
		src.distance -= uint32(len(name)) + 1 // The baseline goes on with the next one.
	}
	// What is known of names must not depend on what was read before, and so not on an
	// earlier distance.
	src.same = part{}
	return offset, added, nil
}

// samePart returns what is the same from a name on, as far as both tables have
// been read.
func (s *Symbols) samePart(src *source, own uint32) part {
	a, b := src.table.names.rest(own), s.base.table.names.rest(own+src.distance)
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	if !bytes.Equal(a, b) {
		n = 0
		for a[n] == b[n] {
			n++
		}
	}
	return part{own, own + uint32(bytes.LastIndexByte(a[:n], 0)+1), src.distance}
}

// search does the same without expecting anything.
func (s *Symbols) search(name []byte) (offset uint32, added bool, err error) {
	if len(name) == 0 {
		return 0, false, nil
	}
	if s.shared == nil {
		if err := s.share(); err != nil {
			return 0, false, err
		}
	}
	next := uint32(s.namesSize)
	key := s.key(name)
	if known, found := s.shared[key]; found && known != next {
		return known, false, nil
	} else if !found && len(s.shared) < maxShared {
		s.shared[key] = next
	}
	s.namesSize += int64(len(name)) + 1
	return next, true, nil
}

func (s *Symbols) key(name []byte) nameKey {
	return nameKey{maphash.Bytes(s.seeds[0], name), maphash.Bytes(s.seeds[1], name)}
}

// Package companion makes the debug files of a packed file's levels.
//
// The levels share one file, but a debugger knows one set of variables, types
// and lines for a file, so each level has a companion of its own: a separate
// debug file of the packed file that describes this level alone. It has the
// packed file's headers and section table, without contents; a build id; the
// level's DWARF; the level's symbols and the functions of the others.
package companion

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Section is the name of the section that marks a companion: it holds the name
// of the level, a zero byte, and what gives the file its CRC-32.
const Section = ".gomultiarch.level"

// maxHeader bounds the start of a packed file: ELF header, program headers and
// build id lie in its first page.
const maxHeader = variant.PageSize

// ErrNoDWARF is the error of making a companion from an executable without debug
// information.
var ErrNoDWARF = errors.New("has no debug information (.debug_info)")

// Companion is a companion that can be written.
type Companion struct {
	header []byte
	debug  []part
	tail   []byte // symbols and section headers
	level  string
	sum    uint32
}

// part is a section of the level's executable.
type part struct {
	offset uint64
	data   io.Reader
}

// Found says by what debuggers find a companion.
type Found bool

// The ways to find a companion.
//
// What is found by the packed file's build id has to have it. Debuggers ask for no more
// than the CRC-32 of what is found by name; there it has one of its own, so that perf
// does not take it, for which build ids are all: it looks functions up in DWARF where
// there is some, then takes the lowest level's distance between addresses and file
// offsets for every level's, and so puts probes at places that are not the function.
const (
	ByName    Found = false
	ByBuildID Found = true
)

// New plans the companion of a level; source is its executable, with debug
// information, from inside the packed file or from before it was packed.
func New(file *packed.File, level packed.Level, source *variant.Variant, found Found) (*Companion, error) {
	if file.Layout() == packed.Remapped {
		return nil, errors.New("was packed with -remap: debuggers are not told that a level is moved into place; link the levels apart, or take one out with packer extract")
	}
	if source.ELF.Section(".debug_info") == nil {
		return nil, fmt.Errorf("%s: %w", source.Path, ErrNoDWARF)
	}
	// Position-independent executables but the lowest were moved when they were
	// packed.
	distance := level.Table.Low - source.Low
	if err := checkSame(file, source, distance); err != nil {
		return nil, fmt.Errorf("%s: %w", source.Path, err)
	}
	id, err := hex.DecodeString(file.Manifest.BuildID)
	if err != nil || len(id) < 4 {
		return nil, fmt.Errorf("build id %q: want at least 4 bytes", file.Manifest.BuildID)
	}
	c := &Companion{level: level.Level.String(), sum: debuglink.Sum(id)}
	table := sections.New()
	note, err := c.copyHeader(file, table)
	if err != nil {
		return nil, err
	}
	const head = 16 // of the note, with its name
	if found == ByName && len(note) > head {
		own := sha256.Sum256(append(id, c.level...))
		copy(note[head:], own[:])
	}
	at, err := c.addDWARF(file, source, table, distance)
	if err != nil {
		return nil, fmt.Errorf("%s: its debug information: %w", source.Path, err)
	}
	return c, c.finish(file, level, source, table, at)
}

// checkSame refuses an executable that is not what was packed: its sections in
// memory have to be those of the level. Its ELF header need not be, for strip
// changes it.
func checkSame(file *packed.File, source *variant.Variant, distance uint64) error {
	const size = 64 << 10
	theirs, ours := make([]byte, size), make([]byte, size)
	for _, s := range source.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		for at := uint64(0); at < s.Size; at += size {
			n := min(s.Size-at, size)
			if _, err := source.Reader().ReadAt(theirs[:n], int64(s.Offset+at)); err != nil {
				return fmt.Errorf("reading its section %s: %w", s.Name, err)
			}
			if err := file.ReadMemory(ours[:n], s.Addr+distance+at); err != nil || !bytes.Equal(ours[:n], theirs[:n]) {
				return fmt.Errorf("is not what was packed: its section %s differs from what %s has at %#x", s.Name, file.Path, s.Addr+distance+at)
			}
		}
	}
	return nil
}

// copyHeader takes over the start of the packed file and its section table. The
// program headers keep their file offsets, by which profilers find addresses,
// although what they point at is not here. The build id's note is returned.
func (c *Companion) copyHeader(file *packed.File, table *sections.Table) (note []byte, err error) {
	var noteAt, noteSize uint64
	end := uint64(64 + 56*len(file.ELF.Progs))
	for _, s := range file.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		h := s.SectionHeader
		h.Link, h.Info, h.Entsize = 0, 0, 0
		if h.Name == sections.BuildID {
			if h.Offset > maxHeader || h.Size > maxHeader {
				return nil, fmt.Errorf("its build id is at %#x with %#x bytes, want it to end at most at %#x", h.Offset, h.Size, maxHeader)
			}
			noteAt, noteSize = h.Offset, h.Size
			end = max(end, h.Offset+h.Size)
		} else {
			h.Type = elf.SHT_NOBITS
		}
		h.Flags &^= elf.SHF_INFO_LINK | elf.SHF_LINK_ORDER
		table.Add(h)
	}
	if end > maxHeader {
		return nil, fmt.Errorf("its headers and build id end at %#x, want at most %#x", end, maxHeader)
	}
	c.header = make([]byte, end)
	if _, err := file.ReadAt(c.header, 0); err != nil {
		return nil, fmt.Errorf("reading its headers: %w", err)
	}
	return c.header[noteAt : noteAt+noteSize], nil
}

// finish makes the symbols and the section table, behind file offset at.
func (c *Companion) finish(file *packed.File, level packed.Level, source *variant.Variant, table *sections.Table, at uint64) error {
	symbols, err := symbolsOf(file, level, source)
	if err != nil {
		return err
	}
	entries, locals := symbols.entries()
	var tail bytes.Buffer
	offset := func() uint64 { return at + uint64(tail.Len()) }
	pad := func() {
		for offset()%8 != 0 {
			tail.WriteByte(0)
		}
	}
	pad()
	names := uint32(len(table.Sections) + 1)
	table.Add(elf.SectionHeader{Name: sections.SymbolTable, Type: elf.SHT_SYMTAB, Offset: offset(), Size: uint64(len(entries)), Link: names, Info: locals, Addralign: 8, Entsize: 24})
	tail.Write(entries)
	table.Add(elf.SectionHeader{Name: sections.StringTable, Type: elf.SHT_STRTAB, Offset: offset(), Size: uint64(len(symbols.names)), Addralign: 1})
	tail.Write(symbols.names)

	// The mark is the last thing in the file, for its last bytes make up the
	// CRC-32. How long the rest is follows from the number of sections.
	mark := table.Add(elf.SectionHeader{Name: Section, Type: elf.SHT_PROGBITS, Size: uint64(len(c.level) + 1 + 4), Addralign: 1})
	nameOffset := offset()
	list, _ := table.Encode(nameOffset)
	tail.Write(list)
	pad()
	headers := offset()
	table.Sections[mark].Offset = headers + uint64(len(table.Sections)*sections.HeaderSize)
	table.Sections = table.Sections[:len(table.Sections)-1]
	_, encoded := table.Encode(nameOffset)
	tail.Write(encoded)
	c.tail = tail.Bytes()

	// e_shoff, e_shnum and e_shstrndx. Source: System V gABI, "ELF Header".
	binary.LittleEndian.PutUint64(c.header[40:], headers)
	binary.LittleEndian.PutUint16(c.header[60:], uint16(len(table.Sections)))
	binary.LittleEndian.PutUint16(c.header[62:], uint16(len(table.Sections)-1))
	return nil
}

// symbolsOf returns all symbols of the level, and the functions of the others:
// profilers look here before they look into the packed file.
func symbolsOf(file *packed.File, level packed.Level, source *variant.Variant) (*symbolTable, error) {
	symbols := newSymbolTable()
	distance := level.Table.Low - source.Low
	add := func(s elf.Symbol) {
		section := s.Section
		if section < elf.SHN_LORESERVE && section != elf.SHN_UNDEF {
			section = sectionAt(file, s.Value)
		}
		symbols.add(s.Name, s.Info, s.Other, section, s.Value, s.Size)
	}
	own, err := source.ELF.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("%s: reading its symbols: %w", source.Path, err)
	}
	for _, s := range own {
		if s.Section < elf.SHN_LORESERVE && s.Section != elf.SHN_UNDEF && elf.ST_TYPE(s.Info) != elf.STT_TLS {
			s.Value += distance
		}
		add(s)
	}
	all, err := file.ELF.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("reading its symbols: %w", err)
	}
	for _, s := range all {
		if (s.Value < level.Table.Low || s.Value >= level.Table.High) && isFunction(s) {
			add(s)
		}
	}
	return symbols, nil
}

// sectionAt returns the companion's section at an address: the packed file's
// sections in memory, in their order, come first.
func sectionAt(file *packed.File, addr uint64) elf.SectionIndex {
	index, found := elf.SectionIndex(0), elf.SHN_ABS
	for _, s := range file.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		index++
		// runtime.etext and its like stand at the end of a section.
		if addr >= s.Addr && addr <= s.Addr+s.Size {
			found = index
		}
	}
	return found
}

// Write writes the companion.
func (c *Companion) Write(w io.Writer) error {
	sum := crc32.NewIEEE()
	out := &counter{w: io.MultiWriter(w, sum)}
	out.Write(c.header)
	for _, p := range c.debug {
		out.padTo(p.offset)
		if _, err := io.Copy(out, p.data); err != nil {
			return err
		}
	}
	out.Write(c.tail)
	out.Write(append([]byte(c.level), 0))
	out.Write(debuglink.Complete(sum.Sum32(), c.sum))
	return out.err
}

// counter counts what is written and keeps the first error.
type counter struct {
	w   io.Writer
	at  uint64
	err error
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(p)
	c.at += uint64(n)
	c.err = err
	return n, err
}

func (c *counter) padTo(offset uint64) {
	if offset > c.at {
		c.Write(make([]byte, offset-c.at))
	}
}

// Level returns the level that a file is a companion for, or nothing.
func Level(file *elf.File) string {
	section := file.Section(Section)
	if section == nil || section.FileSize > 16 {
		return ""
	}
	data, err := section.Data()
	if err != nil {
		return ""
	}
	level, _, _ := strings.Cut(string(data), "\x00")
	return level
}

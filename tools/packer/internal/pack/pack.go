// Package pack writes packed files.
package pack

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/layout"
	"rules_go_multiarch/tools/packer/internal/manifest"
	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Options are the choices of a packed file.
type Options struct {
	Launcher      *bootcode.Code
	NoEnvironment bool // the launcher reads no environment variables
	Remap         bool // variants may overlap; the one that is picked is moved into place

	// Isolate makes the launcher always unmap the data of levels that it does not
	// start, for debuggers. It takes some microseconds of every start.
	Isolate bool

	// DebugLink is the name of the debug file that debuggers look for, or empty
	// for the one that goes by the build id.
	DebugLink string
}

// File is a packed file that is planned down to the byte and can be written.
type File struct {
	Manifest *manifest.Manifest // after Wait or Write

	variants []*variant.Variant
	layout   *layout.Layout
	symbols  func() error // waits until they are planned
	wait     func() error

	// After Wait. After symbols they have digests of zeroes, and all else is as it
	// will be.
	start []byte // ELF header, program headers, build id; in the next page, boot code and launcher table
	tail  *tail  // manifest, symbols and section headers
}

// New plans a packed file of the variants, one a level. The bytes depend on
// the arguments alone. Errors begin with the path of the variant they are
// about, if they are about one.
//
// Most of the work of packing is begun but not waited for: hashing the variants,
// and going through their symbols.
func New(ctx context.Context, variants []*variant.Variant, options Options) (*File, error) {
	f := &File{variants: slices.Clone(variants)}
	slices.SortFunc(f.variants, func(a, b *variant.Variant) int { return int(a.Level - b.Level) })
	if err := f.checkLevels(); err != nil {
		return nil, err
	}
	if err := f.checkStacks(); err != nil {
		return nil, err
	}
	hashing := newDigester(ctx, f.variants)
	p, err := f.plan(options)
	if overlap := (*layout.OverlapError)(nil); errors.As(err, &overlap) {
		// Twice the same executable is the likelier reason.
		for range f.variants {
			go hashing.work()
		}
		if _, identical := hashing.wait(); identical != nil {
			return nil, identical
		}
	}
	if err != nil {
		return nil, err
	}
	// One processor begins with the symbols, which nobody else can help with.
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		go hashing.work()
	}
	symbols := make(chan error, 1)
	go func() {
		symbols <- f.planSymbols(p, options.Launcher)
		hashing.work()
	}()
	f.symbols = sync.OnceValue(func() error {
		if err := <-symbols; err != nil {
			return err
		}
		return f.build(p, options, make([][sha256.Size]byte, len(f.variants)))
	})
	f.wait = sync.OnceValue(func() error {
		digests, err := hashing.wait()
		if failed := f.symbols(); err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
		return f.build(p, options, digests)
	})
	return f, nil
}

// Wait waits for what New began. It fails when two variants are the same, or when
// the symbols of one cannot be read.
func (f *File) Wait() error { return f.wait() }

func (f *File) inputs() []layout.Input {
	var inputs []layout.Input
	for _, v := range f.variants {
		inputs = append(inputs, layout.Input{
			Level: v.Level, Size: uint64(v.Size), PIE: v.PIE, Interp: v.Interp != "", Loads: v.Loads(), Linker: v.Linker(), Constant: constantEnd(v),
		})
	}
	return inputs
}

// constantEnd returns the address behind a variant's PT_GNU_RELRO and PT_DYNAMIC, or 0.
func constantEnd(v *variant.Variant) uint64 {
	end := uint64(0)
	for _, p := range v.ELF.Progs {
		if p.Type == elf.PT_GNU_RELRO || p.Type == elf.PT_DYNAMIC {
			end = max(end, p.Vaddr+p.Memsz)
		}
	}
	return end
}

// checkLevels refuses two variants of one level.
func (f *File) checkLevels() error {
	if len(f.variants) == 0 {
		return fmt.Errorf("no variants: want at least one")
	}
	for i, v := range f.variants[1:] {
		if other := f.variants[i]; other.Level == v.Level {
			return fmt.Errorf("%s: given as %v, which %s is already", v.Path, v.Level, other.Path)
		}
	}
	return nil
}

// plan is what is known of a packed file before its variants are read.
type plan struct {
	table        format.Table
	tableOffset  uint64 // in the launcher
	encoded      []byte // the table
	launcherSize uint64
	programs     []elf.ProgHeader
	sections     *sections.Table // without those of the tail
	indexes      []sections.Index
	boot         elf.SectionIndex
	symbols      *sections.Symbols // after planSymbols
}

func (p *plan) noteOffset() uint64 { return uint64(elfHeaderSize + len(p.programs)*programHeaderSize) }

// plan lays out the file.
func (f *File) plan(options Options) (*plan, error) {
	code := options.Launcher
	p := &plan{tableOffset: align(uint64(len(code.Bytes)), 64)}
	// The layout has to know the size of the launcher table, which has the
	// layout's operations in it.
	for p.launcherSize = p.tableOffset; ; {
		var err error
		if f.layout, err = layout.Plan(f.inputs(), p.launcherSize, options.Remap); err != nil {
			return nil, err
		}
		if p.table, err = f.table(options); err != nil {
			return nil, err
		}
		if p.encoded, err = format.Encode(p.table); err != nil {
			return nil, err
		}
		size := p.tableOffset + uint64(len(p.encoded))
		if size == p.launcherSize {
			break
		}
		p.launcherSize = size
	}
	p.programs = f.programs()
	if most := (format.PageSize - elfHeaderSize - noteSize) / programHeaderSize; len(p.programs) > most {
		return nil, fmt.Errorf("%d program headers: at most %d fit in the header page", len(p.programs), most)
	}
	return p, f.planSections(p, code)
}

// table returns the launcher table, but for the file's size.
func (f *File) table(options Options) (format.Table, error) {
	table := format.Table{
		Boot:          f.layout.LauncherAddr(),
		Entry:         f.layout.LauncherAddr() + options.Launcher.Entry,
		NoEnvironment: options.NoEnvironment,
		Isolate:       options.Isolate,
		Charged:       f.layout.Charged,
		// The packed file's symbol table has the data of this level alone.
		HideLowest:  f.variants[0].ELF.SectionByType(elf.SHT_SYMTAB) != nil,
		HideHighest: f.layout.ChargedHighest,
		Movable:     f.layout.PIE,
	}
	var err error
	if table.Debug, err = f.debugWord(); err != nil {
		return format.Table{}, err
	}
	for i, v := range f.variants {
		placed := f.layout.Variants[i]
		checks, err := f.checks(i)
		if err != nil {
			return format.Table{}, err
		}
		if i == 0 {
			edits, err := editChecks(v)
			if err != nil {
				return format.Table{}, fmt.Errorf("%s: %w", v.Path, err)
			}
			checks = append(checks, edits...)
		}
		table.Variants = append(table.Variants, format.Variant{Ops: slices.Concat(placed.Ops, checks), InterpPath: v.Interp, Level: format.Level{
			Level: uint32(v.Level),
			Phnum: uint32(len(v.ELF.Progs)), Phdr: v.Phdr + placed.Delta, Entry: v.ELF.Entry + placed.Delta,
			Low: placed.Low, High: placed.High, Mapped: v.Low + placed.Delta + placed.Stage, Unused: v.High - v.Low,
			Data: placed.Data, DataLen: placed.DataLen,
			Offset: placed.Offset, Size: uint64(v.Size),
		}})
	}
	return table, nil
}

// debugWord returns the address of the value of DT_DEBUG in the lowest level's dynamic
// section, which is the packed file's, or 0: where that is not what debuggers look at
// when another level runs in its place, or there is none that can be written to.
func (f *File) debugWord() (uint64, error) {
	v := f.variants[0]
	for i := range f.layout.Variants {
		if v.Interp == "" || f.layout.Variants[i].Stage != 0 {
			return 0, nil
		}
	}
	for _, dynamic := range v.ELF.Progs {
		if dynamic.Type != elf.PT_DYNAMIC || dynamic.Vaddr%8 != 0 || !writable(v, dynamic.Vaddr, dynamic.Filesz) {
			continue
		}
		r := io.NewSectionReader(v.Reader(), int64(dynamic.Off), int64(dynamic.Filesz))
		for at := dynamic.Vaddr; ; at += 16 {
			var entry elf.Dyn64
			err := binary.Read(r, binary.LittleEndian, &entry)
			switch {
			case err == io.EOF || err == io.ErrUnexpectedEOF || entry.Tag == int64(elf.DT_NULL):
				return 0, nil
			case err != nil:
				return 0, fmt.Errorf("%s: %w", v.Path, err)
			case entry.Tag == int64(elf.DT_DEBUG):
				return at + 8, nil
			}
		}
	}
	return 0, nil
}

// writable reports whether addresses are in a segment that can be written to, and
// in its part of the file.
func writable(v *variant.Variant, addr, size uint64) bool {
	for _, p := range v.Loads() {
		if p.Flags&elf.PF_W != 0 && addr >= p.Vaddr && size <= p.Filesz && addr-p.Vaddr <= p.Filesz-size {
			return true
		}
	}
	return false
}

// build makes every part of the file that is not a variant.
func (f *File) build(p *plan, options Options, digests [][sha256.Size]byte) error {
	code := options.Launcher
	f.Manifest = f.describe(digests, code, p.launcherSize)
	id := f.buildID(p.encoded, p.programs)
	f.Manifest.BuildID = hex.EncodeToString(id)
	f.tail = &tail{start: f.layout.End, end: f.layout.End}
	if err := f.buildTail(p, p.sections.Clone(), options.DebugLink, id); err != nil {
		return err
	}

	p.table.FileSize = f.tail.end
	encoded, err := format.Encode(p.table)
	if err != nil {
		return err
	}
	f.start = make([]byte, layout.LauncherOffset+p.launcherSize)
	copy(f.start, f.headerPage(p.programs, buildIDNote(id), p.table.Entry, f.tail))
	launcher := f.start[layout.LauncherOffset:]
	copy(launcher, code.WithTable(p.tableOffset, uint64(len(encoded))))
	copy(launcher[p.tableOffset:], encoded)
	return nil
}

func (f *File) describe(digests [][sha256.Size]byte, code *bootcode.Code, launcherSize uint64) *manifest.Manifest {
	m := &manifest.Manifest{Format: manifest.Format}
	for i, v := range f.variants {
		p := f.layout.Variants[i]
		m.Levels = append(m.Levels, manifest.Level{
			Level: v.Level.String(), Offset: p.Offset, Size: v.Size, SHA256: hex.EncodeToString(digests[i][:]),
			Address: v.Low + p.Delta, End: v.High + p.Delta, Entry: v.ELF.Entry + p.Delta,
		})
	}
	digest := sha256.Sum256(code.Bytes)
	m.Boot = manifest.Launcher{
		Offset: layout.LauncherOffset, Size: launcherSize, Address: f.layout.LauncherAddr(),
		SHA256: hex.EncodeToString(digest[:]),
	}
	for _, f := range code.Funcs {
		m.Boot.Functions = append(m.Boot.Functions, manifest.Function{Name: f.Name, Start: f.Start, End: f.End})
	}
	return m
}

// buildID returns the packed file's own build id: a packed file is not its
// baseline variant, and tools that cache by build id would mix them up.
func (f *File) buildID(table []byte, programs []elf.ProgHeader) []byte {
	hash := sha256.New()
	described, _ := f.Manifest.Encode()
	hash.Write(described)
	hash.Write(table)
	binary.Write(hash, binary.LittleEndian, programs)
	return hash.Sum(nil)[:buildIDSize]
}

// planSections makes the sections of what is in memory.
func (f *File) planSections(p *plan, code *bootcode.Code) error {
	table := sections.New()
	p.sections = table
	table.Add(elf.SectionHeader{
		Name: sections.BuildID, Type: elf.SHT_NOTE, Flags: elf.SHF_ALLOC,
		Addr: f.layout.HeaderAddr + p.noteOffset(), Offset: p.noteOffset(), Size: noteSize, Addralign: 4,
	})
	for i, v := range f.variants {
		index, err := table.AddVariant(v, f.layout.Variants[i], i == 0)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Path, err)
		}
		p.indexes = append(p.indexes, index)
	}
	if zeroes := f.layout.Zeroes; zeroes != nil {
		table.AddZeroes(zeroes, f.variants[zeroes.Of])
	}
	for i := range f.layout.Reserved {
		table.AddReserved(&f.layout.Reserved[i], f.variants[f.layout.Reserved[i].Of])
	}
	bootSection := table.Add(elf.SectionHeader{
		Name: sections.LauncherCode, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR,
		Addr: f.layout.LauncherAddr(), Offset: layout.LauncherOffset, Size: p.tableOffset, Addralign: bootcode.Align,
	})
	table.Add(elf.SectionHeader{
		Name: sections.LauncherTable, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC,
		Addr: f.layout.LauncherAddr() + p.tableOffset, Offset: layout.LauncherOffset + p.tableOffset, Size: uint64(len(p.encoded)), Addralign: 8,
	})
	if own := 4; len(table.Sections)+own > variant.MaxSections {
		return fmt.Errorf("%d sections in all variants together: want at most %d", len(table.Sections), variant.MaxSections-own)
	}
	moved := table.SortByAddress()
	p.boot = moved[bootSection]
	for _, index := range p.indexes {
		for from, to := range index {
			index[from] = moved[to]
		}
	}
	return nil
}

// planSymbols goes through all symbols.
func (f *File) planSymbols(p *plan, code *bootcode.Code) error {
	p.symbols = sections.NewSymbols()
	for i, v := range f.variants {
		if err := p.symbols.AddVariant(v, f.layout.Variants[i], p.indexes[i], i == 0); err != nil {
			return fmt.Errorf("%s: its symbol table: %w", v.Path, err)
		}
	}
	p.symbols.AddBoot(code, f.layout.LauncherAddr(), p.boot)
	return p.symbols.Plan()
}

// buildTail appends what is not in memory when the file runs.
func (f *File) buildTail(p *plan, table *sections.Table, link string, id []byte) error {
	tail := f.tail
	described, err := f.Manifest.Encode()
	if err != nil {
		return err
	}
	tail.add(table, elf.SectionHeader{Name: sections.Manifest, Type: elf.SHT_PROGBITS, Addralign: 8}, described)
	if link == "" {
		link = debuglink.Name(f.Manifest.BuildID)
	}
	tail.add(table, elf.SectionHeader{Name: debuglink.Section, Type: elf.SHT_PROGBITS, Addralign: 4}, debuglink.Encode(link, debuglink.Sum(id)))
	if symbols := p.symbols; !symbols.Empty() {
		names := uint32(len(table.Sections) + 1)
		tail.addMade(table, elf.SectionHeader{
			Name: sections.SymbolTable, Type: elf.SHT_SYMTAB, Link: names, Info: symbols.Locals(), Addralign: 8, Entsize: 24, Size: symbols.Size(),
		}, symbols.Write)
		tail.addMade(table, elf.SectionHeader{Name: sections.StringTable, Type: elf.SHT_STRTAB, Addralign: 1, Size: symbols.NamesSize()}, symbols.WriteNames)
	}
	tail.addSectionTable(table)
	return nil
}

// Write writes the packed file. When w is an io.WriterAt, whose offset 0 is where
// Write begins, variants and symbols are copied while Wait would wait.
func (f *File) Write(w io.Writer) error {
	out := &padder{w: w}
	file, early := w.(io.WriterAt)
	if !early {
		if err := f.Wait(); err != nil {
			return err
		}
		if err := out.bytesAt(0, f.start); err != nil {
			return err
		}
	}
	for i := len(f.variants) - 1; i >= 0; i-- {
		v := f.variants[i]
		if err := out.padTo(f.layout.Variants[i].Offset); err != nil {
			return err
		}
		if err := v.CopyTo(w); err != nil {
			return fmt.Errorf("%s: %w", v.Path, err)
		}
		out.at += uint64(v.Size)
	}
	if err := f.symbols(); err != nil {
		return err
	}
	if err := out.padTo(f.tail.start); err != nil {
		return err
	}
	if err := f.tail.write(out); err != nil || !early {
		return err
	}
	if err := f.Wait(); err != nil {
		return err
	}
	if err := f.tail.rewrite(file); err != nil {
		return err
	}
	_, err := file.WriteAt(f.start, 0)
	return err
}

// Size returns how many bytes Write writes. Before Wait or Write, what comes behind
// the variants, symbols above all, is not counted.
func (f *File) Size() int64 {
	if f.tail == nil {
		return int64(f.layout.End)
	}
	return int64(f.tail.end)
}

// Package pack writes packed files.
package pack

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
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

	// Isolate makes the launcher unmap the data of levels that it does not start,
	// for debuggers. It takes some microseconds of every start.
	Isolate bool

	// DebugLink is the name of the debug file that debuggers look for, or empty
	// for the one that goes by the build id.
	DebugLink string
}

// File is a packed file that is planned down to the byte and can be written.
type File struct {
	Manifest *manifest.Manifest

	variants []*variant.Variant
	layout   *layout.Layout
	header   []byte // first page: ELF header, program headers, build id
	launcher []byte // boot code and launcher table
	tail     *tail  // manifest, symbols and section headers
}

// New plans a packed file of the variants, one a level. The bytes depend on
// the arguments alone. Errors begin with the path of the variant they are
// about, if they are about one.
func New(ctx context.Context, variants []*variant.Variant, options Options) (*File, error) {
	f := &File{variants: slices.Clone(variants)}
	slices.SortFunc(f.variants, func(a, b *variant.Variant) int { return int(a.Level - b.Level) })
	digests, err := f.checkDistinct(ctx)
	if err != nil {
		return nil, err
	}
	if f.layout, err = layout.Plan(f.inputs(), options.Remap); err != nil {
		return nil, err
	}
	if options.Isolate {
		f.layout.Isolate(f.inputs())
	}
	if err := f.build(options, digests); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) inputs() []layout.Input {
	var inputs []layout.Input
	for _, v := range f.variants {
		inputs = append(inputs, layout.Input{Level: v.Level, Size: uint64(v.Size), PIE: v.PIE, Loads: v.Loads()})
	}
	return inputs
}

// checkDistinct returns the variants' digests.
func (f *File) checkDistinct(ctx context.Context) ([][sha256.Size]byte, error) {
	if len(f.variants) == 0 {
		return nil, fmt.Errorf("no variants: want at least one")
	}
	digests, err := f.digests(ctx)
	if err != nil {
		return nil, err
	}
	for i, v := range f.variants {
		for j, other := range f.variants[:i] {
			if other.Level == v.Level {
				return nil, fmt.Errorf("%s: given as %v, which %s is already", v.Path, v.Level, other.Path)
			}
			if digests[j] == digests[i] {
				return nil, fmt.Errorf("%s: given as %v, but byte-identical to %s, given as %v: each level needs its own build", v.Path, v.Level, other.Path, other.Level)
			}
		}
	}
	return digests, nil
}

// digests hashes all variants at once: that is most of the work of packing.
func (f *File) digests(ctx context.Context) ([][sha256.Size]byte, error) {
	digests := make([][sha256.Size]byte, len(f.variants))
	errs := make([]error, len(f.variants))
	var all sync.WaitGroup
	for i, v := range f.variants {
		all.Add(1)
		go func() {
			defer all.Done()
			if digests[i], errs[i] = v.Digest(ctx); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", v.Path, errs[i])
			}
		}()
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return digests, nil
}

// build makes every part of the file that is not a variant.
func (f *File) build(options Options, digests [][sha256.Size]byte) error {
	code := options.Launcher
	tableOffset := align(uint64(len(code.Bytes)), 64)
	entry := f.layout.LauncherAddr + code.Entry

	table := format.Table{Entry: entry, NoEnvironment: options.NoEnvironment, Isolate: options.Isolate}
	for i, v := range f.variants {
		p := f.layout.Variants[i]
		table.Variants = append(table.Variants, format.Variant{Ops: p.Ops, InterpPath: v.Interp, Level: format.Level{
			Level: uint32(v.Level),
			Phnum: uint32(len(v.ELF.Progs)), Phdr: v.Phdr + p.Delta, Entry: v.ELF.Entry + p.Delta,
			Low: p.Low, High: p.High, Mapped: v.Low + p.Delta + p.Stage, Unused: v.High - v.Low,
			Offset: p.Offset, Size: uint64(v.Size),
		}})
	}
	encoded, err := format.Encode(table)
	if err != nil {
		return err
	}
	launcherSize := tableOffset + uint64(len(encoded))

	f.Manifest = f.describe(digests, code, launcherSize)
	programs := f.programs(launcherSize)
	id := f.buildID(encoded, programs)
	f.Manifest.BuildID = hex.EncodeToString(id)

	f.tail = &tail{end: f.layout.LauncherOffset + launcherSize}
	noteOffset := uint64(elfHeaderSize + len(programs)*programHeaderSize)
	if err := f.buildTail(f.tail, options, id, noteOffset, tableOffset, uint64(len(encoded))); err != nil {
		return err
	}

	table.FileSize = f.tail.end
	if encoded, err = format.Encode(table); err != nil {
		return err
	}
	f.launcher = make([]byte, launcherSize)
	copy(f.launcher, code.WithTable(tableOffset, uint64(len(encoded))))
	copy(f.launcher[tableOffset:], encoded)

	f.header = f.headerPage(programs, buildIDNote(id), entry, f.tail)
	if len(f.header) > format.PageSize {
		return fmt.Errorf("%d program headers: at most %d fit in the header page", len(programs), (format.PageSize-elfHeaderSize-36)/programHeaderSize)
	}
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
		Offset: f.layout.LauncherOffset, Size: launcherSize, Address: f.layout.LauncherAddr,
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

// buildTail appends what is not in memory when the file runs.
func (f *File) buildTail(tail *tail, options Options, id []byte, noteOffset, tableOffset, tableSize uint64) error {
	code, table := options.Launcher, sections.New()
	table.Add(elf.SectionHeader{
		Name: sections.BuildID, Type: elf.SHT_NOTE, Flags: elf.SHF_ALLOC,
		Addr: f.layout.HeaderAddr + noteOffset, Offset: noteOffset, Size: noteSize, Addralign: 4,
	})
	var indexes []sections.Index
	for i, v := range f.variants {
		index, err := table.AddVariant(v, f.layout.Variants[i], i == 0)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Path, err)
		}
		indexes = append(indexes, index)
	}
	bootSection := table.Add(elf.SectionHeader{
		Name: sections.LauncherCode, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR,
		Addr: f.layout.LauncherAddr, Offset: f.layout.LauncherOffset, Size: tableOffset, Addralign: bootcode.Align,
	})
	table.Add(elf.SectionHeader{
		Name: sections.LauncherTable, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC,
		Addr: f.layout.LauncherAddr + tableOffset, Offset: f.layout.LauncherOffset + tableOffset, Size: tableSize, Addralign: 8,
	})
	if own := 4; len(table.Sections)+own > variant.MaxSections {
		return fmt.Errorf("%d sections in all variants together: want at most %d", len(table.Sections), variant.MaxSections-own)
	}
	moved := table.SortByAddress()

	symbols := sections.NewSymbols()
	for i, v := range f.variants {
		for from, to := range indexes[i] {
			indexes[i][from] = moved[to]
		}
		if err := symbols.AddVariant(v, f.layout.Variants[i], indexes[i], i == 0); err != nil {
			return fmt.Errorf("%s: its symbol table: %w", v.Path, err)
		}
	}
	symbols.AddBoot(code, f.layout.LauncherAddr, moved[bootSection])
	if err := symbols.Plan(); err != nil {
		return err
	}

	described, err := f.Manifest.Encode()
	if err != nil {
		return err
	}
	tail.add(table, elf.SectionHeader{Name: sections.Manifest, Type: elf.SHT_PROGBITS, Addralign: 8}, described)
	link := options.DebugLink
	if link == "" {
		link = debuglink.Name(f.Manifest.BuildID)
	}
	tail.add(table, elf.SectionHeader{Name: debuglink.Section, Type: elf.SHT_PROGBITS, Addralign: 4}, debuglink.Encode(link, debuglink.Sum(id)))
	if !symbols.Empty() {
		names := uint32(len(table.Sections) + 1)
		tail.addMade(table, elf.SectionHeader{
			Name: sections.SymbolTable, Type: elf.SHT_SYMTAB, Link: names, Info: symbols.Locals(), Addralign: 8, Entsize: 24, Size: symbols.Size(),
		}, symbols.Write)
		tail.addMade(table, elf.SectionHeader{Name: sections.StringTable, Type: elf.SHT_STRTAB, Addralign: 1, Size: symbols.NamesSize()}, symbols.WriteNames)
	}
	tail.addSectionTable(table)
	return nil
}

// Write writes the packed file, from the first byte to the last.
func (f *File) Write(w io.Writer) error {
	out := &padder{w: w}
	if err := out.bytesAt(0, f.header); err != nil {
		return err
	}
	for i, v := range f.variants {
		if err := out.padTo(f.layout.Variants[i].Offset); err != nil {
			return err
		}
		if err := v.CopyTo(w); err != nil {
			return fmt.Errorf("%s: %w", v.Path, err)
		}
		out.at += uint64(v.Size)
	}
	if err := out.bytesAt(f.layout.LauncherOffset, f.launcher); err != nil {
		return err
	}
	return f.tail.write(out)
}

// Size returns how many bytes Write writes.
func (f *File) Size() int64 { return int64(f.tail.end) }

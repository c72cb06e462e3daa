package pack

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"

	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Sizes in bytes. Sources: System V gABI, "ELF Header", "Program Header",
// "Note Section"; NT_GNU_BUILD_ID as GNU ld writes it by default, a SHA-1's
// length.
const (
	elfHeaderSize     = 64
	programHeaderSize = 56
	buildIDSize       = 20
	noteSize          = 16 + buildIDSize
	ntGNUBuildID      = 3
	ntGNUProperty     = 5
)

// programs returns the program headers of the packed file.
func (f *File) programs() []elf.ProgHeader {
	var notes, rest []elf.ProgHeader
	baseline, placed := f.variants[0], f.layout.Variants[0]
	for _, p := range baseline.ELF.Progs {
		h := p.ProgHeader
		h.Off += placed.Offset
		h.Vaddr += placed.Delta
		h.Paddr = h.Vaddr
		switch p.Type {
		case elf.PT_NOTE:
			if !ofOneVariant(p) {
				notes = append(notes, h)
			}
		case elf.PT_DYNAMIC, elf.PT_TLS, elf.PT_GNU_EH_FRAME:
			// For tools that ask what the file is linked with; the kernel does not
			// look at them. Moved, they would not mean what they say.
			if placed.Delta == 0 {
				rest = append(rest, h)
			}
		case elf.PT_GNU_RELRO:
			// For tools that look for hardening. Only a dynamic linker obeys it, and that
			// gets the program headers of the variant.
			if placed.Delta == 0 && baseline.Interp != "" && f.allConstant() {
				rest = append(rest, h)
			}
		}
	}
	if stack, ok := f.stack(); ok {
		rest = append(rest, stack)
	}
	loads := f.layout.Loads
	count := 2 + len(notes) + len(loads) + len(rest)
	size := uint64(count * programHeaderSize)
	own := []elf.ProgHeader{
		f.inHeaderPage(elf.PT_PHDR, elfHeaderSize, size, 8),
		f.inHeaderPage(elf.PT_NOTE, elfHeaderSize+size, noteSize, 4),
	}
	all := append(own, notes...)
	all = append(all, loads...)
	return append(all, rest...)
}

// allConstant reports whether all variants have a PT_GNU_RELRO.
func (f *File) allConstant() bool {
	return !slices.ContainsFunc(f.variants, func(v *variant.Variant) bool {
		return !slices.ContainsFunc(v.ELF.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_RELRO })
	})
}

// stack returns the PT_GNU_STACK, which is there when the baseline has one.
func (f *File) stack() (stack elf.ProgHeader, ok bool) {
	for _, p := range f.variants[0].ELF.Progs {
		if p.Type == elf.PT_GNU_STACK {
			stack, ok = p.ProgHeader, true
			stack.Off = 0
		}
	}
	return stack, ok
}

// checkStacks refuses variants of which one wants an executable stack and another
// one does not: the kernel makes the stack before a level is chosen.
func (f *File) checkStacks() error {
	lowest := f.variants[0]
	for _, v := range f.variants[1:] {
		if executableStack(v) == executableStack(lowest) {
			continue
		}
		wants, other := v, lowest
		if executableStack(lowest) {
			wants, other = lowest, v
		}
		return fmt.Errorf("%v wants an executable stack (PT_GNU_STACK of %s) and %v does not: want all of one kind (-Wl,-z,noexecstack or execstack)", wants.Level, wants.Path, other.Level)
	}
	return nil
}

func executableStack(v *variant.Variant) bool {
	return slices.ContainsFunc(v.ELF.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_STACK && p.Flags&elf.PF_X != 0 })
}

// ofOneVariant reports whether a PT_NOTE has what is not true of the packed
// file: the variant's own GNU build id, or its properties, see package sections.
func ofOneVariant(p *elf.Prog) bool {
	const limit = 64 << 10
	notes := make([]byte, min(p.Filesz, limit))
	if _, err := p.ReadAt(notes, 0); err != nil {
		return false
	}
	return bytes.Contains(notes, []byte{ntGNUBuildID, 0, 0, 0, 'G', 'N', 'U', 0}) ||
		bytes.Contains(notes, []byte{ntGNUProperty, 0, 0, 0, 'G', 'N', 'U', 0})
}

func (f *File) inHeaderPage(kind elf.ProgType, offset, size, alignment uint64) elf.ProgHeader {
	addr := f.layout.HeaderAddr + offset
	return elf.ProgHeader{Type: kind, Flags: elf.PF_R, Off: offset, Vaddr: addr, Paddr: addr, Filesz: size, Memsz: size, Align: alignment}
}

// headerPage returns the start of the file: ELF header, program headers, note.
func (f *File) headerPage(programs []elf.ProgHeader, note []byte, entry uint64, tail *tail) []byte {
	var out bytes.Buffer
	header := elf.Header64{
		Type: uint16(f.elfType()), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: entry, Phoff: elfHeaderSize, Shoff: tail.sectionTable,
		Ehsize:    elfHeaderSize,
		Phentsize: programHeaderSize, Phnum: uint16(len(programs)),
		Shentsize: sections.HeaderSize, Shnum: uint16(tail.sectionCount), Shstrndx: uint16(tail.sectionCount - 1),
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	write(&out, header)
	for _, p := range programs {
		write(&out, elf.Prog64{
			Type: uint32(p.Type), Flags: uint32(p.Flags), Off: p.Off, Vaddr: p.Vaddr, Paddr: p.Paddr,
			Filesz: p.Filesz, Memsz: p.Memsz, Align: p.Align,
		})
	}
	out.Write(note)
	return out.Bytes()
}

func (f *File) elfType() elf.Type {
	if f.layout.PIE {
		return elf.ET_DYN
	}
	return elf.ET_EXEC
}

func buildIDNote(id []byte) []byte {
	var out bytes.Buffer
	write(&out, []uint32{4, uint32(len(id)), ntGNUBuildID})
	out.WriteString("GNU\x00")
	out.Write(id)
	return out.Bytes()
}

// write appends a fixed-size value in file format.
func write(out *bytes.Buffer, value any) {
	if err := binary.Write(out, binary.LittleEndian, value); err != nil {
		panic(err) // only for a type of no fixed size
	}
}

func align(x, alignment uint64) uint64 { return (x + alignment - 1) / alignment * alignment }

// Package elftest assembles small ELF files by hand, so that tests can feed
// readers every kind of unsound input.
package elftest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// File is an ELF file to be. The program headers follow the ELF header, the
// section headers end the file.
type File struct {
	Header   elf.Header64
	Progs    []elf.Prog64
	Sections []Section
	Size     int // bytes in the file before the section headers

	contents []piece
}

// piece is what stands at an offset of the file.
type piece struct {
	at   int
	data []byte
}

// AddSymbols adds a symbol table, whose first entry is the null symbol, and a
// string table, behind a section .text, which is section 1. Local symbols stand
// before others.
func (f *File) AddSymbols(symbols []elf.Sym64, names []byte) {
	locals := uint32(1)
	for _, s := range symbols {
		if elf.ST_BIND(s.Info) == elf.STB_LOCAL {
			locals++
		}
	}
	base := f.Progs[0].Vaddr
	var entries bytes.Buffer
	put(&entries, append([]elf.Sym64{{}}, symbols...))
	tables := f.Size
	f.contents = append(f.contents, piece{tables, entries.Bytes()}, piece{tables + entries.Len(), names})
	f.Size += entries.Len() + len(names)
	f.Sections = append([]Section{
		{Name: ".text", Section64: elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: base + 0x1000, Off: 0x1000, Size: 0x800, Addralign: 16}},
		{Name: ".symtab", Section64: elf.Section64{Type: uint32(elf.SHT_SYMTAB), Off: uint64(tables), Size: uint64(entries.Len()), Link: 3, Info: locals, Addralign: 8, Entsize: 24}},
		{Name: ".strtab", Section64: elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: uint64(tables + entries.Len()), Size: uint64(len(names)), Addralign: 1}},
	}, f.Sections...)
}

// Section is a section header and its name.
type Section struct {
	Name string
	elf.Section64
}

// Executable returns the file of a sound executable as Go's linker lays it out:
// text, read-only data, and writable data with a .bss behind it. It takes
// 0x6000 bytes of addresses from base.
func Executable(base uint64) *File {
	load := func(flags elf.ProgFlag, offset, filesz, memsz uint64) elf.Prog64 {
		return elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(flags), Off: offset, Vaddr: base + offset, Paddr: base + offset,
			Filesz: filesz, Memsz: memsz, Align: 0x1000,
		}
	}
	f := &File{
		Progs: []elf.Prog64{
			load(elf.PF_R|elf.PF_X, 0, 0x1800, 0x1800),
			load(elf.PF_R, 0x2000, 0x1400, 0x1400),
			load(elf.PF_R|elf.PF_W, 0x4000, 0x800, 0x1900),
			{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 8},
		},
		Size: 0x4800,
	}
	copy(f.Header.Ident[:], elf.ELFMAG)
	f.Header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	f.Header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	f.Header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	f.Header.Type = uint16(elf.ET_EXEC)
	f.Header.Machine = uint16(elf.EM_X86_64)
	f.Header.Version = uint32(elf.EV_CURRENT)
	f.Header.Entry = base + 0x1000
	f.Header.Phoff = 64
	f.Header.Ehsize, f.Header.Phentsize, f.Header.Shentsize = 64, 56, 64
	return f
}

// Bytes returns the file. Every byte that is no header differs from its
// neighbours, so that misplaced contents show.
func (f *File) Bytes() []byte {
	data := make([]byte, f.Size)
	for i := range data {
		data[i] = byte(i*7 + i>>8 + 1)
	}
	header := f.Header
	header.Phnum = uint16(len(f.Progs))
	var tail bytes.Buffer
	if len(f.Sections) > 0 {
		names := []byte{0}
		sections := append([]Section{{}}, f.Sections...)
		sections = append(sections, Section{Name: ".shstrtab", Section64: elf.Section64{Type: uint32(elf.SHT_STRTAB)}})
		for i := range sections {
			if sections[i].Name != "" {
				sections[i].Section64.Name = uint32(len(names))
				names = append(append(names, sections[i].Name...), 0)
			}
		}
		last := &sections[len(sections)-1]
		last.Off, last.Section64.Size = uint64(f.Size), uint64(len(names))
		tail.Write(names)
		header.Shoff = uint64(f.Size + tail.Len())
		header.Shnum, header.Shstrndx = uint16(len(sections)), uint16(len(sections)-1)
		for _, s := range sections {
			put(&tail, s.Section64)
		}
	}
	var head bytes.Buffer
	put(&head, header)
	for _, p := range f.Progs {
		put(&head, p)
	}
	copy(data, head.Bytes())
	for _, p := range f.contents {
		copy(data[p.at:], p.data)
	}
	return append(data, tail.Bytes()...)
}

func put(out *bytes.Buffer, value any) {
	if err := binary.Write(out, binary.LittleEndian, value); err != nil {
		panic(err) // only for a type of no fixed size
	}
}

package goamd64

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of what package elf keeps in memory: a name of its own for each section, for
// instance, though all of them may be the same long one in the file.
const (
	maxPrograms     = 1 << 10
	maxSections     = 1 << 13
	maxSectionNames = 1 << 20 // bytes
	maxSectionName  = 256     // bytes
)

// CheckCounts refuses an ELF file, of any class and byte order, that would make package
// elf take much memory. It lets pass what is no ELF file.
func CheckCounts(r io.ReaderAt) error {
	var ident [elf.EI_NIDENT]byte
	if _, err := r.ReadAt(ident[:], 0); err != nil || string(ident[:4]) != elf.ELFMAG {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(ident[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	read := func(at int64, value any) error {
		return binary.Read(io.NewSectionReader(r, at, int64(binary.Size(value))), order, value)
	}
	var header elf.Header64
	names := elf.Section64{}
	narrow := elf.Class(ident[elf.EI_CLASS]) == elf.ELFCLASS32
	if narrow {
		var h elf.Header32
		if err := read(0, &h); err != nil {
			return err
		}
		header.Phnum, header.Shoff, header.Shnum, header.Shentsize, header.Shstrndx = h.Phnum, uint64(h.Shoff), h.Shnum, h.Shentsize, h.Shstrndx
	} else if err := read(0, &header); err != nil {
		return err
	}
	if header.Phnum > maxPrograms {
		return fmt.Errorf("%d program headers: want at most %d", header.Phnum, maxPrograms)
	}
	if header.Shoff == 0 {
		return nil
	}
	if header.Shnum > maxSections || header.Shnum == 0 {
		return fmt.Errorf("%d sections: want 1 to %d", header.Shnum, maxSections)
	}
	at := header.Shoff + uint64(header.Shstrndx)*uint64(header.Shentsize)
	if at > 1<<62 {
		return nil // package elf has an error for that
	}
	if narrow {
		var s elf.Section32
		if read(int64(at), &s) != nil {
			return nil
		}
		names.Flags, names.Off, names.Size = uint64(s.Flags), uint64(s.Off), uint64(s.Size)
	} else if read(int64(at), &names) != nil {
		return nil
	}
	if names.Size > maxSectionNames || names.Flags&uint64(elf.SHF_COMPRESSED) != 0 || names.Off > 1<<62 {
		return fmt.Errorf("section names of %d bytes, flags %v: want at most %d bytes, uncompressed", names.Size, elf.SectionFlag(names.Flags), maxSectionNames)
	}
	text := make([]byte, names.Size)
	n, err := r.ReadAt(text, int64(names.Off))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for name := range bytes.SplitSeq(text[:n], []byte{0}) {
		if len(name) > maxSectionName {
			return fmt.Errorf("a section name of %d bytes: want at most %d", len(name), maxSectionName)
		}
	}
	return nil
}

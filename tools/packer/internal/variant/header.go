package variant

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxSections is how many sections an executable may have. Package elf keeps
// all headers and section names in memory; hence these bounds, with much room.
const MaxSections = 1 << 13

const (
	maxPrograms     = 1 << 10
	maxSectionNames = 1 << 20 // bytes
	maxSectionName  = 256     // bytes
)

// OpenELF reads the headers of a 64-bit ELF file for x86-64. What they say of
// sizes and numbers does not make it take more than a few megabytes.
func OpenELF(r io.ReaderAt) (*elf.File, error) {
	if err := checkIdent(r); err != nil {
		return nil, err
	}
	err := checkCounts(r)
	var file *elf.File
	if err == nil {
		file, err = elf.NewFile(r)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends before all that its headers refer to: was it copied whole?")
	}
	if err != nil {
		return nil, fmt.Errorf("damaged ELF file: %w", err)
	}
	return file, nil
}

// checkIdent refuses what no executable for x86-64 begins with.
func checkIdent(r io.ReaderAt) error {
	const wanted = "want a 64-bit little-endian x86-64 executable"
	var ident [20]byte
	if n, err := r.ReadAt(ident[:], 0); n < len(ident) {
		if err != nil && err != io.EOF {
			return err
		}
		return fmt.Errorf("%d bytes long, too short for ELF: %s", n, wanted)
	}
	if string(ident[:4]) != elf.ELFMAG {
		return fmt.Errorf("not an ELF file (begins with %q): %s", ident[:4], wanted)
	}
	if class := elf.Class(ident[elf.EI_CLASS]); class != elf.ELFCLASS64 {
		return fmt.Errorf("ELF class %v: %s", class, wanted)
	}
	if data := elf.Data(ident[elf.EI_DATA]); data != elf.ELFDATA2LSB {
		return fmt.Errorf("ELF byte order %v: %s", data, wanted)
	}
	if machine := elf.Machine(uint16(ident[18]) | uint16(ident[19])<<8); machine != elf.EM_X86_64 {
		return fmt.Errorf("ELF machine %v: %s", machine, wanted)
	}
	return nil
}

// checkCounts bounds what package elf allocates.
func checkCounts(r io.ReaderAt) error {
	var header elf.Header64
	if err := readAt(r, 0, &header); err != nil {
		return fmt.Errorf("reading the ELF header: %w", err)
	}
	if header.Phnum > maxPrograms {
		return fmt.Errorf("%d program headers: want at most %d", header.Phnum, maxPrograms)
	}
	if header.Shnum > MaxSections || header.Shnum == 0 && header.Shoff != 0 {
		return fmt.Errorf("%d sections: want 1 to %d", header.Shnum, MaxSections)
	}
	var names elf.Section64
	at := header.Shoff + uint64(header.Shstrndx)*uint64(header.Shentsize)
	if header.Shoff == 0 || at > 1<<62 || readAt(r, int64(at), &names) != nil {
		return nil // package elf has an error for that
	}
	if names.Size > maxSectionNames || names.Flags&uint64(elf.SHF_COMPRESSED) != 0 || names.Off > 1<<62 {
		return fmt.Errorf("section names of %d bytes, flags %v: want at most %d bytes, uncompressed", names.Size, elf.SectionFlag(names.Flags), maxSectionNames)
	}
	text := make([]byte, names.Size)
	if n, err := r.ReadAt(text, int64(names.Off)); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if longest := longestString(text[:n]); longest > maxSectionName {
		return fmt.Errorf("a section name of %d bytes: want at most %d", longest, maxSectionName)
	}
	return nil
}

func longestString(text []byte) int {
	longest := 0
	for name := range bytes.SplitSeq(text, []byte{0}) {
		longest = max(longest, len(name))
	}
	return longest
}

func readAt(r io.ReaderAt, at int64, value any) error {
	return binary.Read(io.NewSectionReader(r, at, int64(binary.Size(value))), binary.LittleEndian, value)
}

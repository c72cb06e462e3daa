package variant

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
)

// CheckEnd refuses an executable with data behind its end: an archive or a
// configuration, say, that the program looks for at the end of its own file. In a
// packed file the program would look at the end of the packed file, and not find
// them. Zero bytes are padding. Without section headers nothing tells such data from
// what sections had behind the segments, symbols say, and it is let pass.
func (v *Variant) CheckEnd() error {
	if len(v.ELF.Sections) == 0 {
		return nil
	}
	end, err := End(v.file, v.ELF)
	if err != nil || end >= uint64(v.Size) {
		return err
	}
	rest := bufio.NewReader(io.NewSectionReader(v.file, int64(end), v.Size-int64(end)))
	for {
		b, err := rest.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if b != 0 {
			return fmt.Errorf("has %d bytes of data behind its end, which the program would not find in a packed file: cut them off (truncate -s %d), and append them to the packed file instead", uint64(v.Size)-end, end)
		}
	}
}

// End returns the offset behind all that the headers of an ELF file describe.
func End(r io.ReaderAt, file *elf.File) (uint64, error) {
	var header elf.Header64
	if err := readAt(r, 0, &header); err != nil {
		return 0, fmt.Errorf("reading the ELF header: %w", err)
	}
	end := header.Phoff + uint64(header.Phnum)*uint64(header.Phentsize)
	if header.Shoff != 0 {
		end = max(end, header.Shoff+uint64(header.Shnum)*uint64(binary.Size(elf.Section64{})))
	}
	for _, p := range file.Progs {
		end = max(end, p.Off+p.Filesz)
	}
	for _, s := range file.Sections {
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL {
			end = max(end, s.Offset+s.FileSize)
		}
	}
	return end, nil
}

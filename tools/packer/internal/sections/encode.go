package sections

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// HeaderSize is the size of a section header in bytes. Source: System V gABI,
// "Section Header".
const HeaderSize = 64

// Encode appends the section that holds all names, which is the last one and
// stands at a file offset, and returns its contents and the section headers.
func (t *Table) Encode(offset uint64) (names, headers []byte) {
	t.Add(elf.SectionHeader{Name: NameTable, Type: elf.SHT_STRTAB, Offset: offset, Addralign: 1})
	names = []byte{0}
	starts := make([]uint32, len(t.Sections))
	for i, s := range t.Sections[1:] {
		starts[i+1] = uint32(len(names))
		names = append(append(names, s.Name...), 0)
	}
	t.Sections[len(t.Sections)-1].Size = uint64(len(names))
	var out bytes.Buffer
	for i, s := range t.Sections {
		if err := binary.Write(&out, binary.LittleEndian, elf.Section64{
			Name: starts[i], Type: uint32(s.Type), Flags: uint64(s.Flags), Addr: s.Addr, Off: s.Offset, Size: s.Size,
			Link: s.Link, Info: s.Info, Addralign: s.Addralign, Entsize: s.Entsize,
		}); err != nil {
			panic(err) // only for a type of no fixed size
		}
	}
	return names, out.Bytes()
}

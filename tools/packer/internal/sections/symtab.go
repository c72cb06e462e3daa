package sections

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"rules_go_multiarch/tools/packer/internal/variant"
)

const symbolSize = 24 // Elf64_Sym

// entry is a symbol as it stands in the file.
type entry struct {
	name        uint32 // offset in the string table
	info, other byte
	section     elf.SectionIndex
	value, size uint64
}

func (e *entry) function() bool { return elf.ST_TYPE(e.info) == elf.STT_FUNC }

func (e *entry) decode(b []byte) {
	e.name = binary.LittleEndian.Uint32(b)
	e.info, e.other = b[4], b[5]
	e.section = elf.SectionIndex(binary.LittleEndian.Uint16(b[6:]))
	e.value = binary.LittleEndian.Uint64(b[8:])
	e.size = binary.LittleEndian.Uint64(b[16:])
}

func (e *entry) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, e.name)
	b = append(b, e.info, e.other)
	b = binary.LittleEndian.AppendUint16(b, uint16(e.section))
	b = binary.LittleEndian.AppendUint64(b, e.value)
	return binary.LittleEndian.AppendUint64(b, e.size)
}

// symtab reads a variant's symbol table. Symbol tables can be larger than
// memory, so it is never there as a whole.
type symtab struct {
	entries io.ReaderAt
	size    int64 // of the entries, in bytes
	locals  int64 // of the null symbol and the local ones, which stand before the others
	names   names
}

// readSymtab returns nil for a variant that has no symbols.
func readSymtab(v *variant.Variant) (*symtab, error) {
	section := v.ELF.SectionByType(elf.SHT_SYMTAB)
	if section == nil {
		return nil, nil
	}
	if section.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, fmt.Errorf("section %q is compressed: want it as linkers write it", section.Name)
	}
	if section.Size <= symbolSize {
		return nil, nil
	}
	if section.Size%symbolSize != 0 {
		return nil, fmt.Errorf("section %q has %d bytes: want a multiple of %d", section.Name, section.Size, symbolSize)
	}
	if int(section.Link) >= len(v.ELF.Sections) || v.ELF.Sections[section.Link].Type != elf.SHT_STRTAB {
		return nil, fmt.Errorf("section %q is linked to section %d: want a string table", section.Name, section.Link)
	}
	strings := v.ELF.Sections[section.Link]
	if strings.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, fmt.Errorf("section %q is compressed: want it as linkers write it", strings.Name)
	}
	var first [1]byte
	if _, err := strings.ReadAt(first[:], 0); err != nil || first[0] != 0 {
		return nil, fmt.Errorf("section %q does not begin with the empty string", strings.Name)
	}
	locals := min(max(int64(section.Info), 1)*symbolSize, int64(section.Size)) // sh_info is how many there are
	return &symtab{entries: section, size: int64(section.Size), locals: locals, names: names{r: strings, size: int64(strings.Size)}}, nil
}

// each calls f for the symbols between two offsets in the table.
func (t *symtab) each(from, to int64, f func(e *entry, at int64) error) error {
	buffer := make([]byte, min(2048*symbolSize, max(to-from, 0)))
	for at := from; at < to; {
		buffer = buffer[:min(int64(len(buffer)), to-at)]
		if _, err := t.entries.ReadAt(buffer, at); err != nil {
			return err
		}
		var e entry
		for b := buffer; len(b) > 0; b = b[symbolSize:] {
			e.decode(b)
			if err := f(&e, at); err != nil {
				return err
			}
			at += symbolSize
		}
	}
	return nil
}

// names reads a string table through a window: names stand in the order of
// their symbols, as far as linkers have no reason to do otherwise.
type names struct {
	r      io.ReaderAt
	size   int64
	start  int64 // of the window
	window []byte
	buffer []byte
}

const (
	windowSize = 16 << 10
	jumpWindow = 256 // of a name that does not follow the one before it
	maxName    = 1 << 20
)

// at returns the name at an offset; it is valid until the next call. An offset
// behind the table is that of no name.
func (n *names) at(offset uint32) ([]byte, error) {
	at := int64(offset)
	if at >= n.size {
		return nil, nil
	}
	want := windowSize
	if end := n.start + int64(len(n.window)); at < n.start || at > end+jumpWindow {
		want = jumpWindow
	}
	for ; ; want *= 4 {
		if at >= n.start && at < n.start+int64(len(n.window)) {
			rest := n.window[at-n.start:]
			if end := bytes.IndexByte(rest, 0); end >= 0 {
				return rest[:end], nil
			}
			if n.start+int64(len(n.window)) == n.size {
				return rest, nil
			}
		}
		if want > maxName {
			return nil, fmt.Errorf("the name at %#x of its string table has more than %d bytes", at, maxName)
		}
		if err := n.fill(at, want); err != nil {
			return nil, err
		}
	}
}

// rest returns what of the table has been read from an offset on.
func (n *names) rest(offset uint32) []byte {
	if from := int64(offset) - n.start; from >= 0 && from < int64(len(n.window)) {
		return n.window[from:]
	}
	return nil
}

// has reports whether a name is at an offset.
func (n *names) has(offset uint32, name []byte) (bool, error) {
	from := int64(offset) - n.start
	if to := from + int64(len(name)); from >= 0 && to < int64(len(n.window)) {
		return n.window[to] == 0 && bytes.Equal(n.window[from:to], name), nil
	}
	at, err := n.at(offset)
	return bytes.Equal(at, name), err
}

func (n *names) fill(at int64, want int) error {
	if len(n.buffer) < want {
		n.buffer = make([]byte, want)
	}
	n.start, n.window = at, n.buffer[:min(int64(want), n.size-at)]
	if _, err := n.r.ReadAt(n.window, at); err != nil && !errors.Is(err, io.EOF) {
		n.window = nil
		return err
	}
	return nil
}

// copyTo copies the whole table and makes sure that its last name ends. It
// returns how many bytes there are then.
func (n *names) copyTo(w io.Writer) error {
	if _, err := io.Copy(w, io.NewSectionReader(n.r, 0, n.size)); err != nil {
		return err
	}
	if size, err := n.sizeInFile(); err != nil || size == n.size {
		return err
	}
	_, err := w.Write([]byte{0})
	return err
}

// sizeInFile is how many bytes copyTo writes.
func (n *names) sizeInFile() (int64, error) {
	var last [1]byte
	if _, err := n.r.ReadAt(last[:], n.size-1); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if last[0] != 0 {
		return n.size + 1, nil
	}
	return n.size, nil
}

// Package bootcode takes the launcher's boot code out of the executable that
// it was linked into.
//
// The boot code is position-independent and refers to nothing outside itself
// (a test of package launcher reads the linked code to prove it), so the bytes
// of its functions are all that a packed file needs.
package bootcode

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Package is the import path of the boot code; its functions have this prefix.
const Package = "rules_go_multiarch/launcher/boot"

// Align is the alignment of the boot code in bytes, that of Go's functions.
const Align = 64

// maxTable bounds the table of functions, of which a launcher has half a
// megabyte: package gosym keeps it in memory several times over.
const maxTable = 4 << 20

// Code is the boot code. Addresses are offsets in Bytes.
type Code struct {
	Bytes []byte
	Entry uint64
	Funcs []Func // in ascending order
}

// Func is one function of the boot code.
type Func struct {
	Name       string
	Start, End uint64
}

// Read finds the boot code in a linked launcher.
func Read(r io.ReaderAt) (*Code, error) {
	file, err := variant.OpenELF(r)
	if err != nil {
		return nil, err
	}
	funcs, err := functions(file)
	if err != nil {
		return nil, err
	}
	low, high := funcs[0].Start, funcs[len(funcs)-1].End
	text := file.Section(".text")
	if low < text.Addr || high > text.Addr+text.Size || high-low > format.MaxBoot {
		return nil, fmt.Errorf("boot code at %#x to %#x: want at most %#x bytes inside .text", low, high, format.MaxBoot)
	}
	if file.Entry < low || file.Entry >= high {
		return nil, fmt.Errorf("its entry point %#x is not in package boot: link it with -E %s.entry", file.Entry, Package)
	}

	low &^= Align - 1
	code := &Code{Bytes: make([]byte, high-low), Entry: file.Entry - low, Funcs: funcs}
	if _, err := text.ReadAt(code.Bytes, int64(low-text.Addr)); err != nil {
		return nil, err
	}
	for i := range code.Funcs {
		code.Funcs[i].Start -= low
		code.Funcs[i].End -= low
	}
	if !bytes.Equal(code.tableWord(), binary.LittleEndian.AppendUint64(nil, format.TablePlaceholder)) {
		return nil, fmt.Errorf("no table word %d bytes after its entry point: launcher and packer are of different versions", format.TableWord)
	}
	return code, nil
}

// WithTable returns the boot code that looks for a launcher table of size bytes
// at an offset from its own first byte.
func (c *Code) WithTable(offset, size uint64) []byte {
	code := bytes.Clone(c.Bytes)
	binary.LittleEndian.PutUint64(code[c.Entry+format.TableWord:], offset-c.Entry|size<<32)
	return code
}

// Restore returns the boot code that WithTable was called on, from the bytes
// that it returned. Functions are as in Code.
func Restore(packed []byte, entry uint64, funcs []Func) (*Code, error) {
	c := &Code{Bytes: bytes.Clone(packed), Entry: entry, Funcs: funcs}
	word := c.tableWord()
	if word == nil {
		return nil, fmt.Errorf("boot code of %#x bytes with its entry point at %#x: no room for a table word", len(packed), entry)
	}
	binary.LittleEndian.PutUint64(word, format.TablePlaceholder)
	return c, nil
}

func (c *Code) tableWord() []byte {
	size := uint64(len(c.Bytes))
	if size < format.TableWord+8 || c.Entry > size-format.TableWord-8 {
		return nil
	}
	return c.Bytes[c.Entry+format.TableWord:][:8]
}

// functions lists the functions of package boot from the runtime's own function
// table, which is there in a stripped executable too.
func functions(file *elf.File) ([]Func, error) {
	section := file.Section(".gopclntab")
	text := file.Section(".text")
	if section == nil || text == nil || text.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, errors.New("no .gopclntab or .text section: want a launcher linked by Go")
	}
	if section.Size > maxTable || section.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, fmt.Errorf("section %s of %d bytes: want at most %d, as in a launcher", section.Name, section.Size, maxTable)
	}
	data, err := section.Data()
	if err != nil {
		return nil, err
	}
	// gosym makes room for as many functions as the table says that it has, which
	// stands behind eight bytes (runtime.pcHeader); each takes eight at least.
	if len(data) < 16 || binary.LittleEndian.Uint64(data[8:]) > uint64(len(data)/8) {
		return nil, fmt.Errorf("section %s: not a function table of %d bytes", section.Name, len(data))
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return nil, err
	}
	var funcs []Func
	ended := false
	for i := range table.Funcs {
		f := &table.Funcs[i]
		if !strings.HasPrefix(f.Name, Package+".") {
			ended = len(funcs) > 0
			continue
		}
		if ended {
			return nil, fmt.Errorf("function %s stands apart from the rest of its package", f.Name)
		}
		funcs = append(funcs, Func{Name: f.Name, Start: f.Entry, End: f.End})
	}
	if len(funcs) == 0 {
		return nil, fmt.Errorf("no function of %s in it: want the launcher", Package)
	}
	return funcs, nil
}

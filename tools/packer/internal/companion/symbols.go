package companion

import (
	"debug/elf"
	"encoding/binary"
)

const symbolSize = 24 // Elf64_Sym

// symbolTable is a symbol table under construction.
type symbolTable struct {
	names  []byte // contents of the string table
	locals []byte // entries, in file format
	global []byte
	count  uint32 // local entries, the null symbol included
	offset map[string]uint32
}

// newSymbolTable returns a table with the null symbol alone.
func newSymbolTable() *symbolTable {
	return &symbolTable{names: []byte{0}, locals: make([]byte, symbolSize), count: 1, offset: map[string]uint32{"": 0}}
}

// add adds a symbol.
func (t *symbolTable) add(name string, info, other byte, section elf.SectionIndex, value, size uint64) {
	at, known := t.offset[name]
	if !known {
		at = uint32(len(t.names))
		t.offset[name] = at
		t.names = append(append(t.names, name...), 0)
	}
	list := &t.global
	if elf.ST_BIND(info) == elf.STB_LOCAL {
		list = &t.locals
		t.count++
	}
	entry := binary.LittleEndian.AppendUint32(*list, at)
	entry = append(entry, info, other)
	entry = binary.LittleEndian.AppendUint16(entry, uint16(section))
	entry = binary.LittleEndian.AppendUint64(entry, value)
	*list = binary.LittleEndian.AppendUint64(entry, size)
}

// entries returns the contents of the symbol table, local symbols first, and how
// many of those there are (sh_info).
func (t *symbolTable) entries() (entries []byte, locals uint32) {
	return append(t.locals, t.global...), t.count
}

// isFunction reports whether a symbol is a function. It leaves out the two by
// which tools find where all of a program's code begins and ends.
func isFunction(sym elf.Symbol) bool {
	return elf.ST_TYPE(sym.Info) == elf.STT_FUNC && sym.Name != "runtime.text" && sym.Name != "runtime.etext"
}

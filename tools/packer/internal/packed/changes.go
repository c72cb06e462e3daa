package packed

import (
	"debug/elf"
	"fmt"
	"strings"

	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Appended returns how many bytes were appended to the file since it was packed, if
// that is what changed its size.
func (f *File) Appended() uint64 {
	end, err := variant.End(f.r, f.ELF)
	if err != nil || end != f.packedSize || end > uint64(f.Size) {
		return 0
	}
	return uint64(f.Size) - end
}

// changes says what a tool such as strip did to a file since it was packed, as
// far as the manifest and the launcher table know how it was.
func (f *File) changes() (reasons []string) {
	add := func(text string, args ...any) { reasons = append(reasons, fmt.Sprintf(text, args...)) }
	add("it has %d bytes, it was packed with %d", f.Size, f.packedSize)
	if n := f.Appended(); n > 0 {
		add("%d bytes were appended to it", n)
	}
	if id := f.buildID(); id != f.Manifest.BuildID {
		add("its build id is %q, it was packed with %q", id, f.Manifest.BuildID)
	}
	if f.ELF.Section(".symtab") == nil {
		add("it has no symbol table (.symtab): profilers and debuggers see no names")
	}
	if f.DebugLink == "" {
		add("debuggers are not led to its debug file any more (%s)", debuglink.Section)
	}
	var moved []string
	for _, l := range f.Levels {
		if offset, mapped := f.fileOffset(l.Table.Mapped); mapped && offset != l.Offset {
			moved = append(moved, fmt.Sprintf("%v from file offset %#x to %#x", l.Level, l.Offset, offset))
		}
	}
	if len(moved) > 0 {
		add("its levels were moved in the file, and what was behind their segments is gone, such as their own debug information: %s", strings.Join(moved, ", "))
	}
	return reasons
}

// fileOffset returns where the file has what the kernel maps at an address.
func (f *File) fileOffset(addr uint64) (offset uint64, mapped bool) {
	for _, p := range f.ELF.Progs {
		if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return p.Off + addr - p.Vaddr, true
		}
	}
	return 0, false
}

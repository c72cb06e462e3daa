package packed

import (
	"debug/elf"
	"fmt"
	"io"
	"slices"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// edits says what a tool such as patchelf edited of what the launcher compares before it
// starts any level: the lowest level's libraries, search path and interpreter.
func (f *File) edits() (reasons []string) {
	edited := false
	for _, op := range f.Baseline().Ops {
		if op.Kind != format.OpDynamic && op.Kind != format.OpNames {
			continue
		}
		data := make([]byte, op.Len)
		if err := f.ReadMemory(data, op.Addr); err != nil {
			edited = true
			continue
		}
		if op.Kind == format.OpDynamic {
			edited = edited || format.SumDynamic(data) != op.From || f.dynamicMoved(op.Addr)
		} else {
			edited = edited || format.SumWords(data) != op.From
		}
	}
	if !edited {
		return nil
	}
	reasons = append(reasons, "a tool such as patchelf or chrpath edited its dynamic section or its interpreter, so it does not start: make the edit in the executables of all levels, and pack them again")
	return append(reasons, f.differences()...)
}

// dynamicMoved reports whether the file's PT_DYNAMIC is at another address.
func (f *File) dynamicMoved(addr uint64) bool {
	return slices.ContainsFunc(f.ELF.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_DYNAMIC && p.Vaddr != addr })
}

// differences says what the file's dynamic section has otherwise than the highest
// level's, which no tool finds.
func (f *File) differences() (reasons []string) {
	l := f.Levels[len(f.Levels)-1]
	other, err := variant.OpenELF(io.NewSectionReader(f.r, int64(l.Offset), l.Size))
	if err != nil || len(f.Levels) == 1 {
		return nil
	}
	for _, tag := range []elf.DynTag{elf.DT_NEEDED, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH} {
		ours, err := f.ELF.DynString(tag)
		theirs, failed := other.DynString(tag)
		if err == nil && failed == nil && !slices.Equal(ours, theirs) {
			reasons = append(reasons, fmt.Sprintf("its %v is %q, but that of %v is %q", tag, ours, l.Level, theirs))
		}
	}
	return reasons
}

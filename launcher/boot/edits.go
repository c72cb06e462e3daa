package boot

import (
	"debug/elf"
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// checkEdits refuses a file of which a tool edited the libraries, search path or
// interpreter. The headers lead tools to the lowest level's dynamic section, so their
// edits do not reach the other levels.
//
//go:nosplit
func checkEdits(s *state) {
	lowest := (*format.Level)(at(levelAt(s.table, 0)))
	for i := uint32(0); i < lowest.OpCount; i++ {
		op := opAt(s.table, lowest.Op+i)
		addr := s.bias + uintptr(op.Addr)
		sum := op.From
		if op.Kind == format.OpDynamic {
			sum = sumDynamic(addr, addr+uintptr(op.Len))
			if dynamicMoved(s, op.Addr) {
				sum = ^op.From
			}
		} else if op.Kind == format.OpNames {
			sum = sumWords(addr, addr+uintptr(op.Len))
		}
		if sum != op.From {
			fail(s, format.MsgEdited, exitNotFound)
		}
	}
}

// sumDynamic is sumWords over the dynamic section from addr to end, without the values
// that a dynamic linker writes when it is told to start the file ("ld.so FILE").
//
//go:nosplit
func sumDynamic(addr, end uintptr) uint64 {
	sum := uint64(format.SumBasis)
	for ; addr < end; addr += unsafe.Sizeof(elf.Dyn64{}) {
		tag := uint64(load64(addr))
		sum = (sum ^ tag) * format.SumPrime
		if summed(tag) {
			sum = (sum ^ uint64(load64(addr+8))) * format.SumPrime
		}
	}
	return sum
}

// summed is format.SumDynamic's, whose code is not there when this runs.
//
//go:nosplit
func summed(tag uint64) bool {
	return tag == uint64(elf.DT_NEEDED) || tag == uint64(elf.DT_STRSZ) || tag == uint64(elf.DT_SONAME) ||
		tag == uint64(elf.DT_RPATH) || tag == uint64(elf.DT_RUNPATH) || tag == uint64(elf.DT_FLAGS) || tag == uint64(elf.DT_FLAGS_1)
}

// dynamicMoved reports whether the file's PT_DYNAMIC is at another address than want,
// where tools put a section that has grown.
//
//go:nosplit
func dynamicMoved(s *state, want uint64) bool {
	if s.auxv.phdr == 0 || s.auxv.phnum == 0 {
		return false
	}
	header, count := load64(s.auxv.phdr), load64(s.auxv.phnum)
	for ; count > 0; count-- {
		p := (*elf.Prog64)(at(header))
		if p.Type == uint32(elf.PT_DYNAMIC) {
			return p.Vaddr != want
		}
		header += unsafe.Sizeof(elf.Prog64{})
	}
	return false
}

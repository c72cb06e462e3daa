package boot

import (
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

const (
	sysGetrandom  = 318
	grandNonblock = 1

	mapNoReserve = 0x4000

	gapPages = 1 << 20 // pages of the largest gap, 4 GiB: 20 random bits
)

// keepApart reserves a gap of random size below a position-independent file. The kernel
// puts a file without PT_INTERP where it puts libraries, too, and gives addresses from the
// top down, so the interpreter and all libraries come below the gap. Without it their
// distance to the program would be the same in every process. The gap stays: the next
// mapping would be in its place. Nothing of it takes memory.
//
// It returns where the kernel should put the interpreter, which has size bytes: below the gap,
// even if there is room for it above the program. It returns 0 where there is no gap.
//
// It is no reason not to start: an old kernel has no getrandom(2), a new one may have no
// randomness yet, and addresses may be limited.
//
//go:nosplit
func keepApart(s *state, size uintptr) uintptr {
	if s.alone || s.header().Flags&format.FlagMovable == 0 {
		return 0
	}
	random := uint64(0)
	if syscall(sysGetrandom, uintptr(unsafe.Pointer(&random)), unsafe.Sizeof(random), grandNonblock, 0, 0, 0) != unsafe.Sizeof(random) {
		return 0
	}
	pages := uintptr(random%gapPages) + 1
	gap := syscall(sysMmap, 0, pages*format.PageSize, protNone, mapPrivate|mapAnonymous|mapNoReserve, ^uintptr(0), 0)
	if failed(gap) || gap < size {
		return 0
	}
	return gap - size
}

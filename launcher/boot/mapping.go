package boot

import (
	"sync/atomic"
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// System calls: linux/arch/x86/entry/syscalls/syscall_64.tbl. All of them are
// older than the oldest kernel that Go runs on. docs/security.md lists them, and
// TestSystemCalls in tests/environments compares.
const (
	sysWrite     = 1
	sysClose     = 3
	sysLseek     = 8
	sysMmap      = 9
	sysMprotect  = 10
	sysMunmap    = 11
	sysPread64   = 17
	sysAccess    = 21
	sysMremap    = 25
	sysExit      = 231 // exit_group
	sysOpenat    = 257
	sysPrlimit64 = 302

	atFDCWD = ^uintptr(99) // -100: a path is relative to the working folder
)

// Arguments of mmap(2): linux/include/uapi/asm-generic/mman-common.h.
const (
	protRead     = 1
	protWrite    = 2
	mapPrivate   = 0x02
	mapFixed     = 0x10
	mapAnonymous = 0x20

	protNone = 0

	mremapMaymove = 1
	mremapFixed   = 2
)

// Resources of getrlimit(2): linux/include/uapi/asm-generic/resource.h.
const (
	rlimitData     = 2
	rlimitAS       = 9
	rlimitInfinity = ^uintptr(0)
)

func syscall(nr, a1, a2, a3, a4, a5, a6 uintptr) uintptr

// failed reports whether a system call returned an error: -4095 to -1.
//
//go:nosplit
func failed(result uintptr) bool { return result > ^uintptr(4095) }

// unmapOthers gives back the addresses of the variants that were not picked,
// where the process may have but so many. Elsewhere their code stays: a mapping
// that nobody touches costs less than its removal, and debuggers want to read the
// code that the symbol table describes. Data that a debugger could take for that
// of the variant that runs goes: the lowest level's where the file has its symbols,
// everybody's where the file asks for it, the kernel counts it as the process's, or a
// variable may have picked another level than the debugger's user thinks. So does the
// highest level's, of which the kernel maps the .bss, where that is much or limited.
//
//go:nosplit
func unmapOthers(s *state) {
	h := s.header()
	last := h.LevelCount - 1
	s.alone = limited(rlimitAS)
	data := h.Flags&(format.FlagIsolate|format.FlagCharged) != 0 || s.want.max != 0 || s.want.exact != 0
	lowest := h.Flags&format.FlagHideLowest != 0
	highest := h.Flags&format.FlagHideHighest != 0 || s.level != levelAt(s.table, last) && limited(rlimitData)
	for i := uint32(0); i < h.LevelCount; i++ {
		addr := levelAt(s.table, i)
		if addr == s.level {
			continue
		}
		other := (*format.Level)(at(addr))
		switch {
		case s.alone:
			unmap(s, other.Mapped, other.Unused)
		case data || lowest && i == 0 || highest && i == last:
			hide(s, other.Data, other.DataLen)
		}
	}
}

// hide makes addresses of data such that the program cannot read them. A hole in a
// position-independent file would be filled with other mappings of the kernel's, so it
// gets pages without access. Debuggers read zeroes there, and core dumps leave out what
// nobody has touched. No advice is given (MADV_GUARD_INSTALL): it costs a page-table
// entry for each page, and Valgrind and CRIU do not know it.
//
//go:nosplit
func hide(s *state, addr, n uint64) {
	if n == 0 || s.header().Flags&format.FlagMovable == 0 {
		unmap(s, addr, n)
		return
	}
	start, length := s.bias+uintptr(addr), uintptr(n)
	if failed(mapZeroes(start, length, protNone)) {
		unmap(s, addr, n)
	}
}

//go:nosplit
func unmap(s *state, addr, n uint64) {
	if n > 0 {
		syscall(sysMunmap, s.bias+uintptr(addr), uintptr(n), 0, 0, 0, 0)
	}
}

//go:nosplit
func limited(resource uintptr) bool {
	var limit [2]uintptr // current, maximum
	result := syscall(sysPrlimit64, 0, resource, 0, uintptr(unsafe.Pointer(&limit)), 0, 0)
	return !failed(result) && limit[0] != rlimitInfinity
}

// mapVariant carries out the chosen variant's Ops: what is left to do, beside
// the kernel's own loading of the program headers, to have the variant as it
// would be if it were alone.
//
//go:nosplit
func mapVariant(s *state) {
	v := s.variant()
	for i := uint32(0); i < v.OpCount; i++ {
		op := opAt(s.table, v.Op+i)
		addr, length := s.bias+uintptr(op.Addr), uintptr(op.Len)
		result := uintptr(0)
		switch op.Kind {
		case format.OpCheck:
			if op.Prot&protWrite != 0 {
				// One page fault in place of two, for the variant will write there.
				atomic.AddUint64((*uint64)(at(addr)), 0)
			}
			if sumWords(addr, addr+length) != op.From {
				fail(s, format.MsgDamagedLevel, exitNotFound)
			}
		case format.OpProtect:
			result = syscall(sysMprotect, addr, length, uintptr(op.Prot), 0, 0, 0)
		case format.OpZero:
			clearBytes(addr, length)
		case format.OpAnonymous:
			result = mapZeroes(addr, length, uintptr(op.Prot))
		case format.OpUnmap:
			result = syscall(sysMunmap, addr, length, 0, 0, 0, 0)
		case format.OpMove:
			result = syscall(sysMremap, s.bias+uintptr(op.From), length, length, mremapMaymove|mremapFixed, addr, 0)
		}
		if failed(result) {
			s.errno = -result
			fail(s, format.MsgMap, exitNotFound)
		}
	}
}

// clearBytes zeroes n bytes, most of them by words.
//
//go:nosplit
func clearBytes(addr, n uintptr) {
	end := addr + n
	for ; addr < end && addr%8 != 0; addr++ {
		store8(addr, 0)
	}
	for ; addr+8 <= end; addr += 8 {
		store64(addr, 0)
	}
	for ; addr < end; addr++ {
		store8(addr, 0)
	}
}

// mapZeroes maps zeroed pages in place of what is there.
//
//go:nosplit
func mapZeroes(addr, n, prot uintptr) uintptr {
	return syscall(sysMmap, addr, n, prot, mapPrivate|mapAnonymous|mapFixed, ^uintptr(0), 0)
}

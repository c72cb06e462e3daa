package boot

import (
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// System calls: linux/arch/x86/entry/syscalls/syscall_64.tbl. All of them are
// older than the oldest kernel that Go runs on.
const (
	sysWrite     = 1
	sysOpen      = 2
	sysClose     = 3
	sysLseek     = 8
	sysMmap      = 9
	sysMprotect  = 10
	sysMunmap    = 11
	sysPread64   = 17
	sysAccess    = 21
	sysWritev    = 20
	sysMremap    = 25
	sysGetrlimit = 97
	sysExit      = 231 // exit_group
)

// Arguments of mmap(2): linux/include/uapi/asm-generic/mman-common.h.
const (
	protRead     = 1
	protWrite    = 2
	mapPrivate   = 0x02
	mapFixed     = 0x10
	mapAnonymous = 0x20

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
// where the process may have but so many. Elsewhere they stay: a mapping that
// nobody touches costs less than its removal, and debuggers want to read the
// code that the symbol table describes. Their data goes where the file asks for
// it, so that no debugger takes it for that of the one that runs.
//
//go:nosplit
func unmapOthers(s *state) {
	all := limited(rlimitAS) || limited(rlimitData)
	if !all && s.header().Flags&format.FlagIsolate == 0 {
		return
	}
	for i := uint32(0); i < s.header().LevelCount; i++ {
		addr := levelAt(s.table, i)
		other := (*format.Level)(at(addr))
		if addr == s.level {
			continue
		}
		if !all {
			unmapData(s, other)
		} else if other.Unused > 0 {
			syscall(sysMunmap, s.bias+uintptr(other.Mapped), uintptr(other.Unused), 0, 0, 0, 0)
		}
	}
}

// unmapData unmaps what a variant would have made writable.
//
//go:nosplit
func unmapData(s *state, v *format.Level) {
	for i := uint32(0); i < v.OpCount; i++ {
		op := opAt(s.table, v.Op+i)
		if op.Kind == format.OpProtect && op.Prot&protWrite != 0 {
			syscall(sysMunmap, s.bias+uintptr(op.Addr), uintptr(op.Len), 0, 0, 0, 0)
		}
	}
}

//go:nosplit
func limited(resource uintptr) bool {
	var limit [2]uintptr // current, maximum
	syscall(sysGetrlimit, resource, uintptr(unsafe.Pointer(&limit)), 0, 0, 0, 0)
	return limit[0] != rlimitInfinity
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

package boot

import (
	"debug/elf"
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// Dynamic linkers have about ten program headers.
const maxInterpProgs = 14

// interpreter is the start of a dynamic linker's file.
type interpreter struct {
	header elf.Header64
	progs  [maxInterpProgs]elf.Prog64
}

const (
	elfMagic  = '\x7f' | 'E'<<8 | 'L'<<16 | 'F'<<24 | uint64(elf.ELFCLASS64)<<32 | uint64(elf.ELFDATA2LSB)<<40
	elfIdent  = 1<<48 - 1 // the bytes of elfMagic
	maxInterp = 1 << 30   // bytes that a dynamic linker may take

	accessExecute = 1 // X_OK

	errNoEntry = 2  // ENOENT
	errAccess  = 13 // EACCES
	errIsDir   = 21 // EISDIR
)

// loadInterpreter maps the variant's interpreter, the dynamic linker, as the
// kernel does for PT_INTERP, and returns its entry point. Source:
// load_elf_interp in linux/fs/binfmt_elf.c.
//
//go:nosplit
func loadInterpreter(s *state) uintptr {
	fd, n := openInterpreter(s)
	low, high := interpreterBounds(s, n)
	if low >= high {
		fail(s, format.MsgInterpBad, exitCannotRun)
	}

	// Pages that nobody can read claim the addresses, wherever the kernel has room;
	// the segments replace parts of them. Nothing is unmapped, for a filter of system
	// calls may know munmap no more than the plain program does.
	place := syscall(sysMmap, keepApart(s, high-low), high-low, protNone, mapPrivate|mapAnonymous, ^uintptr(0), 0)
	if failed(place) {
		s.errno = -place
		fail(s, format.MsgMap, exitNotFound)
	}
	bias := place - low
	for i := uintptr(0); i < uintptr(s.interp.header.Phnum); i++ {
		p := s.interpProg(i)
		if p.Type != uint32(elf.PT_LOAD) {
			continue
		}
		start := pageFloor(uintptr(p.Vaddr))
		size := pageCeil(uintptr(p.Vaddr)+uintptr(p.Filesz)) - start
		prot := protection(p.Flags)
		result := uintptr(0)
		if p.Filesz > 0 {
			result = syscall(sysMmap, bias+start, size, prot, mapPrivate|mapFixed, fd, pageFloor(uintptr(p.Off)))
		}
		if !failed(result) && p.Memsz > p.Filesz {
			result = zeroesBehind(bias, p)
		}
		if failed(result) {
			s.errno = -result
			fail(s, format.MsgMap, exitNotFound)
		}
	}
	syscall(sysClose, fd, 0, 0, 0, 0, 0)
	s.interpBase = bias
	return bias + uintptr(s.interp.header.Entry)
}

// openInterpreter opens the interpreter, reads its start, and returns the file
// descriptor and how many bytes it read. As for PT_INTERP it has to be a regular
// file that may be executed (open_exec in linux/fs/exec.c), and the status is
// what shells give for the kernel's error.
//
//go:nosplit
func openInterpreter(s *state) (fd, n uintptr) {
	path := s.table + uintptr(s.variant().Interp.Offset)
	// A filter of system calls may refuse access: what else is wrong with the path
	// is seen when it is opened.
	result := syscall(sysAccess, path, accessExecute, 0, 0, 0, 0)
	if -result != errAccess {
		fd = syscall(sysOpenat, atFDCWD, path, openReadOnly, 0, 0, 0)
		result = fd
	}
	if !failed(result) {
		n = syscall(sysPread64, fd, uintptr(unsafe.Pointer(&s.interp)), unsafe.Sizeof(s.interp), 0, 0, 0)
		result = n
	}
	if failed(result) {
		s.errno = -result
		switch s.errno {
		case errNoEntry:
			fail(s, format.MsgInterpMissing, exitNotFound)
		case errAccess, errIsDir:
			fail(s, format.MsgInterpDenied, exitCannotRun)
		default:
			fail(s, format.MsgInterpOpen, exitCannotRun)
		}
	}
	return fd, n
}

// interpreterBounds returns the first address of the interpreter and the first
// one after it, as it was linked, or 0, 0 when the n bytes that were read are
// not those of a shared object for this machine.
//
//go:nosplit
func interpreterBounds(s *state, n uintptr) (low, high uintptr) {
	h := &s.interp.header
	if n < unsafe.Sizeof(*h) || uint64(load64(uintptr(unsafe.Pointer(h))))&elfIdent != elfMagic ||
		h.Type != uint16(elf.ET_DYN) || h.Machine != uint16(elf.EM_X86_64) ||
		h.Phentsize != uint16(unsafe.Sizeof(elf.Prog64{})) || h.Phnum > maxInterpProgs ||
		uintptr(h.Phoff) != unsafe.Sizeof(*h) || n < unsafe.Sizeof(*h)+uintptr(h.Phnum)*unsafe.Sizeof(elf.Prog64{}) {
		return 0, 0
	}
	found := false
	for i := uintptr(0); i < uintptr(h.Phnum); i++ {
		p := s.interpProg(i)
		if p.Type != uint32(elf.PT_LOAD) {
			continue
		}
		start, end := uintptr(p.Vaddr), uintptr(p.Vaddr)+uintptr(p.Memsz)
		if start > maxInterp || end > maxInterp || end < start || p.Filesz > p.Memsz || start < high {
			return 0, 0
		}
		if !found {
			found = true
			low = pageFloor(start)
		}
		high = end
	}
	return low, pageCeil(high)
}

// zeroesBehind completes a segment that is larger in memory than in the file.
//
//go:nosplit
func zeroesBehind(bias uintptr, p *elf.Prog64) uintptr {
	end := uintptr(p.Vaddr) + uintptr(p.Filesz)
	pages := pageCeil(end)
	if p.Flags&uint32(elf.PF_W) != 0 {
		clearBytes(bias+end, pages-end)
	}
	last := pageCeil(uintptr(p.Vaddr) + uintptr(p.Memsz))
	if last <= pages {
		return 0
	}
	return mapZeroes(bias+pages, last-pages, protection(p.Flags))
}

//go:nosplit
func (s *state) interpProg(i uintptr) *elf.Prog64 {
	return (*elf.Prog64)(at(uintptr(unsafe.Pointer(&s.interp.progs)) + i*unsafe.Sizeof(elf.Prog64{})))
}

// protection converts a segment's flags to those of mmap(2): the same bits in
// the opposite order.
//
//go:nosplit
func protection(flags uint32) uintptr {
	return uintptr(flags&uint32(elf.PF_R))>>2 | uintptr(flags&uint32(elf.PF_W)) | uintptr(flags&uint32(elf.PF_X))<<2
}

//go:nosplit
func pageFloor(x uintptr) uintptr { return x &^ (format.PageSize - 1) }

//go:nosplit
func pageCeil(x uintptr) uintptr { return pageFloor(x + format.PageSize - 1) }

package boot

import (
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

const (
	openReadOnly = 0x80000 // O_RDONLY|O_CLOEXEC
	seekEnd      = 2
	errIntr      = 4
)

// selfExe is "/proc/self/exe" as words of eight characters, the first one
// lowest.
const (
	selfExe0 = '/' | 'p'<<8 | 'r'<<16 | 'o'<<24 | 'c'<<32 | '/'<<40 | 's'<<48 | 'e'<<56
	selfExe1 = 'l' | 'f'<<8 | '/'<<16 | 'e'<<24 | 'x'<<32 | 'e'<<40
)

// extract writes the chosen variant's own ELF file to standard output and ends
// the process. It reads the file, for what is in memory is not all of it.
//
//go:nosplit
func extract(s *state) {
	path := [2]uint64{selfExe0, selfExe1}
	fd := syscall(sysOpenat, atFDCWD, uintptr(unsafe.Pointer(&path)), openReadOnly, 0, 0, 0)
	if failed(fd) {
		s.errno = -fd
		fail(s, format.MsgOpen, exitNotFound)
	}
	if syscall(sysLseek, fd, 0, seekEnd, 0, 0, 0) != uintptr(s.header().FileSize) {
		fail(s, format.MsgChanged, exitNotFound)
	}
	v := s.variant()
	from := uintptr(v.Offset) &^ (format.PageSize - 1)
	skip := uintptr(v.Offset) - from
	left := uintptr(v.Size)
	base := syscall(sysMmap, 0, skip+left, protRead, mapPrivate, fd, from)
	if failed(base) {
		s.errno = -base
		fail(s, format.MsgOpen, exitNotFound)
	}
	for addr := base + skip; left > 0; {
		n := syscall(sysWrite, 1, addr, left, 0, 0, 0)
		switch {
		case !failed(n):
			addr += n
			left -= n
		case -n != errIntr:
			s.errno = -n
			fail(s, format.MsgWrite, exitNotFound)
		}
	}
	exit(0)
}

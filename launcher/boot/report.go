package boot

import (
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// output gathers the pieces of a message, so that one system call writes it.
type output struct {
	pieces [maxPieces]text // as struct iovec of writev(2)
	count  uintptr
	digits [8]byte // of the numbers in the message
	used   uintptr // digits in use
}

const maxPieces = 16

// damagedText is format.DamagedText and a line feed, in words of eight
// characters, the first one lowest.
const (
	damagedText0 = ':' | ' '<<8 | 'd'<<16 | 'a'<<24 | 'm'<<32 | 'a'<<40 | 'g'<<48 | 'e'<<56
	damagedText1 = 'd' | ' '<<8 | 'l'<<16 | 'a'<<24 | 'u'<<32 | 'n'<<40 | 'c'<<48 | 'h'<<56
	damagedText2 = 'e' | 'r'<<8 | ' '<<16 | 't'<<24 | 'a'<<32 | 'b'<<40 | 'l'<<48 | 'e'<<56
	damagedText3 = '\n'
)

// report prints a message of the table on standard error.
//
//go:nosplit
func report(s *state, message uint32) {
	putMessage(s, message)
	flush(s)
}

// reportChoice prints a line that begins with a message and ends with why the level
// was chosen.
//
//go:nosplit
func reportChoice(s *state, message uint32) {
	putMessage(s, message)
	reason := uint32(format.MsgBecauseCPU)
	if s.want.exact != 0 {
		reason = format.MsgBecauseExact
	} else if s.want.max != 0 {
		reason = format.MsgBecauseCap
	}
	report(s, reason)
}

//go:nosplit
func putMessage(s *state, message uint32) {
	m := messageAt(s.table, message)
	addr := s.table + uintptr(m.Offset)
	end := addr + uintptr(m.Len)
	for p := addr; p+1 < end; p++ {
		if load8(p) == '%' {
			put(s, addr, p-addr)
			p++
			addr = p + 1
			putVerb(s, load8(p))
		}
	}
	put(s, addr, end-addr)
}

//go:nosplit
func putVerb(s *state, verb byte) {
	switch verb {
	case format.VerbName:
		putName(s)
	case format.VerbValue:
		put(s, s.value.addr, s.value.len)
	case format.VerbAsked:
		putNumber(s, uintptr(s.asked))
	case format.VerbCPU:
		putNumber(s, uintptr(s.cpu))
	case format.VerbStarted:
		if s.level != 0 {
			putNumber(s, uintptr(s.variant().Level))
		}
	case format.VerbInterp:
		if s.level != 0 && s.variant().Interp.Len != 0 {
			path := s.variant().Interp
			put(s, s.table+uintptr(path.Offset), uintptr(path.Len)-1)
		}
	case format.VerbErrno:
		putNumber(s, s.errno)
	}
}

// fail prints a message and ends the process.
//
//go:nosplit
func fail(s *state, message uint32, status uintptr) {
	report(s, message)
	exit(status)
}

// damaged ends the process when there is no table to take a message from.
//
//go:nosplit
func damaged(s *state) {
	putName(s)
	var words [4]uint64 // no literal: the compiler would copy it from read-only data
	words[0] = damagedText0
	words[1] = damagedText1
	words[2] = damagedText2
	words[3] = damagedText3
	put(s, uintptr(unsafe.Pointer(&words)), 25)
	flush(s)
	exit(exitNotFound)
}

//go:nosplit
func exit(status uintptr) {
	for {
		syscall(sysExit, status, 0, 0, 0, 0, 0)
	}
}

//go:nosplit
func put(s *state, addr, n uintptr) {
	if n == 0 || s.out.count >= maxPieces {
		return
	}
	piece := uintptr(unsafe.Pointer(&s.out.pieces)) + s.out.count*16
	store64(piece, addr)
	store64(piece+8, n)
	s.out.count++
}

// putNumber puts a number of at most four digits.
//
//go:nosplit
func putNumber(s *state, n uintptr) {
	count := uintptr(1)
	for limit := uintptr(10); n >= limit && count < 4; limit *= 10 {
		count++
	}
	if s.out.used+count > uintptr(len(s.out.digits)) {
		return
	}
	addr := uintptr(unsafe.Pointer(&s.out.digits)) + s.out.used
	s.out.used += count
	for i := count; i > 0; i-- {
		store8(addr+i-1, '0'+byte(n%10))
		n /= 10
	}
	put(s, addr, count)
}

// putName puts the last element of argv[0], or of the file's path when there
// are no arguments.
//
//go:nosplit
func putName(s *state) {
	p := s.auxv.execfn
	if load64(s.stack) != 0 {
		p = load64(s.stack + 8)
	}
	if p == 0 {
		return
	}
	name := p
	for ; load8(p) != 0; p++ {
		if load8(p) == '/' && load8(p+1) != 0 {
			name = p + 1
		}
	}
	put(s, name, p-name)
}

//go:nosplit
func flush(s *state) {
	syscall(sysWritev, 2, uintptr(unsafe.Pointer(&s.out.pieces)), s.out.count, 0, 0, 0)
	s.out.count, s.out.used = 0, 0
}

package boot

import (
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// A message is put together in the place of state.interp, so that one system call writes
// it unless it is very long. No message is about what stands there. A text in a message is
// cut where it has more than half of that: some 400 bytes.
const messageSize = unsafe.Sizeof(interpreter{})

// damagedText is format.DamagedText, in words of eight
// characters, the first one lowest.
const (
	damagedText0 = ':' | ' '<<8 | 'd'<<16 | 'a'<<24 | 'm'<<32 | 'a'<<40 | 'g'<<48 | 'e'<<56
	damagedText1 = 'd' | ' '<<8 | 'l'<<16 | 'a'<<24 | 'u'<<32 | 'n'<<40 | 'c'<<48 | 'h'<<56
	damagedText2 = 'e' | 'r'<<8 | ' '<<16 | 't'<<24 | 'a'<<32 | 'b'<<40 | 'l'<<48 | 'e'<<56
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
	for addr < end {
		if s.out > messageSize/2 {
			flush(s)
		}
		c := load8(addr)
		switch {
		case c == '%' && addr+1 < end:
			verb := load8(addr + 1)
			put(s, verbText(s, verb))
			putVerbNumber(s, verb)
			addr += 2
		case c == '\n':
			putByte(s, c)
			addr++
		default:
			addr = putCharacter(s, addr, end)
		}
	}
}

// verbText returns the text that a verb stands for, or nothing.
//
//go:nosplit
func verbText(s *state, verb byte) text {
	switch verb {
	case format.VerbName:
		return name(s)
	case format.VerbValue:
		return s.value
	case format.VerbInterp:
		if s.level != 0 && s.variant().Interp.Len != 0 {
			path := s.variant().Interp
			return text{s.table + uintptr(path.Offset), uintptr(path.Len) - 1}
		}
	}
	return text{}
}

// putVerbNumber puts the number that a verb stands for, if it stands for one.
//
//go:nosplit
func putVerbNumber(s *state, verb byte) {
	n := uintptr(0)
	switch verb {
	case format.VerbAsked:
		n = uintptr(s.asked)
	case format.VerbCPU:
		n = uintptr(s.cpu)
	case format.VerbStarted:
		if s.level == 0 {
			return
		}
		n = uintptr(s.variant().Level)
	case format.VerbErrno:
		n = s.errno
	default:
		return
	}
	putNumber(s, n)
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
	put(s, name(s))
	var words [3]uint64 // no literal: the compiler would copy it from read-only data
	words[0] = damagedText0
	words[1] = damagedText1
	words[2] = damagedText2
	put(s, text{uintptr(unsafe.Pointer(&words)), 24})
	putByte(s, '\n')
	flush(s)
	exit(exitNotFound)
}

//go:nosplit
func exit(status uintptr) {
	for {
		syscall(sysExit, status, 0, 0, 0, 0, 0)
	}
}

// put puts a text that may come from anywhere.
//
//go:nosplit
func put(s *state, t text) {
	for addr, end := t.addr, t.addr+t.len; addr < end; {
		addr = putCharacter(s, addr, end)
	}
}

// putCharacter puts the character at addr, or \xNN for a byte that a terminal could take
// for a command, and returns the address behind it.
//
//go:nosplit
func putCharacter(s *state, addr, end uintptr) uintptr {
	n := printable(addr, end)
	if n == 0 {
		c := load8(addr)
		putByte(s, '\\')
		putByte(s, 'x')
		putByte(s, hexDigit(c>>4))
		putByte(s, hexDigit(c&15))
		return addr + 1
	}
	for ; n > 0; n-- {
		putByte(s, load8(addr))
		addr++
	}
	return addr
}

// printable returns how many bytes the character at addr has, or 0 unless it is a character
// of UTF-8 that can be printed: no control character (to U+001F, U+007F to U+009F), and none
// that is invisible or turns the text around it (U+200B to U+200F, U+2028 to U+202E, U+2060
// to U+206F).
//
//go:nosplit
func printable(addr, end uintptr) uintptr {
	first := load8(addr)
	if first >= ' ' && first < 0x7f {
		return 1
	}
	n := utf8Size(first)
	if n == 0 || end-addr < n {
		return 0
	}
	for i := uintptr(1); i < n; i++ {
		if load8(addr+i)&0xc0 != 0x80 {
			return 0
		}
	}
	second := load8(addr + 1)
	if first == 0xc2 && second < 0xa0 || first == 0xe0 && second < 0xa0 || first == 0xf0 && second < 0x90 {
		return 0 // control characters, also those in more bytes than they need
	}
	if first == 0xe2 && second <= 0x81 {
		third := load8(addr + 2)
		if second == 0x80 && (third >= 0x8b && third <= 0x8f || third >= 0xa8 && third <= 0xae) ||
			second == 0x81 && third >= 0xa0 && third <= 0xaf {
			return 0
		}
	}
	return n
}

// utf8Size returns how many bytes a character has that begins with first, 2 to 4, or 0.
//
//go:nosplit
func utf8Size(first byte) uintptr {
	switch {
	case first < 0xc2 || first > 0xf4:
		return 0
	case first < 0xe0:
		return 2
	case first < 0xf0:
		return 3
	}
	return 4
}

//go:nosplit
func hexDigit(n byte) byte {
	if n < 10 {
		return '0' + n
	}
	return 'a' + n - 10
}

//go:nosplit
func putByte(s *state, c byte) {
	if s.out < messageSize {
		store8(uintptr(unsafe.Pointer(&s.interp))+s.out, c)
		s.out++
	}
}

// putNumber puts a number of at most four digits. A loop would divide by a variable, and
// the compiler would have it call the runtime for zero.
//
//go:nosplit
func putNumber(s *state, n uintptr) {
	if n >= 1000 {
		putByte(s, '0'+byte(n/1000%10))
	}
	if n >= 100 {
		putByte(s, '0'+byte(n/100%10))
	}
	if n >= 10 {
		putByte(s, '0'+byte(n/10%10))
	}
	putByte(s, '0'+byte(n%10))
}

// name returns the last element of argv[0], or of the file's path when there are no
// arguments.
//
//go:nosplit
func name(s *state) text {
	p := s.auxv.execfn
	if load64(s.stack) != 0 {
		p = load64(s.stack + 8)
	}
	if p == 0 {
		return text{}
	}
	start := p
	for ; load8(p) != 0; p++ {
		if load8(p) == '/' && load8(p+1) != 0 {
			start = p + 1
		}
	}
	return text{start, p - start}
}

//go:nosplit
func flush(s *state) {
	syscall(sysWrite, 2, uintptr(unsafe.Pointer(&s.interp)), s.out, 0, 0, 0)
	s.out = 0
}

package dwarfshift

import "fmt"

// operands says what follows an opcode of an expression: 1, 2, 4 and 8 are so
// many bytes, l is a LEB128, a an address, x the index of one, o an offset in
// .debug_info (r in DWARF 2 an address), b and s are bytes behind their number as a
// LEB128 or in one byte, e an expression behind its size, p an encoded pointer.
// Source: DWARF 5, 7.7.1, and the GNU extensions.
var operands = map[byte]string{
	0x03: "a", 0x06: "",
	0x08: "1", 0x09: "1", 0x0a: "2", 0x0b: "2", 0x0c: "4", 0x0d: "4", 0x0e: "8", 0x0f: "8", 0x10: "l", 0x11: "l",
	0x15: "1", 0x23: "l", 0x28: "2", 0x2f: "2",
	0x90: "l", 0x91: "l", 0x92: "ll", 0x93: "l", 0x94: "1", 0x95: "1", 0x96: "", 0x97: "",
	0x98: "2", 0x99: "4", 0x9a: "r", 0x9b: "", 0x9c: "", 0x9d: "ll", 0x9e: "b", 0x9f: "",
	0xa0: "rl", 0xa1: "x", 0xa2: "l", 0xa3: "e", 0xa4: "ls", 0xa5: "ll", 0xa6: "1l", 0xa7: "1l", 0xa8: "l", 0xa9: "l",
	0xe0: "", 0xf0: "", 0xf1: "p", 0xf2: "rl", 0xf3: "e", 0xf4: "ls", 0xf5: "ll", 0xf6: "1l", 0xf7: "l", 0xf9: "l",
	0xfa: "4", 0xfb: "x", 0xfc: "l", 0xfd: "o",
}

const (
	opAddr                = 0x03
	opFormTLSAddress      = 0x9b
	opGNUPushTLSAddress   = 0xe0
	maxNestedExpressions  = 8
	firstWithoutOperands  = 0x12
	lastWithoutOperands   = 0x6f // literals and registers
	firstRegisterWithMore = 0x70
	lastRegisterWithMore  = 0x8f
)

// operandsOf returns what follows an opcode.
func operandsOf(op byte) (kinds string, known bool) {
	if kinds, known = operands[op]; known {
		return kinds, true
	}
	switch {
	case op >= firstWithoutOperands && op <= lastWithoutOperands:
		return "", true
	case op >= firstRegisterWithMore && op <= lastRegisterWithMore:
		return "l", true
	}
	return "", false
}

// expression marks the addresses in an expression.
func (u *unit) expression(c *cursor, depth int) error {
	if depth > maxNestedExpressions {
		return fmt.Errorf("%s: at %#x: more than %d expressions in each other", c.name, c.at, maxNestedExpressions)
	}
	for !c.done() {
		op := c.byte()
		kinds, known := operandsOf(op)
		if !known {
			c.fail(fmt.Errorf("operation %#x, which is not known", op))
		}
		if op == opAddr && c.isOffsetOfThread() {
			kinds = "8"
		}
		for _, kind := range kinds {
			if err := u.operand(c, kind, depth); err != nil {
				return err
			}
		}
	}
	return c.err
}

// isOffsetOfThread reports whether what is here is no address but an offset in
// each thread's variables, for that is what it is used as.
func (c *cursor) isOffsetOfThread() bool {
	if c.end-c.at <= addressSize {
		return false
	}
	next := c.data[c.at+addressSize]
	return next == opFormTLSAddress || next == opGNUPushTLSAddress
}

func (u *unit) operand(c *cursor, kind rune, depth int) error {
	switch kind {
	case '1', '2', '4', '8':
		c.skip(uint64(kind - '0'))
	case 'l':
		c.leb()
	case 'a':
		c.address()
	case 'x':
		if index := c.leb(); c.err == nil {
			if _, err := u.indexed(index); err != nil {
				return err
			}
		}
	case 'o':
		c.skip(u.offsetSize)
	case 'r':
		if u.version == 2 {
			c.skip(addressSize)
		} else {
			c.skip(u.offsetSize)
		}
	case 'b':
		c.skip(c.leb())
	case 's':
		c.skip(c.uint(1))
	case 'e':
		if inner := c.part(c.leb()); inner.err == nil {
			return u.expression(inner, depth+1)
		}
	case 'p':
		c.pointer(c.byte())
	}
	return c.err
}

// pointer reads a pointer as it is encoded in call frame information, and marks
// it when it is an address. Source: Linux Standard Base, "DWARF Exception Header
// Encoding".
func (c *cursor) pointer(encoding byte) {
	const omitted, relative = 0xff, 0x70
	switch {
	case encoding == omitted:
	case encoding&relative != 0:
		c.encoded(encoding)
	case encodedSize(encoding) == addressSize:
		c.address()
	default:
		c.fail(fmt.Errorf("an address encoded as %#x: want one of %d bytes", encoding, addressSize))
	}
}

// encoded skips an encoded number.
func (c *cursor) encoded(encoding byte) {
	if size := encodedSize(encoding); size > 0 {
		c.skip(size)
		return
	}
	c.leb()
}

// encodedSize returns the size of an encoded number, or 0 for a LEB128.
func encodedSize(encoding byte) uint64 {
	switch encoding & 0x07 { // the bit above says that it is signed
	case 1:
		return 0
	case 2:
		return 2
	case 3:
		return 4
	}
	return 8
}

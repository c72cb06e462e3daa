package dwarfshift

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// cursor reads a part of a section. After an error, which it keeps, it reads
// zeroes and is at its end.
type cursor struct {
	*section
	at, end uint64
	err     error
}

// cursor returns one for the section from an offset on.
func (s *section) cursor(at uint64) *cursor {
	c := &cursor{section: s, end: uint64(len(s.data))}
	c.skip(at)
	return c
}

// cursor returns one for a section, or an error when there is no such section.
func (s *shifter) cursor(name string, at uint64) (*cursor, error) {
	section := s.sections[name]
	if section == nil {
		return nil, fmt.Errorf("no section %s, which .debug_info points into", name)
	}
	c := section.cursor(at)
	return c, c.err
}

var errShort = errors.New("is cut off")

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = fmt.Errorf("%s: at %#x: %w", c.name, c.at, err)
	}
	c.at = c.end
}

func (c *cursor) done() bool { return c.at >= c.end }

func (c *cursor) skip(n uint64) {
	if n > c.end-c.at {
		c.fail(errShort)
		return
	}
	c.at += n
}

// part returns a cursor for the next n bytes, and is behind them.
func (c *cursor) part(n uint64) *cursor {
	p := &cursor{section: c.section, at: c.at}
	c.skip(n)
	p.end, p.err = c.at, c.err
	if c.err != nil {
		p.at = p.end
	}
	return p
}

// uint reads a number of 1 to 8 bytes.
func (c *cursor) uint(size uint64) uint64 {
	at := c.at
	c.skip(size)
	if c.err != nil {
		return 0
	}
	var number [8]byte
	copy(number[:], c.data[at:at+size])
	return binary.LittleEndian.Uint64(number[:])
}

func (c *cursor) byte() byte { return byte(c.uint(1)) }

// leb reads an unsigned LEB128, or skips a signed one.
func (c *cursor) leb() (value uint64) {
	for shift := 0; ; shift += 7 {
		b := c.byte()
		if shift < 64 {
			value |= uint64(b&0x7f) << shift
		}
		if b < 0x80 {
			return value
		}
	}
}

// text reads a string, without the zero byte at its end.
func (c *cursor) text() []byte {
	from := c.at
	n := bytes.IndexByte(c.data[from:c.end], 0)
	if n < 0 {
		c.fail(errShort)
		return nil
	}
	c.at += uint64(n) + 1
	return c.data[from : c.at-1]
}

// address marks an address and returns what it is.
func (c *cursor) address() uint64 {
	at := c.at
	value := c.uint(addressSize)
	if c.err == nil {
		if err := c.mark(at); err != nil {
			c.err, c.at = err, c.end
		}
	}
	return value
}

// initial reads the length that a contribution to a section begins with, and
// returns a cursor for what follows and the size of offsets in it. Source: DWARF
// 5, 7.2.2 and 7.4.
func (c *cursor) initial() (body *cursor, offsetSize uint64) {
	offsetSize = 4
	length := c.uint(4)
	if length == 0xffffffff {
		offsetSize = 8
		length = c.uint(8)
	} else if length >= 0xfffffff0 {
		c.fail(fmt.Errorf("a length of %#x, which is reserved", length))
	}
	return c.part(length), offsetSize
}

// checkAddressSize refuses addresses of another size, and segments.
func (c *cursor) checkAddressSize(size, segment byte) {
	if c.err == nil && (size != addressSize || segment != 0) {
		c.fail(fmt.Errorf("addresses of %d bytes and segments of %d: want %d and 0", size, segment, addressSize))
	}
}

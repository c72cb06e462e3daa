package dwarfshift

import (
	"encoding/binary"
	"fmt"
)

// DebugFrame returns, as the contents of a .debug_frame, what .eh_frame at an
// address says of how to find callers; what only exceptions need is left out. Addresses
// in it that are not relative are moved by a distance. offset is what will stand before
// it in its section.
//
// Debuggers read .eh_frame in the program alone, and by its name, which only one
// level's can have there; .debug_frame they read in debug files.
//
// Source: Linux Standard Base, "Exception Frames".
func DebugFrame(contents []byte, address, by, offset uint64) ([]byte, error) {
	section := &section{name: ".eh_frame", data: contents}
	f := &frameWriter{offset: offset, address: address, by: by, known: map[uint64]written{}}
	for all := section.cursor(0); !all.done(); {
		start := all.at
		c, _ := all.initial()
		if c.err == nil && c.done() { // the end of what a file gave
			continue
		}
		at := c.at
		if back := c.uint(4); back == 0 {
			f.common(c, start)
		} else {
			f.entry(c, at-back)
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	return f.out, nil
}

// frameWriter writes a .debug_frame.
type frameWriter struct {
	out                 []byte
	offset, address, by uint64
	known               map[uint64]written // by offset in .eh_frame
}

// written is a CIE that was written.
type written struct {
	common
	offset uint64
}

// common writes a CIE.
func (f *frameWriter) common(c *cursor, start uint64) {
	shared := c.common()
	f.known[start] = written{shared, f.offset + uint64(len(f.out))}
	if c.err != nil || shared.opaque {
		return
	}
	const withoutSizes = 3 // of addresses; what follows is the same in version 4
	head := []byte{0xff, 0xff, 0xff, 0xff, min(shared.version, withoutSizes)}
	if shared.signal {
		head = append(head, "zS"...)
	}
	head = append(append(head, 0), shared.alignment...)
	if shared.signal {
		head = append(head, 0) // bytes of the augmentation
	}
	f.write(head, c)
}

// entry writes an FDE.
func (f *frameWriter) entry(c *cursor, of uint64) {
	shared, found := f.known[of]
	if !found {
		c.fail(fmt.Errorf("no common information entry at %#x, as it says", of))
	}
	if c.err != nil || shared.opaque {
		return
	}
	begin := f.pointer(c, shared.encoding)
	size := c.number(shared.encoding)
	if shared.augmented {
		c.skip(c.leb())
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(shared.offset))
	head = binary.LittleEndian.AppendUint64(head, begin)
	head = binary.LittleEndian.AppendUint64(head, size)
	if shared.signal {
		head = append(head, 0)
	}
	if c.err == nil {
		f.write(head, c)
	}
}

// pointer reads where code begins.
func (f *frameWriter) pointer(c *cursor, encoding byte) uint64 {
	const relative, toItself = 0xf0, 0x10
	at := c.at
	value := c.number(encoding)
	switch encoding & relative {
	case 0:
		return value + f.by
	case toItself:
		return f.address + at + value
	}
	c.fail(fmt.Errorf("a pointer encoded as %#x, which is not known here", encoding))
	return 0
}

// number reads an encoded number.
func (c *cursor) number(encoding byte) uint64 {
	const signed = 0x08
	size := encodedSize(encoding)
	if size == 0 {
		c.fail(fmt.Errorf("a pointer encoded as %#x, which is not known here", encoding))
		return 0
	}
	value := c.uint(size)
	if encoding&signed != 0 {
		shift := 64 - 8*size
		return uint64(int64(value<<shift) >> shift)
	}
	return value
}

// write writes an entry: what is given, then the instructions, filled up with ones
// that do nothing.
func (f *frameWriter) write(head []byte, instructions *cursor) {
	rest := instructions.data[instructions.at:instructions.end]
	length := len(head) + len(rest)
	fill := (8 - (4+length)%8) % 8
	f.out = binary.LittleEndian.AppendUint32(f.out, uint32(length+fill))
	f.out = append(append(f.out, head...), rest...)
	f.out = append(f.out, make([]byte, fill)...)
}

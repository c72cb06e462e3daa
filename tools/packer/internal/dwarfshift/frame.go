package dwarfshift

import "fmt"

// common is what entries of call frame information have in common (a CIE).
type common struct {
	version   byte
	alignment []byte // alignments and the register of the return address, as they are written
	encoding  byte   // of addresses
	augmented bool   // entries have data of their own with a size in front
	signal    bool   // the code is not called, but interrupts
	opaque    bool   // the instructions are not known
}

// frames goes through .debug_frame. Source: DWARF 5, 6.4.1.
func (s *shifter) frames() error {
	section := s.sections[".debug_frame"]
	if section == nil {
		return nil
	}
	known := map[uint64]common{}
	for all := section.cursor(0); !all.done(); {
		start := all.at
		c, offsetSize := all.initial()
		if c.err != nil {
			return c.err
		}
		if c.done() { // zeroes between what files gave
			continue
		}
		u := &unit{shifter: s, section: section, version: 4, offsetSize: offsetSize} // for expressions
		id := c.uint(offsetSize)
		if c.err == nil && isCIE(id, offsetSize) {
			known[start] = c.common()
			if err := u.instructions(c, known[start]); err != nil {
				return err
			}
			continue
		}
		shared, found := known[id]
		if !found {
			c.fail(fmt.Errorf("no common information entry at %#x, as it says", id))
		}
		c.pointer(shared.encoding)
		c.encoded(shared.encoding) // how long the code is
		if shared.augmented {
			c.skip(c.leb())
		}
		if err := u.instructions(c, shared); err != nil {
			return err
		}
	}
	return nil
}

func isCIE(id, offsetSize uint64) bool { return id == ^uint64(0)>>(64-8*offsetSize) }

// common reads a CIE, from its version up to its instructions.
func (c *cursor) common() common {
	shared := common{version: c.byte()}
	if c.err == nil && shared.version != 1 && shared.version != 3 && shared.version != 4 {
		c.fail(fmt.Errorf("call frame information of version %d: want 1, 3 or 4", shared.version))
	}
	augmentation := c.text()
	if shared.version == 4 {
		c.checkAddressSize(c.byte(), c.byte())
	}
	if string(augmentation) == "eh" {
		c.skip(addressSize)
	}
	from := c.at
	c.leb() // alignment of code
	c.leb() // alignment of data
	if shared.version == 1 {
		c.byte() // register of the return address
	} else {
		c.leb()
	}
	shared.alignment = c.data[min(from, c.at):c.at]
	switch {
	case len(augmentation) == 0 || string(augmentation) == "eh":
		return shared
	case augmentation[0] != 'z':
		shared.opaque = true
		return shared
	}
	shared.augmented = true
	data := c.part(c.leb())
	for _, letter := range augmentation[1:] {
		switch letter {
		case 'L':
			data.byte()
		case 'P':
			data.encoded(data.byte())
		case 'R':
			shared.encoding = data.byte()
		case 'S':
			shared.signal = true
		}
	}
	if data.err != nil {
		c.fail(errShort)
	}
	return shared
}

// instructionOperands are as operands, and p, which is an encoded address.
// Source: DWARF 5, 7.24, and the GNU extensions.
var instructionOperands = map[byte]string{
	0x00: "", 0x01: "p", 0x02: "1", 0x03: "2", 0x04: "4", 0x05: "ll", 0x06: "l", 0x07: "l", 0x08: "l", 0x09: "ll", 0x0a: "", 0x0b: "",
	0x0c: "ll", 0x0d: "l", 0x0e: "l", 0x0f: "e", 0x10: "le", 0x11: "ll", 0x12: "ll", 0x13: "l", 0x14: "ll", 0x15: "ll", 0x16: "le",
	0x1d: "8", 0x2d: "", 0x2e: "l", 0x2f: "ll",
}

// instructions marks the addresses in call frame instructions.
func (u *unit) instructions(c *cursor, shared common) error {
	const advance, offset, restore, opcode = 0x40, 0x80, 0xc0, 0xc0
	for !shared.opaque && !c.done() {
		instruction := c.byte()
		kinds, known := instructionOperands[instruction]
		switch instruction & opcode {
		case advance, restore:
			kinds, known = "", true
		case offset:
			kinds, known = "l", true
		}
		if !known {
			c.fail(fmt.Errorf("call frame instruction %#x, which is not known", instruction))
		}
		for _, kind := range kinds {
			if kind == 'p' {
				c.pointer(shared.encoding)
				continue
			}
			if err := u.operand(c, kind, 0); err != nil {
				return err
			}
		}
	}
	return c.err
}

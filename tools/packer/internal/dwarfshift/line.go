package dwarfshift

import "fmt"

// lines goes through the line number programs. Source: DWARF 5, 6.2.
func (s *shifter) lines() error {
	section := s.sections[".debug_line"]
	if section == nil {
		return nil
	}
	for all := section.cursor(0); !all.done(); {
		c, offsetSize := all.initial()
		if err := c.lineProgram(offsetSize); err != nil {
			return err
		}
	}
	return nil
}

// lineProgram marks the addresses that a program sets.
func (c *cursor) lineProgram(offsetSize uint64) error {
	const (
		extended        = 0
		fixedAdvance    = 9
		setAddress      = 2 // extended
		beforeOpcodeEnd = 4 // bytes: shortest instruction, is_stmt, line base, line range
	)
	version := c.uint(2)
	if c.err == nil && (version < 2 || version > 5) {
		return fmt.Errorf("%s: at %#x: a line table of version %d: want 2 to 5", c.name, c.at, version)
	}
	if version == 5 {
		c.checkAddressSize(c.byte(), c.byte())
	}
	header := c.part(c.uint(offsetSize))
	header.skip(beforeOpcodeEnd)
	if version >= 4 {
		header.skip(1) // operations of an instruction
	}
	base := uint64(header.byte()) // opcodes from here on have no operands
	lengths := header.part(max(base, 1) - 1)
	if header.err != nil {
		return header.err
	}
	for !c.done() {
		op := uint64(c.byte())
		switch {
		case op >= base:
		case op == extended:
			body := c.part(c.leb())
			if body.byte() == setAddress {
				if body.end-body.at != addressSize {
					body.fail(fmt.Errorf("an address of %d bytes: want %d", body.end-body.at, addressSize))
				}
				body.address()
			}
			if body.err != nil {
				return body.err
			}
		case op == fixedAdvance:
			c.skip(2)
		default:
			for range lengths.data[lengths.at+op-1] {
				c.leb()
			}
		}
	}
	return c.err
}

package dwarfshift

import "fmt"

// aranges goes through .debug_aranges. Source: DWARF 5, 6.1.2.
func (s *shifter) aranges() error {
	section := s.sections[".debug_aranges"]
	if section == nil {
		return nil
	}
	const pair = 2 * addressSize
	for all := section.cursor(0); !all.done(); {
		start := all.at
		c, offsetSize := all.initial()
		if version := c.uint(2); c.err == nil && version != 2 {
			return fmt.Errorf("%s: at %#x: address ranges of version %d: want 2", c.name, start, version)
		}
		c.skip(offsetSize)
		c.checkAddressSize(c.byte(), c.byte())
		c.skip((pair - (c.at-start)%pair) % pair)
		for !c.done() {
			c.address()
			c.skip(addressSize)
		}
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

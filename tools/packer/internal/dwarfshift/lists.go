package dwarfshift

import "fmt"

// listx follows an index of a list.
func (u *unit) listx(name string, base, index uint64, read func(*cursor) error) error {
	c, err := u.cursor(name, base)
	if err != nil {
		return err
	}
	if index > (c.end-c.at)/u.offsetSize {
		return fmt.Errorf("%s: list %d from %#x on: the section has %#x bytes", name, index, base, c.end)
	}
	c.skip(index * u.offsetSize)
	offset := c.uint(u.offsetSize)
	if c.err != nil {
		return c.err
	}
	list := c.section.cursor(base)
	list.skip(offset)
	return read(list)
}

// rangeList marks the addresses of a list of ranges.
func (u *unit) rangeList(offset uint64) error {
	if u.version >= 5 {
		c, err := u.cursor(".debug_rnglists", offset)
		if err != nil {
			return err
		}
		return u.rnglist(c)
	}
	c, err := u.cursor(".debug_ranges", offset)
	if err != nil {
		return err
	}
	return u.pairs(c, false)
}

// locationList marks the addresses of a list of locations, and those in their
// expressions.
func (u *unit) locationList(offset uint64) error {
	if u.version >= 5 {
		c, err := u.cursor(".debug_loclists", offset)
		if err != nil {
			return err
		}
		return u.loclist(c)
	}
	c, err := u.cursor(".debug_loc", offset)
	if err != nil {
		return err
	}
	return u.pairs(c, true)
}

// pairs reads a list of .debug_ranges or .debug_loc. What it has are addresses
// where the base is zero, as it is in units in several sections, or missing. Source:
// DWARF 4, 2.6.2 and 2.17.3.
func (u *unit) pairs(c *cursor, expressions bool) error {
	base := u.base
	for {
		start := c.at
		begin, end := c.uint(addressSize), c.uint(addressSize)
		if begin == 0 && end == 0 || c.seen(start, base == 0) {
			return c.err
		}
		pair := *c
		pair.at = start
		switch {
		case begin == ^uint64(0):
			pair.skip(addressSize)
			base = pair.address()
		case base == 0:
			pair.address()
			pair.address()
		}
		if pair.err != nil {
			return pair.err
		}
		if expressions && begin != ^uint64(0) {
			if err := u.expression(c.part(c.uint(2)), 0); err != nil {
				return err
			}
		}
	}
}

// seen reports whether an entry of a list was read before, and notes that it is
// being read: lists may share their ends.
func (c *cursor) seen(at uint64, absolute bool) bool {
	set := &c.relative
	if absolute {
		set = &c.absolute
	}
	if c.err != nil || set.has(at) {
		return true
	}
	set.set(at, len(c.data))
	return false
}

// rnglist reads a list of .debug_rnglists. Source: DWARF 5, 7.25.
func (u *unit) rnglist(c *cursor) error {
	kinds := []string{"", "x", "xx", "xl", "ll", "a", "aa", "al"}
	return u.entries(c, kinds)
}

// loclist reads a list of .debug_loclists. Source: DWARF 5, 7.7.3; a pair of views is
// GNU's.
func (u *unit) loclist(c *cursor) error {
	kinds := []string{"", "x", "xxe", "xle", "lle", "e", "a", "aae", "ale", "ll"}
	return u.entries(c, kinds)
}

// entries reads a list whose entries begin with their kind; kinds has the
// operands.
func (u *unit) entries(c *cursor, kinds []string) error {
	for {
		start := c.at
		kind := c.byte()
		if kind == 0 || c.seen(start, true) {
			return c.err
		}
		if int(kind) >= len(kinds) {
			c.fail(fmt.Errorf("an entry of kind %d, which is not known", kind))
			return c.err
		}
		for _, operand := range kinds[kind] {
			if err := u.operand(c, operand, 0); err != nil {
				return err
			}
		}
	}
}

package dwarfshift

import "errors"

// attribute is one attribute of an abbreviation.
type attribute struct{ name, form uint64 }

// abbrevTable has the attributes of entries by the code that they begin with.
type abbrevTable map[uint64][]attribute

// abbrevTables are the tables of .debug_abbrev by their offset.
type abbrevTables struct {
	tables map[uint64]abbrevTable
	read   uint64 // bytes
}

// abbrev returns the table at an offset.
func (s *shifter) abbrev(offset uint64) (abbrevTable, error) {
	if table, known := s.abbrevs.tables[offset]; known {
		return table, nil
	}
	c, err := s.cursor(".debug_abbrev", offset)
	if err != nil {
		return nil, err
	}
	table := abbrevTable{}
	for {
		code := c.leb()
		if code == 0 {
			break
		}
		c.leb()  // tag
		c.byte() // whether there are children
		var attributes []attribute
		for {
			a := attribute{c.leb(), c.leb()}
			if a == (attribute{}) {
				break
			}
			if a.form == formImplicitConst {
				c.leb()
			}
			// These take no place in an entry.
			if a.form != formImplicitConst && a.form != formFlagPresent {
				attributes = append(attributes, a)
			}
		}
		if _, twice := table[code]; twice {
			c.fail(errors.New("an abbreviation code for the second time"))
			break
		}
		table[code] = attributes
	}
	// Tables that overlap would be read again and again.
	if s.abbrevs.read += c.at - offset; s.abbrevs.read > uint64(len(c.data)) {
		c.fail(errors.New("the table overlaps another one"))
	}
	if c.err != nil {
		return nil, c.err
	}
	if s.abbrevs.tables == nil {
		s.abbrevs.tables = map[uint64]abbrevTable{}
	}
	s.abbrevs.tables[offset] = table
	return table, nil
}

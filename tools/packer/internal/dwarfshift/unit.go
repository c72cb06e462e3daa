package dwarfshift

import "fmt"

// Forms. Source: DWARF 5, 7.5.6, and the GNU and LLVM extensions.
const (
	formAddr            = 0x01
	formBlock2          = 0x03
	formBlock4          = 0x04
	formData2           = 0x05
	formData4           = 0x06
	formData8           = 0x07
	formString          = 0x08
	formBlock           = 0x09
	formBlock1          = 0x0a
	formData1           = 0x0b
	formFlag            = 0x0c
	formSdata           = 0x0d
	formStrp            = 0x0e
	formUdata           = 0x0f
	formRefAddr         = 0x10
	formRef1            = 0x11
	formRef2            = 0x12
	formRef4            = 0x13
	formRef8            = 0x14
	formRefUdata        = 0x15
	formIndirect        = 0x16
	formSecOffset       = 0x17
	formExprloc         = 0x18
	formFlagPresent     = 0x19
	formStrx            = 0x1a
	formAddrx           = 0x1b
	formRefSup4         = 0x1c
	formStrpSup         = 0x1d
	formData16          = 0x1e
	formLineStrp        = 0x1f
	formRefSig8         = 0x20
	formImplicitConst   = 0x21
	formLoclistx        = 0x22
	formRnglistx        = 0x23
	formRefSup8         = 0x24
	formStrx1           = 0x25
	formStrx2           = 0x26
	formStrx3           = 0x27
	formStrx4           = 0x28
	formAddrx1          = 0x29
	formAddrx2          = 0x2a
	formAddrx3          = 0x2b
	formAddrx4          = 0x2c
	formGNUAddrIndex    = 0x1f01
	formGNUStrIndex     = 0x1f02
	formGNURefAlt       = 0x1f20
	formGNUStrpAlt      = 0x1f21
	formLLVMAddrxOffset = 0x2001
)

// Attributes that say where things are.
const (
	attrLowpc              = 0x11
	attrStartScope         = 0x2c
	attrDataMemberLocation = 0x38 // before DWARF 4, a number may be itself
	attrRanges             = 0x55
	attrAddrBase           = 0x73
	attrRnglistsBase       = 0x74
	attrDwoName            = 0x76
	attrLoclistsBase       = 0x8c
	attrGNUDwoName         = 0x2130
	attrGNURangesBase      = 0x2132
	attrGoRuntimeType      = 0x2904 // an offset among Go's types, although its form says that it is an address
	attrGNUAddrBase        = 0x2133
)

// located are attributes whose value is an expression or, where the value here is
// true, may be a location list.
var located = map[uint64]bool{
	0x02: true,                                                                   // location
	0x0b: false, 0x0d: false, 0x22: false, 0x2e: false, 0x2f: false, 0x37: false, // sizes and bounds
	0x19: true,                                                      // string_length
	0x2a: true,                                                      // return_addr
	0x38: true,                                                      // data_member_location
	0x40: true,                                                      // frame_base
	0x46: true,                                                      // segment
	0x48: true,                                                      // static_link
	0x4a: true,                                                      // use_location
	0x4d: true,                                                      // vtable_elem_location
	0x4e: false, 0x4f: false, 0x50: false, 0x51: false, 0x71: false, // of arrays: allocated, associated, data_location, byte_stride, rank
	0x7e: false, 0x83: false, 0x84: false, 0x85: false, 0x86: false, // of calls: value, target, ...
	0x2111: false, 0x2112: false, 0x2113: false, 0x2114: false, // the same before DWARF 5
}

// unit is a unit of .debug_info or .debug_types.
type unit struct {
	*shifter
	section    *section
	version    uint16
	offsetSize uint64

	base                                 uint64 // what offsets in lists are added to
	addrBase, rnglistsBase, loclistsBase uint64

	split         bool   // the rest of its description is in a file elsewhere
	rangesBase    uint64 // of that file
	hasRangesBase bool
}

// value is an attribute's value, as far as it matters here.
type value struct {
	form   uint64
	number uint64
	block  *cursor // the contents
	at     uint64  // an address: where it is, in .debug_info
}

// units goes through all units.
func (s *shifter) units() error {
	for _, name := range []string{".debug_info", ".debug_types"} {
		section := s.sections[name]
		if section == nil {
			continue
		}
		for c := section.cursor(0); !c.done(); {
			if err := s.unit(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// unit goes through a unit. Source: DWARF 5, 7.5.1, and DWARF 4, 7.5.1.
func (s *shifter) unit(all *cursor) error {
	const typeUnit, skeleton, splitCompile, splitType = 2, 4, 5, 6
	c, offsetSize := all.initial()
	u := &unit{shifter: s, section: c.section, offsetSize: offsetSize, version: uint16(c.uint(2))}
	kind := byte(0)
	var abbrevOffset uint64
	var size byte
	switch {
	case c.err != nil:
		return c.err
	case u.version < 2 || u.version > 5:
		return fmt.Errorf("%s: at %#x: a unit of version %d: want 2 to 5", c.name, c.at, u.version)
	case u.version == 5:
		kind, size, abbrevOffset = c.byte(), c.byte(), c.uint(offsetSize)
	default:
		abbrevOffset, size = c.uint(offsetSize), c.byte()
		if c.name == ".debug_types" {
			kind = typeUnit
		}
	}
	c.checkAddressSize(size, 0)
	switch kind {
	case typeUnit, splitType:
		c.skip(8 + offsetSize) // signature, and where the type is
	case skeleton, splitCompile:
		c.skip(8) // number of the split unit
	}
	if c.err != nil {
		return c.err
	}
	table, err := s.abbrev(abbrevOffset)
	if err != nil {
		return err
	}
	// The first entry says where the lists and addresses of all are.
	if err := u.prepare(*c, table); err != nil {
		return err
	}
	for !c.done() {
		if err := u.entry(c, table, u.visit); err != nil {
			return err
		}
	}
	if c.err == nil && u.split {
		return u.markSplit()
	}
	return c.err
}

// prepare reads the first entry of a unit, for what holds for all of them.
func (u *unit) prepare(c cursor, table abbrevTable) error {
	var low value
	err := u.entry(&c, table, func(name uint64, v value) error {
		switch name {
		case attrLowpc:
			low = v
		case attrAddrBase, attrGNUAddrBase:
			u.addrBase = v.number
		case attrRnglistsBase:
			u.rnglistsBase = v.number
		case attrLoclistsBase:
			u.loclistsBase = v.number
		case attrGNURangesBase:
			u.rangesBase, u.hasRangesBase = v.number, true
		case attrDwoName, attrGNUDwoName:
			u.split = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	u.base = low.number
	if isIndex(low.form) {
		u.base, err = u.indexed(low.number)
	}
	return err
}

// visit finds what is in an attribute, or where it points.
func (u *unit) visit(name uint64, v value) error {
	mayBeList, isLocated := located[name]
	switch {
	case v.form == formAddr && name != attrGoRuntimeType:
		return u.section.mark(v.at)
	case isIndex(v.form):
		_, err := u.indexed(v.number)
		return err
	case v.form == formExprloc || v.block != nil && isLocated:
		return u.expression(v.block, 0)
	case v.form == formRnglistx:
		return u.listx(".debug_rnglists", u.rnglistsBase, v.number, u.rnglist)
	case v.form == formLoclistx:
		return u.listx(".debug_loclists", u.loclistsBase, v.number, u.loclist)
	case name == attrRanges && u.isOffset(v) || name == attrStartScope && v.form == formSecOffset:
		return u.rangeList(v.number)
	case mayBeList && u.isOffset(v) && (name != attrDataMemberLocation || v.form == formSecOffset):
		return u.locationList(v.number)
	}
	return nil
}

// indexed marks an address in .debug_addr and returns it.
func (u *unit) indexed(index uint64) (uint64, error) {
	c, err := u.cursor(".debug_addr", u.addrBase)
	if err != nil {
		return 0, err
	}
	if index > (c.end-c.at)/addressSize {
		return 0, fmt.Errorf("%s: address %d from %#x on: the section has %#x bytes", c.name, index, c.at, c.end)
	}
	c.skip(index * addressSize)
	return c.address(), c.err
}

// entry calls visit with all attributes of an entry that take a place in it.
func (u *unit) entry(c *cursor, table abbrevTable, visit func(name uint64, v value) error) error {
	code := c.leb()
	attributes, known := table[code]
	if code != 0 && !known {
		c.fail(fmt.Errorf("abbreviation %d, which is not in its table", code))
	}
	for _, a := range attributes {
		v := u.value(c, a.form)
		if c.err != nil {
			return c.err
		}
		if err := visit(a.name, v); err != nil {
			return err
		}
	}
	return c.err
}

// value reads a value.
func (u *unit) value(c *cursor, form uint64) value {
	for range 8 { // an indirect form may be indirect
		if form != formIndirect {
			break
		}
		form = c.leb()
	}
	v := value{form: form, at: c.at}
	switch form {
	case formAddr, formData8, formRef8, formRefSig8, formRefSup8:
		v.number = c.uint(8)
	case formData1, formRef1, formFlag, formStrx1, formAddrx1:
		v.number = c.uint(1)
	case formData2, formRef2, formStrx2, formAddrx2:
		v.number = c.uint(2)
	case formStrx3, formAddrx3:
		v.number = c.uint(3)
	case formData4, formRef4, formRefSup4, formStrx4, formAddrx4:
		v.number = c.uint(4)
	case formData16:
		c.skip(16)
	case formSdata, formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx, formGNUAddrIndex, formGNUStrIndex:
		v.number = c.leb()
	case formLLVMAddrxOffset:
		v.number = c.leb()
		c.skip(4)
	case formStrp, formSecOffset, formStrpSup, formLineStrp, formGNURefAlt, formGNUStrpAlt:
		v.number = c.uint(u.offsetSize)
	case formRefAddr:
		if u.version == 2 {
			c.skip(addressSize)
		} else {
			c.skip(u.offsetSize)
		}
	case formString:
		c.text()
	case formBlock1:
		v.block = c.part(c.uint(1))
	case formBlock2:
		v.block = c.part(c.uint(2))
	case formBlock4:
		v.block = c.part(c.uint(4))
	case formBlock, formExprloc:
		v.block = c.part(c.leb())
	case formFlagPresent:
	default: // formImplicitConst cannot be indirect
		c.fail(fmt.Errorf("form %#x, which is not known", form))
	}
	return v
}

// isOffset reports whether a value is an offset in another section.
func (u *unit) isOffset(v value) bool {
	return v.form == formSecOffset || u.version < 4 && (v.form == formData4 || v.form == formData8)
}

// isIndex reports whether a value is the index of an address.
func isIndex(form uint64) bool {
	switch form {
	case formAddrx, formAddrx1, formAddrx2, formAddrx3, formAddrx4, formGNUAddrIndex, formLLVMAddrxOffset:
		return true
	}
	return false
}

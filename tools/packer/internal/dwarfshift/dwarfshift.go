// Package dwarfshift moves DWARF: it adds a distance to every address that
// debug information has of a program, as a linker would have written them had
// it put the program there.
//
// DWARF 2 to 5 and the extensions of GCC and LLVM are known; addresses have 8
// bytes. What a debugger reaches from .debug_info is followed: location and
// range lists can stand anywhere in their sections, with other things between
// them. Input is not trusted: every offset is checked, and what is allocated is
// in proportion to the sections given.
package dwarfshift

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Sections are the sections that have addresses, or are needed to find them.
var Sections = []string{
	".debug_abbrev", ".debug_addr", ".debug_aranges", ".debug_frame", ".debug_info", ".debug_line",
	".debug_loc", ".debug_loclists", ".debug_ranges", ".debug_rnglists", ".debug_types",
}

// Move says what is moved.
type Move struct {
	// Low and High are the bounds of the program's addresses, both included.
	// Linkers write something else for what they left out, 0 or 1 or -1: that
	// stays.
	Low, High uint64

	// By is added to every address, modulo 2^64.
	By uint64
}

const addressSize = 8

// Shift moves debug information. The contents of the sections, by name, are
// changed in place, unless there is an error; then nothing is changed.
func Shift(contents map[string][]byte, move Move) error {
	s := &shifter{sections: map[string]*section{}}
	for _, name := range Sections {
		if data := contents[name]; len(data) > 0 {
			s.sections[name] = &section{name: name, data: data}
		}
	}
	for _, find := range []func() error{s.units, s.oldSplits, s.lines, s.frames, s.aranges} {
		if err := find(); err != nil {
			return err
		}
	}
	for _, section := range s.sections {
		section.apply(move)
	}
	return nil
}

// shifter finds addresses.
type shifter struct {
	sections map[string]*section
	abbrevs  abbrevTables
	splits   []*unit // before DWARF 5
}

// section is a section and what is known of its bytes.
type section struct {
	name    string
	data    []byte
	address bitmap // an address begins here

	// An entry of a list begins here that was read as one of absolute addresses,
	// or as one of offsets from a base.
	absolute, relative bitmap
}

// mark notes that there is an address.
func (s *section) mark(at uint64) error {
	if at > uint64(len(s.data)) || uint64(len(s.data))-at < addressSize {
		return fmt.Errorf("%s: an address at %#x: the section has %#x bytes", s.name, at, len(s.data))
	}
	for other := at - min(at, addressSize-1); other < at+addressSize; other++ {
		if other != at && s.address.has(other) {
			return fmt.Errorf("%s: addresses at %#x and at %#x overlap", s.name, at, other)
		}
	}
	s.address.set(at, len(s.data))
	return nil
}

// apply moves all addresses that were found.
func (s *section) apply(move Move) {
	for i, word := range s.address {
		for ; word != 0; word &= word - 1 {
			at := s.data[64*i+bits.TrailingZeros64(word):]
			value := binary.LittleEndian.Uint64(at)
			if value >= move.Low && value <= move.High {
				binary.LittleEndian.PutUint64(at, value+move.By)
			}
		}
	}
}

// bitmap is a set of offsets in a section.
type bitmap []uint64

func (b bitmap) has(at uint64) bool {
	return at/64 < uint64(len(b)) && b[at/64]>>(at%64)&1 != 0
}

// set adds an offset; size is that of the section.
func (b *bitmap) set(at uint64, size int) {
	if *b == nil {
		*b = make(bitmap, size/64+1)
	}
	(*b)[at/64] |= 1 << (at % 64)
}

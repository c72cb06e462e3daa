// Package slots is the address plan: where each level of a program is linked,
// so that all of them can be mapped in one process.
//
// A slot belongs to a level, whatever else is packed, so that a level links to
// the same bytes in every packed file. Everything stays below 2 GiB, which is
// as far as system linkers link a position-dependent executable, and clear of
// 0x58000000, where Valgrind lives, and 0x70000000, which rr uses.
//
// Above a 64 KiB boundary there is room for the start of the packed file with the
// launcher, below the slot of the highest level: a page fault in it brings in the
// beginning of the level as well.
//
// private/slots.bzl has the same numbers for the Bazel rules.
package slots

import (
	"fmt"

	"rules_go_multiarch/internal/goamd64"
)

// Slot is an address range, in bytes; Limit is the first address after it.
type Slot struct{ Base, Limit uint64 }

// Size returns how many bytes of address space a variant may take.
func (s Slot) Size() uint64 { return s.Limit - s.Base }

// Of returns the slot of a level. v1 is where Go's linker puts every program.
func Of(level goamd64.Level) Slot {
	return [...]Slot{
		{0x00400000, 0x15000000},
		{0x15008000, 0x2a000000},
		{0x2a008000, 0x3f000000},
		{0x3f008000, 0x54000000},
	}[level-goamd64.Min]
}

// TextOffset is the distance from a slot's base to its text: Go's linker keeps
// the page before the text for the ELF headers (cmd/link, -T).
const TextOffset = 0x1000

// Linker is a linker, by the flag that tells it where a program goes.
type Linker int

// The linkers.
const (
	GoLinker   Linker = iota // cmd/link
	GNULinker                // ld.bfd and gold
	LLVMLinker               // lld, that of Zig, and mold
)

// Flag returns the flag that has a linker put a program in the slot; it is one of the C
// compiler's unless it is GoLinker's.
func (s Slot) Flag(linker Linker) string {
	switch linker {
	case GNULinker:
		return fmt.Sprintf("-Wl,-Ttext-segment=%#x", s.Base)
	case LLVMLinker:
		return fmt.Sprintf("-Wl,--image-base=%#x", s.Base)
	}
	return fmt.Sprintf("-T=%#x", s.Base+TextOffset)
}

// GoFlag returns the flag of go build that has a linker put a program in the slot.
func (s Slot) GoFlag(linker Linker) string {
	if linker == GoLinker {
		return "-ldflags=" + s.Flag(linker)
	}
	return "-ldflags=-extldflags=" + s.Flag(linker)
}

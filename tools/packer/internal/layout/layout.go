// Package layout plans a packed file: where each variant stands in the file,
// which program headers map it, and what is left for the boot code to do.
//
// The packed file is the ELF header and program headers, the launcher, and the
// variants' files one after the other, each whole, the highest level first: most
// machines start that, and what comes first in a file is mapped with the fewest
// page faults (bench/README.md). There are three kinds of plan:
//
//   - Variants that were linked apart (each in its slot) follow the cheapest plan
//     that was measured. Each level is one segment, readable and executable, of
//     which the boot code makes read-only and writable data when it is picked, and
//     costs one mapping when it is not. The lowest one of dynamic programs and what the
//     system's linker laid out with gaps keep segments of their own.
//   - Position-independent variants are moved to lie back to back. The kernel
//     maps everything, .bss too: what it left free next to a segment, it could
//     give to the vdso or to the dynamic linker. Much .bss of all levels but the
//     lowest it only keeps the place of, for the kernel counts what it maps.
//   - Variants that were linked to the same addresses are mapped apart, and the
//     one that is picked is moved into place.
package layout

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/launcher/format"
)

const page = format.PageSize

// uncounted is how many bytes of .bss the kernel may map for a level without being charged for
// where that does not run: a hundredth of what Go's runtime takes when it begins.
const uncounted = 400 << 10

// Input is what the plan needs to know of a variant. Loads are its PT_LOAD
// program headers in ascending order of address, checked by package variant.
type Input struct {
	Level goamd64.Level
	Size  uint64 // bytes in the variant's file
	PIE   bool   // it may be moved to any page
	// Interp reports whether it has an interpreter, which "ldd" has load the packed
	// file as if the lowest level were all of it.
	Interp bool
	Loads  []elf.ProgHeader
	// Linker is the one that linked it. Advice hangs on it, and nothing else.
	Linker slots.Linker
	// Constant is the address behind what is only written to by whom relocates the
	// variant (PT_GNU_RELRO, PT_DYNAMIC), or 0. Debuggers read the dynamic section.
	Constant uint64
}

func (in *Input) low() uint64 { return floor(in.Loads[0].Vaddr) }

func (in *Input) high() uint64 {
	last := in.Loads[len(in.Loads)-1]
	return ceil(last.Vaddr + last.Memsz)
}

// Layout is the plan of a packed file.
type Layout struct {
	// PIE reports whether the packed file is position-independent.
	PIE      bool
	Loads    []elf.ProgHeader // the PT_LOAD program headers
	Variants []Placement      // in the order of the inputs

	// Zeroes is the PT_LOAD of the highest variant's .bss, or nil when that has
	// none or is a PIE.
	Zeroes *Zeroes

	// Reserved are the PT_LOADs that keep the place of .bss that the boot code maps.
	Reserved []Zeroes

	// Charged reports whether the kernel maps data of variants that can be written to,
	// which counts against limits whether the variant runs or not.
	Charged bool
	// ChargedHighest reports whether it maps much .bss for the highest level, and no other's.
	ChargedHighest bool

	HeaderAddr uint64 // address of file offset 0
	Start      uint64 // size of the start of the file, launcher included
	End        uint64 // file offset behind the last variant, and behind Zeroes
}

// Zeroes is a PT_LOAD without contents that the kernel maps for a variant, Of,
// which has Ops for the other things that the kernel would do for it alone.
type Zeroes struct {
	elf.ProgHeader
	Of int
}

// LauncherOffset is the page-aligned file offset of the launcher: behind the page
// of the headers.
const LauncherOffset = page

// LauncherAddr returns the address of the launcher.
func (l *Layout) LauncherAddr() uint64 { return l.HeaderAddr + LauncherOffset }

// Placement says where a variant is and how it is completed. Addresses are
// those of the packed file.
type Placement struct {
	Offset    uint64 // of the variant's file in the packed file
	Low, High uint64 // page-aligned bounds of what the Ops change
	Ops       []format.Op
	BSS       bool // the kernel maps all pages that are larger in memory than in the file

	// Data and DataLen are the page-aligned addresses, and their number, of the data
	// that the launcher may unmap when it starts another level.
	Data, DataLen uint64

	// Delta is what is added to the addresses that the variant was linked at to
	// get those that it runs at. It is 0 unless the variant is a PIE.
	Delta uint64
	// Stage is what is added to the addresses that the variant runs at to get
	// those that the kernel maps it at. It is 0 unless it is moved into place.
	Stage uint64
}

// Plan lays out variants, given in ascending order of level, and a launcher of so
// many bytes. remap allows variants that were linked to overlapping addresses.
func Plan(inputs []Input, launcher uint64, remap bool) (*Layout, error) {
	l := &Layout{PIE: inputs[0].PIE, Start: LauncherOffset + launcher}
	for i := range inputs {
		if inputs[i].PIE != l.PIE {
			pie, other := inputs[0].Level, inputs[i].Level
			if !l.PIE {
				pie, other = other, pie
			}
			return nil, fmt.Errorf("%v is a position-independent executable and %v is not: want all of one kind (-buildmode=pie or exe)", pie, other)
		}
		l.Variants = append(l.Variants, Placement{Low: inputs[i].low(), High: inputs[i].high()})
	}
	var err error
	switch {
	case l.PIE:
		l.placeMovable(inputs)
	case remap:
		err = l.placeRemapped(inputs)
	default:
		err = checkApart(inputs)
	}
	if err != nil {
		return nil, err
	}
	l.placeInFile(inputs)
	if err := l.checkStart(inputs); err != nil {
		return nil, err
	}
	l.mapAll(inputs)
	return l, nil
}

// placeInFile chooses the file offsets. The kernel maps large folios of the page
// cache, and whole page tables of them, where offset and address are congruent
// modulo their size: without that a program of 58 MB has twice as many page
// faults. The start of the file is in front of the highest level, in file and
// memory, so that both can be one mapping.
func (l *Layout) placeInFile(inputs []Input) {
	top := len(inputs) - 1
	addr := func(i int) uint64 { return inputs[i].low() + l.Variants[i].Delta + l.Variants[i].Stage }
	alignment := fileAlignment(inputs, addr(top))
	next := ceil(l.Start)
	for i := top; i >= 0; i-- {
		p := &l.Variants[i]
		p.Offset = next + (addr(i)-next)%alignment
		l.End = p.Offset + inputs[i].Size
		next = ceil(l.End)
	}
	if !l.PIE {
		l.HeaderAddr = addr(top) - l.Variants[top].Offset
	}
}

// checkStart refuses variants that leave no room for the start of the file.
func (l *Layout) checkStart(inputs []Input) error {
	if l.PIE {
		return nil
	}
	// Addresses below that are not for everybody: vm.mmap_min_addr.
	const lowest = 64 << 10
	top := len(inputs) - 1
	end := inputs[top].low() + l.Variants[top].Stage
	if l.HeaderAddr > end || l.HeaderAddr < lowest {
		return fmt.Errorf("%v is at %#x: want it at %#x or higher, to have room for the launcher below it", inputs[top].Level, end, lowest+l.Variants[top].Offset)
	}
	for i := range inputs {
		in, stage := &inputs[i], l.Variants[i].Stage
		for _, at := range []uint64{in.low(), in.low() + stage} {
			if high := at + in.high() - in.low(); at < end && l.HeaderAddr < high {
				return fmt.Errorf("%v at %#x to %#x leaves no room for the launcher below %v, from %#x to %#x", in.Level, at, high, inputs[top].Level, l.HeaderAddr, end)
			}
		}
	}
	return nil
}

// fileAlignment returns the modulus of the congruence: the size of the largest
// folios and of what one page table maps, which programs of 12 MiB and more are
// worth padding to, for that is a tenth of their start-up (bench/README.md). For
// smaller ones it is what adds no more than a sixteenth of a variant.
func fileAlignment(inputs []Input, top uint64) uint64 {
	const largest = 2 << 20
	size := uint64(0)
	for i := range inputs {
		size = max(size, inputs[i].Size)
	}
	alignment := uint64(largest)
	for size < 6*largest && alignment > page && alignment > size/16 {
		alignment /= 2
	}
	for alignment > page && !inputs[0].PIE && top < 2*alignment {
		alignment /= 2
	}
	return alignment
}

// mapAll makes the program headers and the Ops.
func (l *Layout) mapAll(inputs []Input) {
	for i := range inputs {
		in, p := &inputs[i], &l.Variants[i]
		p.Data, p.DataLen = dataRange(in, i == 0)
		p.Data += p.Delta + p.Stage
		merged, ok := mergedLoad(in, p.Offset)
		if in.Interp && i == 0 {
			// For ldd the dynamic linker writes into its data (DT_DEBUG), and no launcher has run.
			ok = false
		}
		switch {
		case l.PIE:
			p.BSS, l.Charged = true, true
			own := loads(in, p, true)
			if i > 0 {
				own = l.reserve(own, i)
			}
			l.Loads = append(l.Loads, own...)
		case ok && p.Stage == 0 && len(p.Ops) == 0:
			l.Loads = append(l.Loads, merged)
			p.Ops = append(protections(in), completeData(in)...)
		default:
			l.Charged = true
			l.Loads = append(l.Loads, loads(in, p, false)...)
			p.Ops = append(p.Ops, completeData(in)...)
		}
	}
	l.mapStart()
	// Ascending addresses, as the ELF specification wants them.
	slices.SortFunc(l.Loads, func(a, b elf.ProgHeader) int { return cmp.Compare(a.Vaddr, b.Vaddr) })
	if l.PIE {
		l.Loads = fillGaps(l.Loads)
	} else {
		l.endHighest(inputs)
	}
}

// OverlapError says that two variants were linked to the same addresses.
type OverlapError struct{ error }

// checkApart refuses variants that cannot be mapped together.
func checkApart(inputs []Input) error {
	var found string     // the first two that overlap
	var relinks []string // what to do with each that overlaps a lower one
	for i := range inputs {
		in := &inputs[i]
		slot := slots.Of(in.Level)
		if in.low() == slot.Base && in.high() > slot.Limit {
			return fmt.Errorf("%v takes %d MiB of addresses from %#x, but its slot has %d MiB: make it smaller, build it with -buildmode=pie, which needs no slots, or leave levels out until the ones left fit",
				in.Level, (in.high()-in.low())>>20, in.low(), slot.Size()>>20)
		}
		for j := range inputs[:i] {
			other := &inputs[j]
			if !overlap(inputs, j, i) {
				continue
			}
			if found == "" {
				found = fmt.Sprintf("%v at %#x to %#x overlaps %v at %#x to %#x", in.Level, in.low(), in.high(), other.Level, other.low(), other.high())
			}
			relinks = append(relinks, fmt.Sprintf("link %v with %s", in.Level, slot.GoFlag(in.Linker)))
			break
		}
	}
	if found != "" {
		return &OverlapError{fmt.Errorf("%s: %s, or pack with -remap", found, strings.Join(relinks, ", "))}
	}
	return nil
}

// overlap reports whether variants j and i overlap.
func overlap(inputs []Input, j, i int) bool {
	return inputs[i].low() < inputs[j].high() && inputs[j].low() < inputs[i].high()
}

// placeMovable chooses the addresses of position-independent variants. The lowest
// level stays where it was linked, so that what its dynamic section says of
// addresses is true for tools that read it; the start of the file goes behind
// the variants.
func (l *Layout) placeMovable(inputs []Input) {
	next := inputs[0].high()
	for i := 1; i < len(inputs); i++ {
		p := &l.Variants[i]
		p.Delta = alignUp(next, alignment(&inputs[i])) - p.Low
		p.Low += p.Delta
		p.High += p.Delta
		next = p.High
	}
	l.HeaderAddr = next
}

// alignment returns what the variant's segments want of the load address.
func alignment(in *Input) uint64 {
	alignment := uint64(page)
	for _, p := range in.Loads {
		if p.Align > alignment && p.Align&(p.Align-1) == 0 && p.Align <= 1<<21 {
			alignment = p.Align
		}
	}
	return alignment
}

// fillGaps puts inaccessible pages between segments that are not adjacent.
func fillGaps(loads []elf.ProgHeader) []elf.ProgHeader {
	var filled []elf.ProgHeader
	for i, p := range loads {
		if i > 0 {
			last := loads[i-1]
			if end := ceil(last.Vaddr + last.Memsz); end < floor(p.Vaddr) {
				filled = append(filled, aligned(elf.ProgHeader{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: end, Memsz: floor(p.Vaddr) - end}))
			}
		}
		filled = append(filled, p)
	}
	return filled
}

// placeRemapped chooses where variants that overlap stand until they are moved:
// in their level's slot. Their Ops make room and move them.
func (l *Layout) placeRemapped(inputs []Input) error {
	for i := range inputs {
		in, p := &inputs[i], &l.Variants[i]
		moves := false
		for j := range inputs[:i] {
			if !overlap(inputs, j, i) {
				continue
			}
			moves = true
			if other := &l.Variants[j]; other.Stage == 0 {
				p.Ops = append(p.Ops, format.Op{Kind: format.OpUnmap, Addr: inputs[j].low(), Len: inputs[j].high() - inputs[j].low()})
				p.Low, p.High = min(p.Low, inputs[j].low()), max(p.High, inputs[j].high())
			}
		}
		if !moves {
			continue
		}
		slot := slots.Of(in.Level)
		if in.high()-in.low() > slot.Size() {
			return fmt.Errorf("%v takes %d MiB of addresses, but its slot has %d MiB: leave levels out", in.Level, (in.high()-in.low())>>20, slot.Size()>>20)
		}
		p.Stage = slot.Base - in.low()
		p.Ops = append(p.Ops, moveInto(in, p.Stage)...)
	}
	return l.checkStages(inputs)
}

// checkStages refuses what a slot that serves as a stage overlaps.
func (l *Layout) checkStages(inputs []Input) error {
	for i := range inputs {
		p := &l.Variants[i]
		if p.Stage == 0 {
			continue
		}
		low, high := inputs[i].low()+p.Stage, inputs[i].high()+p.Stage
		for j := range inputs {
			if inputs[j].low() < high && low < inputs[j].high() {
				return fmt.Errorf("%v would be mapped at %#x to %#x until it is moved, which %v overlaps at %#x to %#x: link them at their slots",
					inputs[i].Level, low, high, inputs[j].Level, inputs[j].low(), inputs[j].high())
			}
		}
	}
	return nil
}

func aligned(p elf.ProgHeader) elf.ProgHeader {
	p.Paddr, p.Align = p.Vaddr, page
	return p
}

func floor(x uint64) uint64 { return x &^ (page - 1) }

func ceil(x uint64) uint64 { return floor(x + page - 1) }

func alignUp(x, alignment uint64) uint64 { return (x + alignment - 1) &^ (alignment - 1) }

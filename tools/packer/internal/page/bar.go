package page

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"rules_go_multiarch/tools/packer/internal/packed"
)

// width of a bar, in units of the picture.
const width = 1000

// bar is a range of bytes drawn to scale.
type bar struct {
	Label  string
	Height int
	Parts  []part
	Marks  []mark
}

type part struct {
	X, Width float64
	Colour   string
	Title    string
}

type mark struct {
	X     float64
	Y     int
	Text  string
	Small bool
}

// Colours of levels, told apart by people who see fewer colours (Okabe and Ito).
var colours = []string{"#56b4e9", "#009e73", "#e69f00", "#cc79a7"}

const (
	launcherColour = "#d55e00"
	otherColour    = "#9aa7b3"
)

func colour(i int) string { return colours[i%len(colours)] }

// drawn is something in a bar: a range, and how it looks.
type drawn struct {
	from, to     uint64
	name, colour string
	named        bool // even where the name is wider than the range
}

// draw makes a bar of a range. What would be too thin to see is a unit wide.
func draw(label string, from, to uint64, things []drawn) bar {
	b := bar{Label: label, Height: 52}
	at := func(offset uint64) float64 { return width * float64(offset-from) / float64(to-from) }
	free := 0.0 // where the next name may begin
	for _, d := range things {
		x := at(d.from)
		w := max(at(d.to)-x, 1)
		x = min(x, width-w)
		title := fmt.Sprintf("%s: %#x to %#x, %s bytes", d.name, d.from, d.to, grouped(d.to-d.from))
		b.Parts = append(b.Parts, part{x, w, d.colour, title})
		// Letters are about 7 units wide.
		long := 7 * float64(len(d.name))
		left := min(x, width-long)
		if left >= free && (d.named || long <= w) {
			b.Marks = append(b.Marks, mark{X: left, Y: 48, Text: d.name})
			free = left + long + 8
		}
	}
	return b
}

// fileBar shows where everything stands in the file.
func fileBar(file *packed.File) bar {
	var things []drawn
	for i, l := range file.Levels {
		things = append(things, drawn{l.Offset, l.Offset + uint64(l.Size), l.Level.String(), colour(i), true})
	}
	boot := file.Manifest.Boot
	things = append(things, drawn{boot.Offset, boot.Offset + boot.Size, "launcher", launcherColour, false})
	for _, s := range file.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 && s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS {
			things = append(things, drawn{s.Offset, s.Offset + s.FileSize, s.Name, otherColour, false})
		}
	}
	return draw("the file", 0, uint64(file.Size), sorted(things))
}

// memoryBar shows where everything stands in memory.
func memoryBar(file *packed.File) bar {
	var things []drawn
	end := uint64(0)
	for i, l := range file.Levels {
		things = append(things, drawn{l.Table.Low, l.Table.High, fmt.Sprintf("%v at %#x", l.Level, l.Table.Low), colour(i), true})
		end = max(end, l.Table.High)
	}
	boot := file.Manifest.Boot
	things = append(things, drawn{boot.Address, boot.Address + boot.Size, "launcher", launcherColour, false})
	end = max(end, boot.Address+boot.Size)
	return draw("the address space", 0, end+end/20, sorted(things))
}

// Colours of sections by what may be done with them.
func accessColour(flags elf.SectionFlag) string {
	switch {
	case flags&elf.SHF_EXECINSTR != 0:
		return "#0072b2"
	case flags&elf.SHF_WRITE != 0:
		return "#d55e00"
	default:
		return "#b7c8d6"
	}
}

// levelBar shows the sections of one level that are in the file.
func levelBar(file *packed.File, i int) bar {
	l := file.Levels[i]
	var things []drawn
	low, high := l.Table.High, l.Table.Low
	for _, s := range file.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS || s.Size == 0 || levelAt(file, s.Addr) != i {
			continue
		}
		things = append(things, drawn{s.Addr, s.Addr + s.Size, plainName(s.Name, l), accessColour(s.Flags), false})
		low, high = min(low, s.Addr), max(high, s.Addr+s.Size)
	}
	if low >= high {
		return bar{}
	}
	b := draw(l.Level.String()+" in memory", low, high, sorted(things))
	b.Height = 72
	b.Marks = append(b.Marks, mark{Y: 66, Small: true, Text: fmt.Sprintf("%v from %#x to %#x, and up to %#x what is zero at first", l.Level, low, high, l.Table.High)})
	return b
}

// plainName is the name that a section has in the variant's own file.
func plainName(name string, l packed.Level) string {
	level := l.Level.String()
	return strings.TrimPrefix(strings.TrimSuffix(name, "."+level), "."+level)
}

func sorted(things []drawn) []drawn {
	slices.SortStableFunc(things, func(a, b drawn) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	return things
}

package sections

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"
)

// sortSections orders sections in memory by address, behind the null section,
// and returns the new index of each old one.
func sortSections(sections []elf.SectionHeader) []elf.SectionIndex {
	order := make([]int, len(sections))
	for i := range order {
		order[i] = i
	}
	gap := func(i int) int {
		if strings.HasPrefix(sections[i].Name, gapPrefix) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order[1:], func(a, b int) int {
		return cmp.Or(gap(a)-gap(b), cmp.Compare(sections[a].Addr, sections[b].Addr))
	})
	moved := make([]elf.SectionIndex, len(sections))
	sorted := make([]elf.SectionHeader, len(sections))
	for to, from := range order {
		moved[from] = elf.SectionIndex(to)
		sorted[to] = sections[from]
	}
	for i := range sorted {
		s := &sorted[i]
		if s.Link != 0 {
			s.Link = uint32(moved[s.Link])
		}
		if s.Flags&elf.SHF_INFO_LINK != 0 {
			s.Info = uint32(moved[s.Info])
		}
	}
	copy(sections, sorted)
	return moved
}

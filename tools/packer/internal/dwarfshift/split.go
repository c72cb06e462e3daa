package dwarfshift

import (
	"cmp"
	"slices"
)

// markSplit marks all addresses of a unit that is described in a file elsewhere
// (-gsplit-dwarf): that file points at them by number.
func (u *unit) markSplit() error {
	if u.version < 5 {
		u.splits = append(u.splits, u)
		return nil
	}
	if u.sections[".debug_addr"] == nil {
		return nil
	}
	header := 4 + u.offsetSize // length, version, sizes: behind it is the base
	if u.offsetSize == 8 {
		header += 4
	}
	c, err := u.cursor(".debug_addr", u.addrBase-min(u.addrBase, header))
	if err != nil {
		return err
	}
	body, _ := c.initial()
	body.skip(4)
	for !body.done() {
		body.address()
	}
	return body.err
}

// oldSplits marks what files elsewhere have in .debug_addr and .debug_ranges before
// DWARF 5: there are no headers there, so all that follows the first one's, and what
// is between a unit's base and the next one's.
func (s *shifter) oldSplits() error {
	first := ^uint64(0)
	for _, u := range s.splits {
		first = min(first, u.addrBase)
	}
	if addresses := s.sections[".debug_addr"]; addresses != nil && first < uint64(len(addresses.data)) {
		for c := addresses.cursor(first); c.end-c.at >= addressSize; {
			if c.address(); c.err != nil {
				return c.err
			}
		}
	}
	ranges := s.sections[".debug_ranges"]
	if ranges == nil {
		return nil
	}
	s.splits = slices.DeleteFunc(s.splits, func(u *unit) bool { return !u.hasRangesBase })
	slices.SortStableFunc(s.splits, func(a, b *unit) int { return cmp.Compare(a.rangesBase, b.rangesBase) })
	for i, u := range s.splits {
		end := uint64(len(ranges.data))
		if i+1 < len(s.splits) {
			end = min(end, s.splits[i+1].rangesBase)
		}
		for c := ranges.cursor(min(u.rangesBase, end)); c.at < end; {
			if err := u.pairs(c, false); err != nil {
				return err
			}
		}
	}
	return nil
}

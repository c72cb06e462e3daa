package boot

import "rules_go_multiarch/launcher/format"

// choose sets s.level to the variant to start, or reports why there is none
// and exits. It asks the CPU only when that can change the answer.
//
//go:nosplit
func choose(s *state) {
	if s.want.exact != 0 {
		s.asked = s.want.exact
		s.level = highest(s.table, s.asked)
		if s.level == 0 || s.variant().Level != s.asked {
			fail(s, format.MsgNoSuchLevel, exitNotFound)
		}
		if s.asked == 1 {
			return
		}
		if s.cpu = cpuLevel(); s.cpu < s.asked {
			fail(s, format.MsgCPUBelowLevel, exitCannotRun)
		}
		return
	}

	limit := uint32(format.MaxLevels)
	if s.want.max != 0 {
		limit = s.want.max
		s.asked = limit
	}
	s.level = highest(s.table, limit)
	if s.level == 0 {
		fail(s, format.MsgCapTooLow, exitNotFound)
	}
	if s.variant().Level == 1 && !s.want.log && !s.want.logMgo {
		return
	}
	if s.cpu = cpuLevel(); s.cpu < limit {
		s.level = highest(s.table, s.cpu)
	}
	if s.level == 0 {
		fail(s, format.MsgCPUTooOld, exitCannotRun)
	}
}

// highest returns the address of the format.Level that is the highest one of
// at most limit, or 0.
//
//go:nosplit
func highest(table uintptr, limit uint32) uintptr {
	h := (*format.Header)(at(table))
	for i := h.LevelCount; i > 0; i-- {
		addr := levelAt(table, i-1)
		if (*format.Level)(at(addr)).Level <= limit {
			return addr
		}
	}
	return 0
}

package boot

import "rules_go_multiarch/launcher/format"

// tableSound reports whether every offset in the table stays inside it and
// every Op inside its variant. Nothing in the table is followed before.
//
//go:nosplit
func tableSound(table, size uintptr) bool {
	h := (*format.Header)(at(table))
	if size > format.MaxSize || size < uintptr(format.HeaderSize) || size%8 != 0 {
		return false
	}
	if h.Magic != format.Magic || uintptr(h.Size) != size || sumWords(table+16, table+size) != h.Checksum {
		return false
	}
	if h.LevelCount == 0 || h.LevelCount > format.MaxLevels || h.OpCount > format.MaxOps ||
		h.MessageCount != format.MsgCount ||
		!inTable(h, h.Levels, h.LevelCount, format.LevelSize) ||
		!inTable(h, h.Ops, h.OpCount, format.OpSize) ||
		!inTable(h, h.Messages, h.MessageCount, format.TextSize) {
		return false
	}
	previous := uint32(0)
	for i := uint32(0); i < h.LevelCount; i++ {
		l := (*format.Level)(at(levelAt(table, i)))
		if uint64(l.Interp.Offset)+uint64(l.Interp.Len) > uint64(h.Size) ||
			l.Interp.Len != 0 && load8(table+uintptr(l.Interp.Offset)+uintptr(l.Interp.Len)-1) != 0 {
			return false
		}
		if l.Level <= previous || l.Level > format.MaxLevels || !levelSound(table, l) {
			return false
		}
		previous = l.Level
	}
	if h.Debug != 0 && !debugSound(table) {
		return false
	}
	for i := uint32(0); i < h.MessageCount; i++ {
		m := messageAt(table, i)
		if uint64(m.Offset)+uint64(m.Len) > uint64(h.Size) {
			return false
		}
	}
	return true
}

// debugSound reports whether the word for debuggers is among the addresses of the lowest
// level that are mapped when another one runs, and no other level runs there.
//
//go:nosplit
func debugSound(table uintptr) bool {
	h := (*format.Header)(at(table))
	lowest, word := (*format.Level)(at(levelAt(table, 0))), h.Debug
	if word%8 != 0 || word < lowest.Mapped || word >= lowest.Mapped+lowest.Unused ||
		word >= lowest.Data && word < lowest.Data+lowest.DataLen {
		return false
	}
	for i := uint32(1); i < h.LevelCount; i++ {
		if l := (*format.Level)(at(levelAt(table, i))); word >= l.Low && word < l.High {
			return false
		}
	}
	return true
}

// placeSound reports whether the launcher, from its first byte to the end of its
// sound table, is where the table says: moved by what the kernel moves a file by,
// and outside of every variant, for it runs while it unmaps them.
//
//go:nosplit
func placeSound(table, size, entry uintptr) bool {
	h := (*format.Header)(at(table))
	bias := entry - uintptr(h.Entry)
	if bias%format.PageSize != 0 || bias != 0 && h.Flags&format.FlagMovable == 0 {
		return false
	}
	if h.Boot > h.Entry || h.Entry-h.Boot >= format.MaxBoot {
		return false
	}
	low, high := h.Boot, uint64(table+size-bias)
	for i := uint32(0); i < h.LevelCount; i++ {
		l := (*format.Level)(at(levelAt(table, i)))
		if l.Low < high && low < l.High || l.Mapped < high && low < l.Mapped+l.Unused {
			return false
		}
	}
	return true
}

// sumWords is FNV-1a over the words from addr to end.
//
//go:nosplit
func sumWords(addr, end uintptr) uint64 {
	sum := uint64(format.SumBasis)
	for ; addr < end; addr += 8 {
		sum = (sum ^ uint64(load64(addr))) * format.SumPrime
	}
	return sum
}

// inTable reports whether count records of size bytes at offset, aligned as
// they must be, end inside the table.
//
//go:nosplit
func inTable(h *format.Header, offset, count uint32, size uint64) bool {
	return offset%8 == 0 && uint64(offset)+uint64(count)*size <= uint64(h.Size)
}

//go:nosplit
func levelSound(table uintptr, l *format.Level) bool {
	h := (*format.Header)(at(table))
	if l.Low%format.PageSize != 0 || l.High%format.PageSize != 0 || l.Low >= l.High {
		return false
	}
	if l.Entry < l.Low || l.Entry >= l.High || l.Phdr < l.Low || l.Phdr >= l.High {
		return false
	}
	if l.Mapped%format.PageSize != 0 || l.Unused%format.PageSize != 0 || l.Mapped+l.Unused < l.Mapped {
		return false
	}
	if l.DataLen != 0 && (l.Data%format.PageSize != 0 || l.DataLen%format.PageSize != 0 ||
		l.Data < l.Mapped || l.Data > l.Mapped+l.Unused || l.DataLen > l.Mapped+l.Unused-l.Data) {
		return false
	}
	if uint64(l.Op)+uint64(l.OpCount) > uint64(h.OpCount) || l.Size > h.FileSize || l.Offset > h.FileSize-l.Size {
		return false
	}
	for i := uint32(0); i < l.OpCount; i++ {
		op := opAt(table, l.Op+i)
		if op.Addr < l.Low || op.Addr > l.High || op.Len == 0 || op.Len > l.High-op.Addr || op.Prot > protRead|protWrite {
			return false
		}
		if op.Kind == format.OpZero || op.Kind >= format.OpCheck && op.Kind <= format.OpNames {
			if op.Len >= format.PageSize || op.Kind != format.OpZero && (op.Addr%8 != 0 || op.Len%8 != 0) ||
				op.Kind == format.OpDynamic && op.Len%16 != 0 {
				return false
			}
			continue
		}
		if op.Kind < format.OpProtect || op.Kind > format.OpMove || op.Addr%format.PageSize != 0 || op.Len%format.PageSize != 0 {
			return false
		}
		if op.Kind == format.OpMove && (op.From%format.PageSize != 0 || op.From+op.Len < op.From ||
			op.From < l.High && l.Low < op.From+op.Len) {
			return false
		}
	}
	return true
}

// levelAt returns the address of a format.Level.
//
//go:nosplit
func levelAt(table uintptr, i uint32) uintptr {
	h := (*format.Header)(at(table))
	return table + uintptr(h.Levels) + uintptr(i)*uintptr(format.LevelSize)
}

//go:nosplit
func opAt(table uintptr, i uint32) *format.Op {
	h := (*format.Header)(at(table))
	return (*format.Op)(at(table + uintptr(h.Ops) + uintptr(i)*uintptr(format.OpSize)))
}

//go:nosplit
func messageAt(table uintptr, i uint32) *format.Text {
	h := (*format.Header)(at(table))
	return (*format.Text)(at(table + uintptr(h.Messages) + uintptr(i)*uintptr(format.TextSize)))
}

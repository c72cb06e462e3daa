package format

import (
	"debug/elf"
	"encoding/binary"
)

// summed reports whether the sum of a dynamic section has the value of a tag in it, and
// not the tag alone. No dynamic linker changes these values, and they say which libraries
// a program gets.
func summed(tag uint64) bool {
	return tag == uint64(elf.DT_NEEDED) || tag == uint64(elf.DT_STRSZ) || tag == uint64(elf.DT_SONAME) ||
		tag == uint64(elf.DT_RPATH) || tag == uint64(elf.DT_RUNPATH) || tag == uint64(elf.DT_FLAGS) || tag == uint64(elf.DT_FLAGS_1)
}

// SumDynamic returns the sum of a dynamic section: SumWords of its tags, and of the
// values of those that are summed.
func SumDynamic(data []byte) uint64 {
	var words []byte
	for ; len(data) >= 16; data = data[16:] {
		words = append(words, data[:8]...)
		if summed(binary.LittleEndian.Uint64(data)) {
			words = append(words, data[8:16]...)
		}
	}
	return SumWords(words)
}

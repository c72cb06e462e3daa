package boot

import (
	"debug/elf"
	"unsafe"
)

// Name and GNU hash of the structure in which the dynamic linker tells debuggers
// what it has loaded (link.h).
const (
	rDebugName = '_' | 'r'<<8 | '_'<<16 | 'd'<<24 | 'e'<<32 | 'b'<<40 | 'u'<<48 | 'g'<<56
	rDebugHash = 0x5475103c
)

// tellDebuggers puts the address of _r_debug where debuggers look for it: in the
// dynamic section of the executable as its headers have it, which is the lowest
// level's. The dynamic linker puts it into that of the variant that it is entered for.
//
//go:nosplit
func tellDebuggers(s *state) {
	h := s.header()
	if h.Debug == 0 || s.alone || s.level == levelAt(s.table, 0) {
		return
	}
	// A dynamic linker that was told to start the file ("ld.so FILE") has written its own,
	// and has made the page constant.
	if load64(s.bias+uintptr(h.Debug)) != 0 {
		return
	}
	if symbol := findRDebug(s); symbol != 0 {
		store64(s.bias+uintptr(h.Debug), s.interpBase+symbol)
	}
}

// findRDebug looks _r_debug up in the interpreter, which is mapped and has not run, and
// returns its value, or 0.
//
//go:nosplit
func findRDebug(s *state) uintptr {
	var hash, symbols, names uintptr
	for entry := interpDynamic(s); entry != 0; entry += unsafe.Sizeof(elf.Dyn64{}) {
		value := s.interpBase + load64(entry+8)
		switch load64(entry) {
		case uintptr(elf.DT_NULL):
			return lookUpRDebug(hash, symbols, names)
		case uintptr(elf.DT_GNU_HASH):
			hash = value
		case uintptr(elf.DT_SYMTAB):
			symbols = value
		case uintptr(elf.DT_STRTAB):
			names = value
		}
	}
	return 0
}

// interpDynamic returns the address of the interpreter's dynamic section, or 0.
//
//go:nosplit
func interpDynamic(s *state) uintptr {
	for i := uintptr(0); i < uintptr(s.interp.header.Phnum); i++ {
		if p := s.interpProg(i); p.Type == uint32(elf.PT_DYNAMIC) {
			return s.interpBase + uintptr(p.Vaddr)
		}
	}
	return 0
}

// lookUpRDebug returns the value of the symbol _r_debug, or 0. A GNU hash table is four
// words of 32 bits (buckets, index of the first symbol in it, words of its filter, shift),
// the filter, for each bucket the index of its first symbol, and for each symbol its
// hash, whose lowest bit says whether it is its bucket's last.
//
//go:nosplit
func lookUpRDebug(hash, symbols, names uintptr) uintptr {
	if hash == 0 || symbols == 0 || names == 0 {
		return 0
	}
	count, first := uintptr(load32(hash)), uintptr(load32(hash+4))
	if count == 0 {
		return 0
	}
	buckets := hash + 16 + uintptr(load32(hash+8))*8
	hashes := buckets + count*4
	i := uintptr(load32(buckets + rDebugHash%count*4))
	for i >= first && i != 0 {
		symbol := symbols + i*unsafe.Sizeof(elf.Sym64{})
		found := load32(hashes + (i-first)*4)
		name := names + uintptr(load32(symbol))
		if found|1 == rDebugHash|1 && load64(name) == rDebugName && load8(name+8) == 0 {
			return load64(symbol + unsafe.Offsetof(elf.Sym64{}.Value))
		}
		if found&1 != 0 {
			break
		}
		i++
	}
	return 0
}

package boot

import (
	"debug/elf"
	"encoding/binary"
	"testing"
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// TestSumDynamic compares the boot code's sum with the packer's, and changes one word
// after the other: values that dynamic linkers write do not count, all else does.
func TestSumDynamic(t *testing.T) {
	counts := map[elf.DynTag]bool{
		elf.DT_NEEDED: true, elf.DT_STRSZ: true, elf.DT_SONAME: true, elf.DT_RPATH: true, elf.DT_RUNPATH: true,
		elf.DT_FLAGS: true, elf.DT_FLAGS_1: true, elf.DT_STRTAB: false, elf.DT_DEBUG: false, elf.DT_NULL: false,
	}
	var section []byte
	for tag := range counts {
		section = binary.LittleEndian.AppendUint64(section, uint64(tag))
		section = binary.LittleEndian.AppendUint64(section, 7)
	}
	sum := func() uint64 {
		addr := address(section)
		got := sumDynamic(addr, addr+uintptr(len(section)))
		if want := format.SumDynamic(section); got != want {
			t.Errorf("sumDynamic is %#x, format.SumDynamic is %#x", got, want)
		}
		return got
	}
	before := sum()
	for at := 0; at < len(section); at += 8 {
		tag := elf.DynTag(binary.LittleEndian.Uint64(section[at&^15:]))
		section[at] ^= 0x40
		if want, got := at%16 == 0 || counts[tag], sum() != before; got != want {
			t.Errorf("byte %d, of %v, changed: the sum is another one: %v, want %v", at, tag, got, want)
		}
		section[at] ^= 0x40
	}
}

func TestDynamicMoved(t *testing.T) {
	var progs [3]elf.Prog64
	for i, kind := range []elf.ProgType{elf.PT_PHDR, elf.PT_LOAD, elf.PT_DYNAMIC} {
		progs[i] = elf.Prog64{Type: uint32(kind), Vaddr: uint64(i) * 0x1000}
	}
	headers, count := uintptr(unsafe.Pointer(&progs)), uintptr(len(progs))
	s := &state{}
	s.auxv.phdr, s.auxv.phnum = uintptr(unsafe.Pointer(&headers)), uintptr(unsafe.Pointer(&count))
	for addr, want := range map[uint64]bool{0x2000: false, 0x1000: true} {
		if got := dynamicMoved(s, addr); got != want {
			t.Errorf("moved from %#x: %v, want %v", addr, got, want)
		}
	}
	count = 2
	if dynamicMoved(s, 0x2000) {
		t.Error("moved, where there is none")
	}
}

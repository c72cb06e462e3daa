package boot

// registers is what CPUID returns.
type registers struct{ eax, ebx, ecx, edx uint32 }

//go:noescape
func cpuid(r *registers, leaf, subleaf uint32)

func xgetbv() uint32

// The features that Go's own start-up check asks for at each level. Source:
// runtime/asm_amd64.s (V2_FEATURES_CX and so on), which follows the psABI's
// table of micro-architecture levels. Bits: Intel SDM volume 2, CPUID.
const (
	v2Leaf1ECX = 1<<0 | 1<<9 | 1<<13 | 1<<19 | 1<<20 | 1<<23 // SSE3 SSSE3 CMPXCHG16B SSE4.1 SSE4.2 POPCNT
	v2Ext1ECX  = 1 << 0                                      // LAHF/SAHF

	osxsave    = 1 << 27
	v3Leaf1ECX = v2Leaf1ECX | 1<<12 | 1<<22 | osxsave | 1<<28 | 1<<29 // FMA MOVBE OSXSAVE AVX F16C
	v3Ext1ECX  = v2Ext1ECX | 1<<5                                     // LZCNT
	v3Leaf7EBX = 1<<3 | 1<<5 | 1<<8                                   // BMI1 AVX2 BMI2
	v3XCR0     = 1<<1 | 1<<2                                          // XMM YMM

	v4Leaf7EBX = v3Leaf7EBX | 1<<16 | 1<<17 | 1<<28 | 1<<30 | 1<<31 // AVX512F DQ CD BW VL
	v4XCR0     = v3XCR0 | 1<<5 | 1<<6 | 1<<7                        // opmask, ZMM
)

// features is what CPUID and XGETBV say of a CPU: leaves 1, 0x80000001 and 7, and
// the states that the operating system saves.
type features struct {
	leaf1ECX, ext1ECX, leaf7EBX, xcr0 uint32
}

// cpuLevel returns the level of this CPU, 1 to 4, with at most three CPUID
// instructions: in a virtual machine each one costs an exit to the hypervisor.
//
// The highest leaves need no CPUID of their own. Extended leaf 1 is there on
// every CPU with long mode, for it is where long mode is announced; OSXSAVE
// means that leaf 13 is there, and so leaf 7, and that XGETBV may be executed.
//
//go:nosplit
func cpuLevel() uint32 {
	var f features
	var r registers
	cpuid(&r, 1, 0)
	f.leaf1ECX = r.ecx
	cpuid(&r, 0x80000001, 0)
	f.ext1ECX = r.ecx
	if f.leaf1ECX&osxsave != 0 {
		cpuid(&r, 7, 0)
		f.leaf7EBX = r.ebx
		f.xcr0 = xgetbv()
	}
	return levelOf(&f)
}

// levelOf returns the highest level whose features are all there, 1 to 4.
//
//go:nosplit
func levelOf(f *features) uint32 {
	switch {
	case f.leaf1ECX&v2Leaf1ECX != v2Leaf1ECX || f.ext1ECX&v2Ext1ECX != v2Ext1ECX:
		return 1
	case f.leaf1ECX&v3Leaf1ECX != v3Leaf1ECX || f.ext1ECX&v3Ext1ECX != v3Ext1ECX ||
		f.leaf7EBX&v3Leaf7EBX != v3Leaf7EBX || f.xcr0&v3XCR0 != v3XCR0:
		return 2
	case f.leaf7EBX&v4Leaf7EBX != v4Leaf7EBX || f.xcr0&v4XCR0 != v4XCR0:
		return 3
	}
	return 4
}

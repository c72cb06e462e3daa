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

	v3Leaf1ECX = v2Leaf1ECX | 1<<12 | 1<<22 | 1<<27 | 1<<28 | 1<<29 // FMA MOVBE OSXSAVE AVX F16C
	v3Ext1ECX  = v2Ext1ECX | 1<<5                                   // LZCNT
	v3Leaf7EBX = 1<<3 | 1<<5 | 1<<8                                 // BMI1 AVX2 BMI2
	v3XCR0     = 1<<1 | 1<<2                                        // XMM YMM

	v4Leaf7EBX = v3Leaf7EBX | 1<<16 | 1<<17 | 1<<28 | 1<<30 | 1<<31 // AVX512F DQ CD BW VL
	v4XCR0     = v3XCR0 | 1<<5 | 1<<6 | 1<<7                        // opmask, ZMM
)

// cpuLevel returns the level of this CPU, 1 to 4, with at most three CPUID
// instructions: in a virtual machine each one costs an exit to the hypervisor.
//
// The highest leaves need no CPUID of their own. Extended leaf 1 is there on
// every CPU with long mode, for it is where long mode is announced; OSXSAVE
// means that leaf 13 is there, and so leaf 7.
//
//go:nosplit
func cpuLevel() uint32 {
	var leaf1, leaf7, ext1 registers
	cpuid(&leaf1, 1, 0)
	if leaf1.ecx&v2Leaf1ECX != v2Leaf1ECX {
		return 1
	}
	cpuid(&ext1, 0x80000001, 0)
	if ext1.ecx&v2Ext1ECX != v2Ext1ECX {
		return 1
	}
	if leaf1.ecx&v3Leaf1ECX != v3Leaf1ECX || ext1.ecx&v3Ext1ECX != v3Ext1ECX {
		return 2
	}
	xcr0 := xgetbv()
	if xcr0&v3XCR0 != v3XCR0 {
		return 2
	}
	cpuid(&leaf7, 7, 0)
	if leaf7.ebx&v3Leaf7EBX != v3Leaf7EBX {
		return 2
	}
	if leaf7.ebx&v4Leaf7EBX != v4Leaf7EBX || xcr0&v4XCR0 != v4XCR0 {
		return 3
	}
	return 4
}

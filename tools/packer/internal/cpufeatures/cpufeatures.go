// Package cpufeatures names the CPU features of amd64's levels.
package cpufeatures

import (
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
)

// feature is a CPU feature by the name that /proc/cpuinfo and most manuals have
// for it.
type feature struct {
	name string
	id   cpuid.FeatureID
}

// added are the features that a level has and the one below has not. Source: the
// x86-64 psABI, "Micro-Architecture Levels"; runtime/asm_amd64.s asks for the same.
var added = map[goamd64.Level][]feature{
	2: {
		{"CMPXCHG16B", cpuid.CX16}, {"LAHF-SAHF", cpuid.LAHF}, {"POPCNT", cpuid.POPCNT}, {"SSE3", cpuid.SSE3},
		{"SSE4.1", cpuid.SSE4}, {"SSE4.2", cpuid.SSE42}, {"SSSE3", cpuid.SSSE3},
	},
	3: {
		{"AVX", cpuid.AVX}, {"AVX2", cpuid.AVX2}, {"BMI1", cpuid.BMI1}, {"BMI2", cpuid.BMI2}, {"F16C", cpuid.F16C},
		{"FMA", cpuid.FMA3}, {"LZCNT", cpuid.LZCNT}, {"MOVBE", cpuid.MOVBE}, {"OSXSAVE", cpuid.OSXSAVE},
	},
	4: {
		{"AVX512F", cpuid.AVX512F}, {"AVX512BW", cpuid.AVX512BW}, {"AVX512CD", cpuid.AVX512CD}, {"AVX512DQ", cpuid.AVX512DQ},
		{"AVX512VL", cpuid.AVX512VL},
	},
}

// Missing returns the names of the features that level asks for and this machine's
// CPU, or its kernel, does not have.
func Missing(level goamd64.Level) []string {
	return names(level, func(_ goamd64.Level, f feature) bool { return !cpuid.CPU.Has(f.id) })
}

// Between returns the names of the features that level "want" asks for and level
// "have" does not.
func Between(have, want goamd64.Level) []string {
	return names(want, func(level goamd64.Level, _ feature) bool { return level > have })
}

// names returns the features up to a level for which pick is true.
func names(level goamd64.Level, pick func(goamd64.Level, feature) bool) []string {
	var names []string
	for l := goamd64.Min; l <= level; l++ {
		for _, f := range added[l] {
			if pick(l, f) {
				names = append(names, f.name)
			}
		}
	}
	return names
}

// Hypervisor returns the name of the hypervisor under which this machine runs, or
// "" where there is none. It may hide features that the CPU has.
func Hypervisor() string {
	if !cpuid.CPU.Has(cpuid.HYPERVISOR) {
		return ""
	}
	if name := cpuid.CPU.HypervisorVendorID.String(); cpuid.CPU.HypervisorVendorID != cpuid.VendorUnknown {
		return name
	}
	if name := strings.TrimSpace(cpuid.CPU.HypervisorVendorString); name != "" {
		return name
	}
	return "an unknown hypervisor"
}

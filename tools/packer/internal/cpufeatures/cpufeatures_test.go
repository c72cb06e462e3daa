package cpufeatures

import (
	"runtime"
	"slices"
	"testing"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
)

// TestMissing compares the features by name with the level that the library says.
func TestMissing(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("skipped: needs a CPU of amd64, not of " + runtime.GOARCH)
	}
	cpu := goamd64.Level(cpuid.CPU.X64Level())
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		if missing := Missing(level); (len(missing) == 0) != (level <= cpu) {
			t.Errorf("a CPU of %v misses %q for %v", cpu, missing, level)
		}
	}
}

func TestBetween(t *testing.T) {
	if got := Between(2, 2); len(got) > 0 {
		t.Errorf("from v2 to v2: %q", got)
	}
	got := Between(2, 4)
	for name, want := range map[string]bool{"SSE3": false, "AVX2": true, "AVX512F": true} {
		if slices.Contains(got, name) != want {
			t.Errorf("from v2 to v4: %q: %s in it is %v, want %v", got, name, !want, want)
		}
	}
}

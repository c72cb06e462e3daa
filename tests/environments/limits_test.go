package environments_test

import (
	"fmt"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestLeastLimits finds the least limits under which the plain program and the
// packed one start, which must be within 1 % and a page of each other.
func TestLeastLimits(t *testing.T) {
	probe := testenv.Probe(t)
	for _, resource := range []string{"as", "data", "stack"} {
		for _, level := range []goamd64.Level{1, probetest.MachineLevel(t)} {
			t.Run(fmt.Sprintf("%s %v", resource, level), func(t *testing.T) {
				plain := leastLimit(t, resource, probe.Variants[level])
				packed := leastLimit(t, resource, probe.Packed, "GOMULTIARCH=level="+level.String())
				t.Logf("plain %d, packed %d bytes", plain, packed)
				if packed > plain+plain/100+4096 {
					t.Errorf("packed needs %d bytes: plain needs %d", packed, plain)
				}
			})
		}
	}
}

// leastLimit returns the least limit, in bytes, under which a program starts.
func leastLimit(t *testing.T, resource, path string, env ...string) uint64 {
	t.Helper()
	const page = 4096
	low, high := uint64(0), uint64(1<<30)/page
	for low+1 < high {
		middle := (low + high) / 2
		if startsUnder(t, resource, middle*page, path, env...) {
			high = middle
		} else {
			low = middle
		}
	}
	return high * page
}

func startsUnder(t *testing.T, resource string, limit uint64, path string, env ...string) bool {
	// How much Go's runtime takes depends on how its threads come to run.
	for range 5 {
		cmd := confined(t, fmt.Sprintf("-limit-%s=%d", resource, limit), path, "-quiet", "-exit=9")
		if got := probetest.Start(t, cmd, append(env, "GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none")...); got.Status == 9 {
			return true
		}
	}
	return false
}

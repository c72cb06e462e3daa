package environments_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// muchBSS returns a position-independent program with much .bss, plain and packed.
func muchBSS(t *testing.T) (variants map[goamd64.Level]string, packed string) {
	t.Helper()
	link := testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true, Basename: "muchbss-pie"}
	variants = map[goamd64.Level]string{}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		variants[level] = testenv.Build(t, "./tests/environments/muchbss", level, link)
	}
	return variants, testenv.Pack(t, link.Basename, variants)
}

// TestPageTables checks that what keeps the place of other levels' data in a
// position-independent program takes no page tables: a marker for each page of one level's
// would be 64 KiB.
func TestPageTables(t *testing.T) {
	variants, packed := muchBSS(t)
	plain, got := pageTables(t, variants[probetest.MachineLevel(t)]), pageTables(t, packed)
	t.Logf("page tables: plain %d, packed %d KiB", plain, got)
	if got > plain+60 {
		t.Errorf("page tables take %d KiB, in the plain program %d", got, plain)
	}
}

// pageTables returns the least size of a process's page tables in several starts, in KiB.
func pageTables(t *testing.T, path string) uint64 {
	t.Helper()
	least := ^uint64(0)
	for range 10 {
		got := probetest.Start(t, exec.Command(path))
		size := uint64(0)
		for line := range strings.Lines(got.Stdout) {
			fmt.Sscanf(line, "VmPTE: %d kB", &size)
		}
		if got.Status != 0 || size == 0 {
			t.Fatalf("status %d, %q, %q: want VmPTE", got.Status, got.Stdout, got.Stderr)
		}
		least = min(least, size)
	}
	return least
}

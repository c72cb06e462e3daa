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

// TestDataLimitOfMuchBSS finds the least RLIMIT_DATA of a position-independent program,
// which does not count the .bss of levels that do not run.
func TestDataLimitOfMuchBSS(t *testing.T) {
	variants, packed := muchBSS(t)
	for _, level := range probetest.Runnable(t) {
		compareLeast(t, "data", variants[level], packed, choosing(t, level)...)
	}
	stripped := packed + ".stripped"
	if out, err := exec.Command(testenv.Tool(t, "strip"), "-o", stripped, packed).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("strip: %v\n%s", err, out)
	}
	for _, level := range probetest.Runnable(t) {
		if got := probetest.Start(t, exec.Command(stripped, "x"), choosing(t, level)...); got.Status != 9 {
			t.Errorf("stripped, %v: status %d, %q: want 9", level, got.Status, got.Stderr)
		}
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

package environments_test

import (
	"bufio"
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestSystemCalls compares the launcher's system calls with those that docs/security.md
// lists: filters that were recorded from plain programs must allow them.
func TestSystemCalls(t *testing.T) {
	packed := testenv.Probe(t).Packed
	compareSystemCalls(t, packed, "arch_prctl mmap mprotect munmap prlimit64")
	compareSystemCalls(t, packed, "arch_prctl mmap mprotect munmap prlimit64 write", "GOMULTIARCH=log")
	compareSystemCalls(t, packed, "arch_prctl exit_group lseek mmap openat write", "GOMULTIARCH=extract")
}

// compareSystemCalls fails the test unless the launcher makes some of the system calls
// want, at most.
func compareSystemCalls(t *testing.T, packed, want string, env ...string) {
	t.Helper()
	strace := testenv.Tool(t, "strace")
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-i", "-o", trace, packed, "-quiet")
	if got := probetest.Start(t, cmd, append(env, "PATH="+os.Getenv("PATH"))...); got.Status != 0 {
		t.Fatalf("%v: status %d, %q", env, got.Status, got.Stderr)
	}
	calls := launcherCalls(t, probetest.Read(t, trace))
	if calls["arch_prctl"] == 0 {
		t.Fatalf("%v: the launcher makes no arch_prctl: %v", env, calls)
	}
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		if !slices.Contains(strings.Fields(want), call) {
			t.Errorf("%v: the launcher calls %s %d times, which is none of %s", env, call, calls[call], want)
		}
	}
}

// launcherCalls counts the system calls in strace's output that the launcher makes: the
// first one after execve is the launcher's, and its code is near that.
func launcherCalls(t *testing.T, trace []byte) map[string]int {
	t.Helper()
	const reach = 16 << 10 // more than the launcher's code, less than what lies between it and a level's
	line := regexp.MustCompile(`^\[([0-9a-f]+)\] (\w+)\(`)
	calls := map[string]int{}
	first := uint64(0)
	for lines := bufio.NewScanner(bytes.NewReader(trace)); lines.Scan(); {
		m := line.FindStringSubmatch(lines.Text())
		if m == nil || m[2] == "execve" {
			continue
		}
		at, err := strconv.ParseUint(m[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = at
		}
		if at-first < reach || first-at < reach {
			calls[m[2]]++
		}
	}
	return calls
}

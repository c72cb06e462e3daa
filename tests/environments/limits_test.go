package environments_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestLeastLimits finds the least limits under which the plain program and the
// packed one start, which must be within 1 % and a page of each other.
func TestLeastLimits(t *testing.T) {
	probe := testenv.Probe(t)
	for _, resource := range []string{"as", "data", "stack"} {
		for _, level := range probetest.Runnable(t) {
			t.Run(fmt.Sprintf("%s %v", resource, level), func(t *testing.T) {
				compareLeast(t, resource, probe.Variants[level], probe.Packed, choosing(t, level)...)
			})
		}
	}
}

// choosing returns the variables that start a level: none for the one that the CPU
// chooses.
func choosing(t *testing.T, level goamd64.Level) []string {
	if level == probetest.MachineLevel(t) {
		return nil
	}
	return []string{"GOMULTIARCH=level=" + level.String()}
}

// compareLeast compares the least limits of a resource.
func compareLeast(t *testing.T, resource, plain, packed string, variables ...string) {
	t.Helper()
	want, got := leastLimit(t, resource, plain), leastLimit(t, resource, packed, variables...)
	t.Logf("%s: plain %d, packed %d bytes", resource, want, got)
	if got > want+want/100+4096 {
		t.Errorf("%s: packed needs %d bytes: plain needs %d", resource, got, want)
	}
}

// TestLimitsUnmap checks that what is limited is not spent on levels that do not
// run, and that their code stays, for debuggers, where it is not counted.
func TestLimitsUnmap(t *testing.T) {
	probe := testenv.Probe(t)
	for _, test := range []struct {
		limit   string
		counted string // what a mapping has among its rights that counts
		left    int    // levels that are mapped
	}{
		{"-limit-as=1099511627776", "r", 1},
		{"-limit-data=1099511627776", "w", 4},
	} {
		for _, level := range probetest.Runnable(t) {
			cmd := confined(t, test.limit, probe.Packed, "-forever")
			cmd.Env = append(cmd.Env, choosing(t, level)...)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_, err = out.Read(make([]byte, 1))
			maps := string(probetest.Read(t, fmt.Sprintf("/proc/%d/maps", cmd.Process.Pid)))
			cmd.Process.Kill()
			cmd.Wait()
			if err != nil {
				t.Fatal(err)
			}
			mapped, found := map[goamd64.Level]bool{}, map[goamd64.Level]int{}
			for line := range strings.Lines(maps) {
				var low, high uint64
				var rights string
				fmt.Sscanf(line, "%x-%x %s", &low, &high, &rights)
				for l := goamd64.Min; l <= goamd64.Max; l++ {
					if slot := slots.Of(l); low < slot.Limit && high > slot.Base {
						mapped[l] = true
						if strings.Contains(rights, test.counted) {
							found[l]++
						}
					}
				}
			}
			if len(mapped) != test.left {
				t.Errorf("%s, %v: mapped are %v, want %d levels:\n%s", test.limit, level, mapped, test.left, maps)
			}
			if len(found) != 1 || found[level] == 0 {
				t.Errorf("%s, %v: counted mappings by level %v, want that level's alone:\n%s", test.limit, level, found, maps)
			}
		}
	}
}

// TestCharged compares what the kernel would charge a process for.
func TestCharged(t *testing.T) {
	probe := testenv.Probe(t)
	compareCharged(t, probe.Variants, probe.Packed)
}

// compareCharged compares, at each level, what vm.overcommit_memory=2 counts of a
// packed program and of its plain variant: memory that is private and can be written to.
func compareCharged(t *testing.T, variants map[goamd64.Level]string, packed string) {
	t.Helper()
	for _, level := range probetest.Runnable(t) {
		plain, got := ^uint64(0), ^uint64(0)
		for range 8 { // Go's heap grows by large pieces, sooner or later
			plain = min(plain, charged(t, exec.Command(variants[level])))
			got = min(got, charged(t, exec.Command(packed), choosing(t, level)...))
		}
		if plain < 64 || got > plain+plain/100+4 {
			t.Errorf("%v: %d KiB are charged, of the plain program %d", level, got, plain)
		}
	}
}

// charged starts a probe and returns the size of its mappings that are charged, in KiB:
// those with the flag "ac" in /proc/PID/smaps (proc_pid_smaps(5)).
func charged(t *testing.T, cmd *exec.Cmd, env ...string) uint64 {
	t.Helper()
	cmd.Args = append(cmd.Args, "-forever")
	cmd.Env = append(os.Environ(), append(env, "GOMAXPROCS=1", "GOGC=off")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	var sum, size uint64
	for line := range strings.Lines(string(probetest.Read(t, fmt.Sprintf("/proc/%d/smaps", cmd.Process.Pid)))) {
		fmt.Sscanf(line, "Size: %d kB", &size)
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && slices.Contains(strings.Fields(flags), "ac") {
			sum += size
		}
	}
	return sum
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

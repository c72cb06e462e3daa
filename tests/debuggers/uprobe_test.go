package debuggers_test

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
)

// TestUprobes probes every symbol of a name, as "perf probe" does: the one of the
// level that runs is hit, the others are not.
func TestUprobes(t *testing.T) {
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		_, path := pack(t, level)
		counters := map[goamd64.Level][]int{}
		for l, offset := range symbolOffsets(t, path, "main.inner") {
			counters[l] = openUprobe(t, path, offset)
		}
		if len(counters) != int(goamd64.Max) {
			t.Fatalf("%d symbols main.inner: want one a level", len(counters))
		}
		output(t, at(level, exec.Command(path)))
		for l, fds := range counters {
			expected := uint64(0)
			if l == level {
				expected = 1
			}
			if got := hits(t, fds); got != expected {
				t.Errorf("main.inner of %v was hit %d times: want %d", l, got, expected)
			}
		}
	})
}

// symbolOffsets returns, by level, the file offsets of a function.
func symbolOffsets(t *testing.T, path, name string) map[goamd64.Level]uint64 {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[goamd64.Level]uint64{}
	for _, s := range symbols {
		if s.Name != name {
			continue
		}
		section := file.Sections[s.Section]
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			if slot := slots.Of(level); s.Value >= slot.Base && s.Value < slot.Limit {
				offsets[level] = section.Offset + s.Value - section.Addr
			}
		}
	}
	return offsets
}

// openUprobe counts how often a place in a file is come by, on any CPU. Where the
// kernel or its settings do not allow it the test is skipped.
func openUprobe(t *testing.T, path string, offset uint64) (counters []int) {
	t.Helper()
	kind, err := os.ReadFile("/sys/bus/event_source/devices/uprobe/type")
	if err != nil {
		t.Skip("skipped: this kernel has no uprobes:", err)
	}
	number, err := strconv.ParseUint(strings.TrimSpace(string(kind)), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	attr := unix.PerfEventAttr{
		Type: uint32(number), Size: unix.PERF_ATTR_SIZE_VER1,
		Ext1: uint64(uintptr(unsafe.Pointer(name))), Ext2: offset,
	}
	const cpus = 8192 // the most that Linux has
	for cpu := range cpus {
		fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
		switch {
		case errors.Is(err, unix.ENODEV): // not online
			continue
		case errors.Is(err, unix.EINVAL) && cpu > 0: // more than there are
			runtime.KeepAlive(name)
			return counters
		case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
			t.Skip("skipped: uprobes take rights that this user has not:", err)
		case err != nil:
			t.Fatalf("probing %s at %#x: %v", path, offset, err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		counters = append(counters, fd)
	}
	return counters
}

// hits sums counters up.
func hits(t *testing.T, counters []int) (total uint64) {
	t.Helper()
	for _, fd := range counters {
		var count [8]byte
		if _, err := unix.Read(fd, count[:]); err != nil {
			t.Fatal("reading a counter:", err)
		}
		total += binary.LittleEndian.Uint64(count[:])
	}
	return total
}

// traced returns a command that sees a tracefs, which few systems mount: in mounts
// that nobody else sees. With one it is the machine's, whoever mounts it.
func traced(args ...string) *exec.Cmd {
	const script = `mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; exec "$@"`
	return exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh"}, args...)...)
}

// TestPerfProbe probes a function by name, without a companion beside the file and with
// each of them.
func TestPerfProbe(t *testing.T) {
	perf := testenv.Tool(t, "perf")
	if out, err := combined(traced("test", "-w", "/sys/kernel/tracing/uprobe_events")); err != nil {
		t.Skip("skipped: perf probe needs a kernel with uprobe_events and root's rights:", err, out)
	}
	for _, k := range []*kind{static, pie} {
		for companion := goamd64.Level(0); companion <= goamd64.Max; companion++ {
			name := fmt.Sprintf("%s, companion %v", k.name, companion)
			if companion == 0 {
				name = k.name + ", no companion"
			}
			t.Run(name, func(t *testing.T) {
				dir, path := k.pack(t, max(companion, goamd64.Min))
				if companion == 0 {
					output(t, exec.Command("sh", "-c", "rm "+dir+"/*.debug"))
				}
				t.Setenv("HOME", t.TempDir()) // where perf keeps what it has seen
				group := fmt.Sprintf("packed%d", os.Getpid())
				output(t, traced(perf, "probe", "-q", "-x", path, group+":inner=main.inner"))
				t.Cleanup(func() { output(t, traced(perf, "probe", "-q", "-d", group+":*")) })
				eachLevel(t, func(t *testing.T, level goamd64.Level) {
					out := output(t, at(level, traced(perf, "stat", "-x", ",", "-e", group+":*", path)))
					want(t, out, "1,,"+group+":inner")
				})
			})
		}
	}
}

package launcher_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tests/probetest"
)

// repack packs some of the probe's levels into a file named packed.
func repack(t *testing.T, probe testenv.Program, levels ...goamd64.Level) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "packed")
	args := []string{"create", "-launcher", testenv.Launcher(t), "-o", out}
	for _, level := range levels {
		args = append(args, level.String()+"="+probe.Variants[level])
	}
	if text, err := exec.Command(testenv.Packer(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("packer %q: %v\n%s", args, err, text)
	}
	return out
}

// TestDamagedTable changes every word of the launcher table in turn: nothing
// but the message may come of it.
func TestDamagedTable(t *testing.T) {
	packed := repack(t, testenv.Probe(t), 1, 2, 3, 4)
	file, err := elf.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	table := file.Section(".rodata.launcher")
	file.Close()

	data := probetest.Read(t, packed)
	damaged := filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(damaged, data, 0o755); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewSource(1))
	for at := uint64(0); at < table.Size; at += 8 {
		out, err := os.OpenFile(damaged, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		word := data[table.Offset+at:][:8]
		changed := append([]byte(nil), word...)
		changed[random.Intn(8)] ^= byte(1 << random.Intn(8))
		out.WriteAt(changed, int64(table.Offset+at))
		out.Close()

		got := probetest.Start(t, exec.Command(damaged))
		if want := "damaged" + format.DamagedText + "\n"; got.Status != 127 || got.Stderr != want || got.Stdout != "" {
			t.Errorf("word at %#x: status %d, %q, %q: want 127, %q", at, got.Status, got.Stdout, got.Stderr, want)
		}

		if out, err = os.OpenFile(damaged, os.O_WRONLY, 0); err != nil {
			t.Fatal(err)
		}
		out.WriteAt(word, int64(table.Offset+at))
		out.Close()
	}
	if got := probetest.Start(t, exec.Command(damaged)); got.Status != 0 {
		t.Errorf("repaired file: status %d, %q", got.Status, got.Stderr)
	}
}

// TestTableOverLauncher has levels run where the launcher does, in a table that is as
// it should be otherwise.
func TestTableOverLauncher(t *testing.T) {
	packed := repack(t, testenv.Probe(t), 1, 2, 3, 4)
	file, err := elf.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	section := file.Section(".rodata.launcher")
	file.Close()
	data := probetest.Read(t, packed)
	table := data[section.Offset:][:section.Size]
	var header format.Header
	if _, err := binary.Decode(table, binary.LittleEndian, &header); err != nil {
		t.Fatal(err)
	}
	for at := header.Boot &^ (format.PageSize - 1); at < section.Addr+section.Size; at += format.PageSize {
		changed := bytes.Clone(table)
		lowest := changed[header.Levels:]
		binary.LittleEndian.PutUint64(lowest[unsafe.Offsetof(format.Level{}.Mapped):], at)
		binary.LittleEndian.PutUint64(lowest[unsafe.Offsetof(format.Level{}.Unused):], format.PageSize)
		binary.LittleEndian.PutUint64(lowest[unsafe.Offsetof(format.Level{}.DataLen):], 0)
		binary.LittleEndian.PutUint64(changed[8:], format.Sum(changed))
		path := filepath.Join(t.TempDir(), "over")
		if err := os.WriteFile(path, slices.Concat(data[:section.Offset], changed, data[section.Offset+section.Size:]), 0o755); err != nil {
			t.Fatal(err)
		}
		got := probetest.Start(t, exec.Command(path))
		if want := "over" + format.DamagedText + "\n"; got.Status != 127 || got.Stderr != want || got.Stdout != "" {
			t.Errorf("v1 mapped at %#x: status %d, %q, %q: want 127, %q", at, got.Status, got.Stdout, got.Stderr, want)
		}
	}
}

func TestTruncatedFile(t *testing.T) {
	probe := testenv.Probe(t)
	data := probetest.Read(t, probe.Packed)
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range probetest.Runnable(t) {
		// A level that is there as a whole runs as it would without the others.
		end := uint64(0)
		for _, p := range file.Progs {
			if base := slots.Of(level).Base; p.Type == elf.PT_LOAD && p.Vaddr <= base && base-p.Vaddr < p.Filesz {
				end = p.Off + p.Filesz
			}
		}
		if end == 0 {
			t.Fatalf("no segment of %v", level)
		}
		for part := range 16 {
			path := filepath.Join(t.TempDir(), "truncated")
			size := len(data) * part / 16
			if err := os.WriteFile(path, data[:size], 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path)
			cmd.Env = append(os.Environ(), "GOAMD64="+level.String())
			var stdout strings.Builder
			cmd.Stdout = &stdout
			err := cmd.Run()
			if uint64(size) < end && (err == nil || stdout.Len() > 0) {
				t.Errorf("%v, which ends at %d, in %d of %d bytes: ran (%v) and printed %.60q", level, end, size, len(data), err, stdout.String())
			}
			if uint64(size) >= end && (err != nil || !strings.Contains(stdout.String(), `"Level":"`+level.String()+`"`)) {
				t.Errorf("%v, which ends at %d, in %d of %d bytes: %v, printed %.60q", level, end, size, len(data), err, stdout.String())
			}
		}
	}
}

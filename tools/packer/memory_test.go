//go:build linux

package main

import (
	"bytes"
	"debug/elf"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
)

// TestMemory works on executables with more symbols than the memory that the
// packer may take, in the same order and in another. See also bench/pack.
func TestMemory(t *testing.T) {
	if os.Getenv(measureAgain) != "" {
		measure(t, flag.Args())
		return
	}
	const limit = 64 << 10 // KiB
	tested, launcher := testenv.Packer(t), testenv.Launcher(t)
	dir := t.TempDir()
	create := []string{"create", "-launcher", launcher, "-o", filepath.Join(dir, "app")}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		create = append(create, write(t, filepath.Join(dir, level.String()), manySymbols(level), 0o755))
		create[len(create)-1] = level.String() + "=" + create[len(create)-1]
	}
	for _, args := range [][]string{
		create,
		{"verify", filepath.Join(dir, "app")},
		{"thin", "-level", "v1,v3", "-o", filepath.Join(dir, "thin"), filepath.Join(dir, "app")},
		{"replace", "-o", filepath.Join(dir, "replaced"), filepath.Join(dir, "app"), "v2=" + filepath.Join(dir, "v2")},
		{"extract", "-level", "v4", "-o", filepath.Join(dir, "extracted"), filepath.Join(dir, "app")},
		{"info", filepath.Join(dir, "app")},
	} {
		most := residentKiB(t, tested, args)
		t.Logf("%s: %d KiB", args[0], most)
		if most >= limit {
			t.Errorf("%s: %d KiB of memory, want less than %d", args[0], most, limit)
		}
	}
	same(t, filepath.Join(dir, "replaced"), filepath.Join(dir, "app"))
	file, err := elf.Open(filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, want := file.Section(".symtab").Size/24, uint64(4*symbolCount); got < want {
		t.Errorf("%d symbols, want at least %d", got, want)
	}
}

// residentKiB runs the packer and returns the most memory that it had resident.
// What the kernel counts for a process begins with the memory of the one that
// started it, so a small process does that.
func residentKiB(t *testing.T, tested string, args []string) int64 {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"-test.run=^TestMemory$", "-test.v", "--", tested}, args...)...)
	cmd.Env = append(os.Environ(), measureAgain+"=1")
	out, err := cmd.CombinedOutput()
	_, text, found := strings.Cut(string(out), "resident: ")
	if err != nil || !found {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	var most int64
	fmt.Sscan(text, &most)
	return most
}

const measureAgain = "PACKER_TEST_MEMORY"

func measure(t *testing.T, command []string) {
	cmd := exec.Command(command[0], command[1:]...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fmt.Println("resident:", cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) // KiB: getrusage(2)
}

const symbolCount = 500_000

// manySymbols is an executable with 30 MB of symbols, in an order of its own for
// odd levels and with names of its own for v4.
func manySymbols(level goamd64.Level) []byte {
	file := elftest.Executable(slots.Of(level).Base)
	var names bytes.Buffer
	names.WriteByte(0)
	symbols := make([]elf.Sym64, symbolCount)
	for i := range symbols {
		n := i
		if level%2 == 1 {
			n = i * 7919 % symbolCount // another order
		}
		symbols[i] = elf.Sym64{Name: uint32(names.Len()), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1, Value: slots.Of(level).Base + 0x1000 + uint64(n%0x800), Size: 1}
		if level == 4 {
			fmt.Fprint(&names, "own.")
		}
		fmt.Fprintf(&names, "example.com/program.(*type).method%d\x00", n)
	}
	file.AddSymbols(symbols, names.Bytes())
	return file.Bytes()
}

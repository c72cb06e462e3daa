package bootcode

import (
	"bytes"
	"debug/elf"
	"os"
	"runtime"
	"testing"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/elftest"
)

// FuzzRead gives as a launcher what is none: no panic, and no memory that a
// number in the file makes the reader take.
func FuzzRead(f *testing.F) {
	file := elftest.Executable(0x400000)
	file.Sections = []elftest.Section{
		{Name: ".text", Section64: elf.Section64{Type: 1, Flags: 6, Addr: 0x401000, Off: 0x1000, Size: 0x800}},
		{Name: ".gopclntab", Section64: elf.Section64{Type: 1, Flags: 2, Addr: 0x402000, Off: 0x2000, Size: 0x1400}},
	}
	f.Add(file.Bytes())
	if table, err := launcherTable(testenv.Launcher(f)); err == nil {
		withTable := elftest.Executable(0x400000)
		withTable.Sections = file.Sections
		data := withTable.Bytes()
		copy(data[0x2000:0x3400], table)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if code, err := Read(bytes.NewReader(data)); err == nil && code.Entry >= uint64(len(code.Bytes)) {
			t.Errorf("entry point %#x of %#x bytes", code.Entry, len(code.Bytes))
		}
		runtime.ReadMemStats(&after)
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(32<<20+1000*len(data)); took > limit {
			t.Errorf("%d bytes of memory for a file of %d", took, len(data))
		}
	})
}

// launcherTable returns the function table of a linked launcher.
func launcherTable(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return file.Section(".gopclntab").Data()
}

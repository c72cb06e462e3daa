package variant

import (
	"debug/elf"
	"strings"
	"testing"

	"rules_go_multiarch/tools/packer/internal/elftest"
)

// TestCheckEnd appends to files that end with section headers, and with a section that
// is in no segment. In one without section headers, symbols may be behind the segments.
func TestCheckEnd(t *testing.T) {
	bare := elftest.Executable(base).Bytes()
	withSections := elftest.Executable(base)
	withSections.Sections = []elftest.Section{{Name: ".text", Section64: elf.Section64{Type: 1, Off: 0x1000, Size: 0x800}}}
	endsWithSection := elftest.Executable(base)
	endsWithSection.Sections = []elftest.Section{{Name: ".debug", Section64: elf.Section64{Type: 1, Off: 0x5000, Size: 0x1000}}}
	moved := append(endsWithSection.Bytes(), make([]byte, 0x6000)...)[:0x6000]
	overEnd := elftest.Executable(base)
	overEnd.Sections = []elftest.Section{{Name: ".bss", Section64: elf.Section64{Type: uint32(elf.SHT_NOBITS), Off: 0x4800, Size: 1 << 40}}}
	for name, file := range map[string][]byte{
		"segment": bare, "section headers": withSections.Bytes(), "section": moved, "section without bytes": overEnd.Bytes(),
	} {
		for behind, want := range map[string]string{
			"":                           "",
			"\x00":                       "",
			strings.Repeat("\x00", 5000): "",
			"configuration":              "has 13 bytes of data behind its end",
			"\x00\x00\x00PK\x05":         "has 6 bytes of data behind its end",
		} {
			v, err := read(append(file[:len(file):len(file)], behind...), 1)
			if err != nil {
				t.Fatal(err)
			}
			if name == "segment" {
				want = ""
			}
			err = v.CheckEnd()
			if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
				t.Errorf("%s, behind it %d bytes: error %v: want %q", name, len(behind), err, want)
			}
		}
	}
}

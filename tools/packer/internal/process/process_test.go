package process

import (
	"encoding/binary"
	"strings"
	"testing"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/manifest"
	"rules_go_multiarch/tools/packer/internal/packed"
)

func TestParseMapping(t *testing.T) {
	m, ok := parseMapping("2a000000-2a22a000 r-xp 00597000 fe:00 4711                    /a b/app")
	if want := (mapping{0x2a000000, 0x2a22a000, 5, 0x597000, "4711", "/a b/app"}); !ok || m != want {
		t.Errorf("%+v, want %+v", m, want)
	}
	for _, line := range []string{"", "x", "1-2 r 3 4", "g-2 rwxp 0 0 0", "1-2 rwxp z 0 0"} {
		if m, ok := parseMapping(line); ok {
			t.Errorf("%q: %+v", line, m)
		}
	}
}

// TestBias has the interpreter's code mapped below the program's, from the same offset.
func TestBias(t *testing.T) {
	file := &packed.File{Manifest: &manifest.Manifest{}}
	file.Manifest.Boot.Offset, file.Manifest.Boot.Address = 0x1000, 0x401000
	mappings := []mapping{
		{0x7f0000001000, 0x7f0000020000, 5, 0x1000, "7", "/lib64/ld-linux-x86-64.so.2"},
		{0x7f0000400000, 0x7f0000480000, 5, 0, "8", "/a b/app"},
	}
	if got := bias("/a b/app", file, mappings); got != 0x7f0000000000 {
		t.Errorf("%#x, want 0x7f0000000000", got)
	}
}

func TestCarriedOut(t *testing.T) {
	ops := []format.Op{{Kind: format.OpProtect, Prot: 1, Addr: 0x2000, Len: 0x1000}, {Kind: format.OpZero, Addr: 0x3f00}, {Kind: format.OpAnonymous, Prot: 3, Addr: 0x4000, Len: 0x1000}}
	const bias = 0x10000
	unused := []mapping{{0x11000, 0x14000, 5, 0, "7", ""}}
	protected := []mapping{{0x11000, 0x12000, 5, 0, "7", ""}, {0x12000, 0x13000, 1, 0x1000, "7", ""}}
	data := []mapping{{0x11000, 0x14000, 5, 0, "7", ""}, {0x14000, 0x15000, 3, 0, "0", ""}}
	for i, test := range []struct {
		ops        []format.Op
		mappings   []mapping
		done, told bool
	}{
		{ops, unused, false, true},
		{ops, protected, true, true},
		{ops, data, true, true},
		{ops[1:2], data, false, false},
	} {
		if done, told := carriedOut(test.ops, bias, test.mappings); done != test.done || told != test.told {
			t.Errorf("%d: %v, %v", i, done, told)
		}
	}
}

func TestFindEntry(t *testing.T) {
	stack := func(words ...uint64) *strings.Reader {
		var out []byte
		for _, w := range words {
			out = binary.LittleEndian.AppendUint64(out, w)
		}
		return strings.NewReader(string(out))
	}
	for i, words := range [][]uint64{
		{2, 11, 12, 0, 21, 22, 0, 6, 4096, 9, 77, 0, 0},
		{0, 0, 0, 9, 77, 0, 0},
		{1, 0, 0, 0, 9, 77, 0, 0}, // a null pointer among the arguments
	} {
		if entry, err := findEntry(stack(words...)); err != nil || entry != 77 {
			t.Errorf("%d: %d (%v)", i, entry, err)
		}
	}
	for i, words := range [][]uint64{{}, {1, 11, 0}, {1, 11, 0, 0, 6, 4096, 0, 0}, {1 << 60, 0, 0}} {
		if entry, err := findEntry(stack(words...)); err == nil {
			t.Errorf("%d: %d", i, entry)
		}
	}
}

package dwarfshift

import (
	"bytes"
	"encoding/binary"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// move is what tests and the fuzzer move by.
var move = Move{Low: 0x1000, High: 0x2000000, By: 0x30000000}

func address(value uint64) []byte { return binary.LittleEndian.AppendUint64(nil, value) }

// contribution puts the length in front of parts.
func contribution(parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// minimal is a unit with one entry, whose location is an expression.
func minimal(expression ...byte) map[string][]byte {
	return map[string][]byte{
		".debug_abbrev": {1, 0x11, 0, attrLowpc, formAddr, 0x02, formExprloc, 0, 0, 0},
		".debug_info":   contribution([]byte{4, 0, 0, 0, 0, 0, 8, 1}, address(0x401000), []byte{byte(len(expression))}, expression, []byte{0}),
	}
}

func TestShift(t *testing.T) {
	contents := minimal(slices.Concat([]byte{opAddr}, address(0x402000), []byte{opAddr}, address(0x10), []byte{opAddr}, address(0x402008), []byte{opFormTLSAddress})...)
	if err := Shift(contents, move); err != nil {
		t.Fatal(err)
	}
	want := minimal(slices.Concat([]byte{opAddr}, address(0x30402000), []byte{opAddr}, address(0x10), []byte{opAddr}, address(0x402008), []byte{opFormTLSAddress})...)
	copy(want[".debug_info"][12:], address(0x30401000))
	if !bytes.Equal(contents[".debug_info"], want[".debug_info"]) {
		t.Errorf("% x\nwant\n% x", contents[".debug_info"], want[".debug_info"])
	}
}

// TestRefuses has what cannot be understood. Nothing is changed then.
func TestRefuses(t *testing.T) {
	with := func(name string, data []byte) map[string][]byte {
		contents := minimal()
		contents[name] = data
		return contents
	}
	cie := contribution([]byte{0xff, 0xff, 0xff, 0xff, 4, 0, 8, 0, 1, 1, 16})
	for want, contents := range map[string]map[string][]byte{
		"operation 0x2, which is not known":              minimal(2),
		"no section .debug_addr":                         minimal(0xa1, 0),
		"more than 8 expressions in each other":          minimal(0xa3, 16, 0xa3, 14, 0xa3, 12, 0xa3, 10, 0xa3, 8, 0xa3, 6, 0xa3, 4, 0xa3, 2, 0xa3, 0),
		"is cut off":                                     minimal(opAddr, 1, 2),
		"a unit of version 7":                            with(".debug_info", contribution([]byte{7, 0})),
		"a length of 0xfffffff0, which is reserved":      with(".debug_info", []byte{0xf0, 0xff, 0xff, 0xff}),
		"addresses of 4 bytes and segments of 0":         with(".debug_info", contribution([]byte{4, 0, 0, 0, 0, 0, 4})),
		"abbreviation 2, which is not in its table":      with(".debug_info", contribution([]byte{4, 0, 0, 0, 0, 0, 8, 2})),
		"form 0x70, which is not known":                  with(".debug_abbrev", []byte{1, 0x11, 0, 3, 0x70, 0, 0, 0}),
		"an abbreviation code for the second time":       with(".debug_abbrev", []byte{1, 0x11, 0, 0, 0, 1, 0x11, 0, 0, 0, 0}),
		"a line table of version 9":                      with(".debug_line", contribution([]byte{9, 0})),
		"an address of 4 bytes":                          with(".debug_line", contribution([]byte{2, 0, 5, 0, 0, 0, 1, 1, 0, 1, 1, 0, 5, 2, 0, 0, 0, 0})),
		"call frame information of version 2":            with(".debug_frame", contribution([]byte{0xff, 0xff, 0xff, 0xff, 2})),
		"call frame instruction 0x3f, which is not":      with(".debug_frame", contribution([]byte{0xff, 0xff, 0xff, 0xff, 4, 0, 8, 0, 1, 1, 16, 0x3f})),
		"no common information entry at 0x8":             with(".debug_frame", slices.Concat(cie, contribution([]byte{8, 0, 0, 0}, address(0x1000), address(1)))),
		"address ranges of version 3":                    with(".debug_aranges", contribution([]byte{3, 0})),
		"addresses of 8 bytes and segments of 1: want 8": with(".debug_aranges", contribution([]byte{2, 0, 0, 0, 0, 0, 8, 1})),
	} {
		before := map[string][]byte{}
		for name, data := range contents {
			before[name] = bytes.Clone(data)
		}
		if err := Shift(contents, move); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
		if !maps.EqualFunc(contents, before, bytes.Equal) {
			t.Errorf("%s: the contents were changed", want)
		}
	}
}

// FuzzShift looks for panics, endless loops, and memory that is not in proportion
// to what is read. What was moved is moved back by the opposite distance.
func FuzzShift(f *testing.F) {
	f.Add(pack(minimal(opAddr, 0, 0x10, 0, 0, 0, 0, 0, 0)))
	f.Fuzz(func(t *testing.T, data []byte) {
		contents := unpack(data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := Shift(contents, move)
		runtime.ReadMemStats(&after)
		if took, limit := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+100*len(data)); took > limit {
			t.Errorf("%d bytes of memory for %d", took, len(data))
		}
		was := unpack(data)
		if err != nil {
			if !maps.EqualFunc(contents, was, bytes.Equal) {
				t.Errorf("%v, but the contents were changed", err)
			}
			return
		}
		for name, data := range contents {
			if len(data) != len(was[name]) {
				t.Errorf("%s has another size", name)
			}
		}
	})
}

// FuzzDebugFrame looks for the same, and for entries that cannot be read again.
func FuzzDebugFrame(f *testing.F) {
	cie := contribution([]byte{0, 0, 0, 0, 1, 'z', 'R', 'S', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0})
	f.Add(slices.Concat(cie, contribution([]byte{byte(len(cie)) + 4, 0, 0, 0}, []byte{0, 1, 0, 0, 9, 0, 0, 0, 0, 0x41, 0x0e, 16}), []byte{0, 0, 0, 0}))
	f.Fuzz(func(t *testing.T, data []byte) {
		made, err := DebugFrame(data, 0x1000, 0x2000, 0)
		if err != nil {
			return
		}
		if limit := 64 + 20*len(data); len(made) > limit {
			t.Errorf("%d bytes of %d", len(made), len(data))
		}
		readFrames(t, made)
	})
}

// pack makes one sequence of bytes of sections: number, length, contents.
func pack(contents map[string][]byte) (out []byte) {
	for i, name := range Sections {
		if data := contents[name]; data != nil {
			out = append(out, byte(i), byte(len(data)), byte(len(data)>>8))
			out = append(out, data...)
		}
	}
	return out
}

// unpack reads all sequences of bytes as sections.
func unpack(data []byte) map[string][]byte {
	contents := map[string][]byte{}
	for len(data) >= 3 {
		size := min(int(data[1])|int(data[2])<<8, len(data)-3)
		contents[Sections[int(data[0])%len(Sections)]] = bytes.Clone(data[3:][:size])
		data = data[3+size:]
	}
	return contents
}

// frame is an entry of a .debug_frame, without what only exceptions need.
type frame struct {
	size                           uint64
	alignment, first, instructions string
}

// readFrames returns entries by the address of their code.
func readFrames(t *testing.T, contents []byte) map[uint64]frame {
	t.Helper()
	trim := func(c *cursor) string { return string(bytes.TrimRight(c.data[c.at:c.end], "\x00")) }
	section := &section{name: ".debug_frame", data: contents}
	frames, shared := map[uint64]frame{}, map[uint64]frame{}
	for all := section.cursor(0); !all.done(); {
		start := all.at
		c, size := all.initial()
		if c.err == nil && c.done() {
			continue
		}
		id := c.uint(size)
		if isCIE(id, size) {
			common := c.common()
			shared[start] = frame{alignment: string(common.alignment), first: trim(c)}
		} else {
			f, begin := shared[id], c.uint(8)
			f.size = c.uint(8)
			f.instructions = trim(c)
			frames[begin] = f
		}
		if c.err != nil {
			t.Fatal(c.err)
		}
	}
	return frames
}

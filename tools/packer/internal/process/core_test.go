package process

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// note returns a note as core dumps have it.
func note(kind uint32, desc []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, 5)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(desc)))
	out = binary.LittleEndian.AppendUint32(out, kind)
	out = append(out, "CORE\x00\x00\x00\x00"...)
	out = append(out, desc...)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return out
}

func thread(pc uint64) []byte {
	status := make([]byte, statusSize)
	binary.LittleEndian.PutUint64(status[rip:], pc)
	return note(ntPRStatus, status)
}

func TestNotes(t *testing.T) {
	const other = 2 // NT_FPREGSET
	auxv := []byte{}
	for _, word := range []uint64{6, 4096, 9, 0x7f00d74000, 0, 0} {
		auxv = binary.LittleEndian.AppendUint64(auxv, word)
	}
	parts := [][]byte{thread(0x401000), note(other, []byte("three")), note(ntAuxv, auxv), thread(0x2a001234)}
	ends := map[int]bool{}
	end := 0
	for _, part := range parts {
		end += len(part)
		ends[end] = true
	}
	data := slices.Concat(parts...)
	var got notes
	if err := got.read(bytes.NewReader(data)); err != nil || !slices.Equal(got.counters, []uint64{0x401000, 0x2a001234}) || got.entry != 0x7f00d74000 {
		t.Errorf("%#x (%v)", got, err)
	}
	for n := 1; n < len(data); n++ {
		if ends[n] {
			continue
		}
		if err := new(notes).read(bytes.NewReader(data[:n])); err == nil || !strings.Contains(err.Error(), "reading its notes") {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestEntryBefore(t *testing.T) {
	const random = 0x7ffd00001239
	memory := func(words ...uint64) []byte {
		data := []byte{}
		for _, word := range words {
			data = binary.LittleEndian.AppendUint64(data, word)
		}
		return append(data, 1, 2, 3) // up to the random bytes, which are not aligned
	}
	for name, test := range map[string]struct {
		data []byte
		want uint64
	}{
		"a vector":            {memory(0, 7, 9, 0x401000, 23, 0, 25, random, 31, 5, 0, 0), 0x401000},
		"other words between": {memory(0, 9, 0x401000, 23, 0, 25, random, 0, 0, 77), 0x401000},
		"of another process":  {memory(9, 0x401000, 25, random+16, 0, 0), 0},
		"without an entry":    {memory(25, random, 0, 0), 0},
		"an entry behind":     {memory(25, random, 9, 0x401000, 0, 0), 0},
		"nothing":             {nil, 0},
	} {
		if got := entryBefore(test.data, random); got != test.want {
			t.Errorf("%s: %#x, want %#x", name, got, test.want)
		}
	}
}

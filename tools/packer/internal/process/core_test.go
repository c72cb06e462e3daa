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

func TestProgramCounters(t *testing.T) {
	const other = 6 // NT_AUXV
	data := slices.Concat(thread(0x401000), note(other, []byte("three")), thread(0x2a001234))
	got, err := programCounters(bytes.NewReader(data))
	if err != nil || !slices.Equal(got, []uint64{0x401000, 0x2a001234}) {
		t.Errorf("%#x (%v)", got, err)
	}
	for n := 1; n < len(data); n++ {
		switch n {
		case len(thread(0)), len(thread(0)) + len(note(other, []byte("three"))):
			continue // the end of a note
		}
		if _, err := programCounters(bytes.NewReader(data[:n])); err == nil || !strings.Contains(err.Error(), "reading its notes") {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

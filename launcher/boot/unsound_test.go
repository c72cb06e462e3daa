package boot

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"rules_go_multiarch/launcher/format"
)

// TestUnsoundBytes changes words of sound tables that the encoder never writes.
func TestUnsoundBytes(t *testing.T) {
	le := binary.LittleEndian
	v := variant(2)
	v.InterpPath = "/lib/ld.so"
	v.Data, v.DataLen = 0, 0 // whose bounds would be missed too
	v.Ops = append(v.Ops, format.Op{Kind: format.OpMove, Addr: v.Low, Len: 0x1000, From: v.High + 0x1000})
	good := encode(t, variant(1), v)
	if !sound(guarded(t, good)) {
		t.Fatal("the table that is changed is not sound")
	}
	var h format.Header
	levels, levelCount := unsafe.Offsetof(h.Levels), unsafe.Offsetof(h.LevelCount)
	ops, opCount := unsafe.Offsetof(h.Ops), unsafe.Offsetof(h.OpCount)
	messages, messageCount := unsafe.Offsetof(h.Messages), unsafe.Offsetof(h.MessageCount)
	var l format.Level
	var text format.Text
	var op format.Op
	level := second(good, levels)
	move := uintptr(le.Uint32(good[ops:])) + 6*uintptr(format.OpSize)
	first := uintptr(le.Uint32(good[messages:]))
	size := uint32(len(good))
	put32 := func(at uintptr, v uint32) func([]byte) { return func(b []byte) { le.PutUint32(b[at:], v) } }
	put64 := func(at uintptr, v uint64) func([]byte) { return func(b []byte) { le.PutUint64(b[at:], v) } }
	for name, change := range map[string]func([]byte){
		"magic":                        put64(unsafe.Offsetof(h.Magic), format.Magic+1<<56),
		"size":                         put32(unsafe.Offsetof(h.Size), size-8),
		"levels outside":               put32(levels, size-8),
		"levels that wrap":             put32(levels, ^uint32(7)),
		"levels not aligned":           put32(levels, le.Uint32(good[levels:])+4),
		"no level":                     put32(levelCount, 0),
		"operations outside":           put32(ops, size-8),
		"operations not aligned":       put32(ops, le.Uint32(good[ops:])+4),
		"too many operations":          put32(opCount, format.MaxOps+1),
		"operations past the end":      put32(opCount, format.MaxOps),
		"messages outside":             put32(messages, size-8),
		"another number of messages":   put32(messageCount, format.MsgCount-1),
		"message outside":              put32(first+unsafe.Offsetof(text.Offset), size),
		"message past the end":         put32(first+unsafe.Offsetof(text.Len), size),
		"first operation of a level":   put32(level+unsafe.Offsetof(l.Op), 7),
		"operations of a level":        put32(level+unsafe.Offsetof(l.OpCount), 5),
		"mapped inside a page":         put64(level+unsafe.Offsetof(l.Mapped), v.Low+1),
		"unused inside a page":         put64(level+unsafe.Offsetof(l.Unused), 1),
		"unused wraps":                 put64(level+unsafe.Offsetof(l.Unused), ^uint64(0xfff)),
		"interpreter outside":          put32(level+unsafe.Offsetof(l.Interp), size),
		"interpreter past the end":     put32(level+unsafe.Offsetof(l.Interp)+unsafe.Offsetof(text.Len), size),
		"interpreter without an end":   put32(level+unsafe.Offsetof(l.Interp)+unsafe.Offsetof(text.Len), 5),
		"moved from inside":            put64(move+unsafe.Offsetof(op.From), v.Low+0x1000),
		"moved from inside a page":     put64(move+unsafe.Offsetof(op.From), v.High+1),
		"moved from addresses wrapped": put64(move+unsafe.Offsetof(op.From), ^uint64(0xfff)),
	} {
		data := append([]byte(nil), good...)
		change(data)
		resum(data)
		if sound(guarded(t, data)) {
			t.Errorf("%s: sound", name)
		}
	}
	data := append([]byte(nil), good...)
	data[unsafe.Offsetof(h.Checksum)] ^= 1
	if sound(guarded(t, data)) {
		t.Error("checksum: sound")
	}
}

// second returns the offset of a table's second level.
func second(table []byte, levels uintptr) uintptr {
	return uintptr(binary.LittleEndian.Uint32(table[levels:])) + uintptr(format.LevelSize)
}

package boot

import (
	"encoding/binary"
	"testing"

	"rules_go_multiarch/launcher/format"
)

// TestUnsoundBytes changes words of sound tables that the encoder never writes.
func TestUnsoundBytes(t *testing.T) {
	le := binary.LittleEndian
	v := variant(2)
	v.InterpPath = "/lib/ld.so"
	v.Mapped, v.Unused = v.Low, v.High-v.Low
	v.Ops = append(v.Ops, format.Op{Kind: format.OpMove, Addr: v.Low, Len: 0x1000, From: v.High + 0x1000})
	good := encode(t, variant(1), v)
	if !sound(guarded(t, good)) {
		t.Fatal("the table that is changed is not sound")
	}
	const levels, levelCount, ops, opCount, messages, messageCount = 40, 44, 48, 52, 56, 60
	second := int(le.Uint32(good[levels:])) + int(format.LevelSize)
	move := int(le.Uint32(good[ops:])) + 6*int(format.OpSize)
	text := int(le.Uint32(good[messages:]))
	size := uint32(len(good))
	put32 := func(at int, v uint32) func([]byte) { return func(b []byte) { le.PutUint32(b[at:], v) } }
	put64 := func(at int, v uint64) func([]byte) { return func(b []byte) { le.PutUint64(b[at:], v) } }
	for name, change := range map[string]func([]byte){
		"magic":                        put64(0, format.Magic+1<<56),
		"size":                         put32(16, size-8),
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
		"message outside":              put32(text, size),
		"message past the end":         put32(text+4, size),
		"first operation of a level":   put32(second+56, 7),
		"operations of a level":        put32(second+60, 5),
		"mapped inside a page":         put64(second+40, v.Low+1),
		"unused inside a page":         put64(second+48, 1),
		"unused wraps":                 put64(second+48, ^uint64(0xfff)),
		"interpreter outside":          put32(second+80, size),
		"interpreter past the end":     put32(second+84, size),
		"interpreter without an end":   put32(second+84, 5),
		"moved from inside":            put64(move+24, v.Low+0x1000),
		"moved from inside a page":     put64(move+24, v.High+1),
		"moved from addresses wrapped": put64(move+24, ^uint64(0xfff)),
	} {
		data := append([]byte(nil), good...)
		change(data)
		resum(data)
		if sound(guarded(t, data)) {
			t.Errorf("%s: sound", name)
		}
	}
	data := append([]byte(nil), good...)
	data[8] ^= 1
	if sound(guarded(t, data)) {
		t.Error("checksum: sound")
	}
}

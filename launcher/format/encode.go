package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Table is what a launcher table says.
type Table struct {
	Boot          uint64 // address of the boot code
	Entry         uint64 // address of the boot entry
	FileSize      uint64 // bytes in the packed file
	Debug         uint64 // as in Header
	NoEnvironment bool
	Isolate       bool
	HideLowest    bool
	HideHighest   bool
	Charged       bool
	Movable       bool      // the file is position-independent
	Variants      []Variant // in ascending order of level
}

// Variant is one level and what the boot code does to start it. Encode fills in
// Level.Op, Level.OpCount and Level.Interp.
type Variant struct {
	Level
	Ops        []Op
	InterpPath string // without a zero byte; empty for a variant that has none
}

// Encode returns the table's bytes. Their number does not depend on the values
// of Boot, Entry, FileSize, addresses and offsets.
func Encode(t Table) ([]byte, error) {
	header := Header{
		Magic:    Magic,
		Boot:     t.Boot,
		Entry:    t.Entry,
		FileSize: t.FileSize,
		Debug:    t.Debug,
	}
	if t.NoEnvironment {
		header.Flags |= FlagNoEnvironment
	}
	if t.Isolate {
		header.Flags |= FlagIsolate
	}
	if t.Charged {
		header.Flags |= FlagCharged
	}
	if t.HideLowest {
		header.Flags |= FlagHideLowest
	}
	if t.HideHighest {
		header.Flags |= FlagHideHighest
	}
	if t.Movable {
		header.Flags |= FlagMovable
	}

	var levels []Level
	var ops []Op
	var names []string
	for _, v := range t.Variants {
		l := v.Level
		l.Op, l.OpCount = uint32(len(ops)), uint32(len(v.Ops))
		levels = append(levels, l)
		ops = append(ops, v.Ops...)
		names = append(names, fmt.Sprintf("v%d", l.Level))
	}
	if len(ops) > MaxOps {
		return nil, fmt.Errorf("%d mapping operations: the launcher table holds %d", len(ops), MaxOps)
	}

	header.Levels, header.LevelCount = uint32(HeaderSize), uint32(len(levels))
	header.Ops, header.OpCount = header.Levels+header.LevelCount*uint32(LevelSize), uint32(len(ops))
	header.Messages, header.MessageCount = header.Ops+header.OpCount*uint32(OpSize), MsgCount

	var texts []Text
	var characters []byte
	begin := header.Messages + header.MessageCount*uint32(TextSize)
	text := func(s string) Text {
		at := begin + uint32(len(characters))
		characters = append(characters, s...)
		return Text{Offset: at, Len: uint32(len(s))}
	}
	for _, m := range MessageText(strings.Join(names, ", ")) {
		texts = append(texts, text(m))
	}
	for i, v := range t.Variants {
		if v.InterpPath != "" {
			levels[i].Interp = text(v.InterpPath + "\x00")
		}
	}
	for len(characters)%8 != 0 {
		characters = append(characters, 0)
	}
	header.Size = begin + uint32(len(characters))
	if header.Size > MaxSize {
		return nil, fmt.Errorf("launcher table of %d bytes: at most %d", header.Size, MaxSize)
	}

	var out bytes.Buffer
	for _, part := range []any{header, levels, ops, texts, characters} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	table := out.Bytes()
	binary.LittleEndian.PutUint64(table[8:], Sum(table))
	return table, nil
}

// Sum returns the checksum of a table, which covers the words behind it.
func Sum(table []byte) uint64 {
	return SumWords(table[16:])
}

// SumWords returns the checksum of whole words; bytes behind the last one do not count.
func SumWords(data []byte) uint64 {
	sum := uint64(SumBasis)
	for ; len(data) >= 8; data = data[8:] {
		sum = (sum ^ binary.LittleEndian.Uint64(data)) * SumPrime
	}
	return sum
}

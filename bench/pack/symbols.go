package main

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// Sizes in bytes of a symbol and of a section header (System V gABI).
const (
	symbolSize  = 24
	sectionSize = 64
)

// growSymbols gives an executable, in place of its symbol table, one of about
// size bytes, names included: functions, each of another name. The old table
// stays where it is and counts as nothing.
func growSymbols(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	read, err := elf.NewFile(file)
	if err != nil {
		return err
	}
	var header elf.Header64
	if err := binary.Read(io.NewSectionReader(file, 0, 64), read.ByteOrder, &header); err != nil {
		return err
	}
	sections := make([]elf.Section64, header.Shnum)
	if err := binary.Read(io.NewSectionReader(file, int64(header.Shoff), int64(len(sections))*sectionSize), read.ByteOrder, sections); err != nil {
		return err
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	end = (end + 7) &^ 7
	if _, err := file.Seek(end, io.SeekStart); err != nil {
		return err
	}

	name := func(i int64) string { return fmt.Sprintf("program/generated.(*type%07d).method", i) }
	nameSize := int64(len(name(0)) + 1)
	count := size / (symbolSize + nameSize)
	out := bufio.NewWriterSize(file, 1<<20)
	write := func(value any) error { return binary.Write(out, read.ByteOrder, value) }
	text := read.Section(".text")
	for i := range sections {
		s := &sections[i]
		switch read.Sections[i].Name {
		case ".symtab":
			s.Off, s.Size, s.Info = uint64(end), uint64(symbolSize*(count+1)), 1
		case ".strtab":
			s.Off, s.Size = uint64(end+symbolSize*(count+1)), uint64(1+count*nameSize)
		}
	}
	var index uint16
	for i, s := range read.Sections {
		if s == text {
			index = uint16(i)
		}
	}
	symbol := make([]byte, symbolSize)
	out.Write(symbol)
	for i := range count {
		symbol = binary.LittleEndian.AppendUint32(symbol[:0], uint32(1+i*nameSize))
		symbol = append(symbol, elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), 0, byte(index), byte(index>>8))
		symbol = binary.LittleEndian.AppendUint64(symbol, text.Addr+uint64(i)%text.Size)
		symbol = binary.LittleEndian.AppendUint64(symbol, 1)
		out.Write(symbol)
	}
	out.WriteByte(0)
	for i := range count {
		out.WriteString(name(i))
		out.WriteByte(0)
	}
	header.Shoff = uint64(end + symbolSize*(count+1) + 1 + count*nameSize)
	if err := write(sections); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return binary.Write(file, read.ByteOrder, header)
}

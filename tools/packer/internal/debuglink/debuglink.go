// Package debuglink ties packed files to their companions: the debug files, one
// a level, of which a debugger finds at most one.
//
// Debuggers look for a separate debug file by build id, or by the name in the
// section .gnu_debuglink, beside the executable; with the name stands the
// CRC-32 that the debug file must have. All companions of a packed file have
// the same CRC-32, taken from the build id, so that each of them can be the one
// that is found, and none of another build is.
package debuglink

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"unicode"
)

// Section is the name of the section that names a debug file.
const Section = ".gnu_debuglink"

// Name returns the name that the debug file of an executable with a build id, in
// hexadecimal, has by default. It is right whatever the executable is called.
func Name(buildID string) string { return buildID + Suffix }

// Sum returns the CRC-32 of the companions of the executable with a build id.
func Sum(buildID []byte) uint32 { return binary.LittleEndian.Uint32(buildID) }

// Encode returns the contents of the section: the name, zeroes up to a multiple
// of four bytes, the CRC-32. Source: the GDB manual, "Separate Debug Files".
func Encode(name string, sum uint32) []byte {
	out := append([]byte(name), 0)
	for len(out)%4 != 0 {
		out = append(out, 0)
	}
	return binary.LittleEndian.AppendUint32(out, sum)
}

// Read returns the name of a file's debug file, or nothing when it has none that
// a debugger would look for.
func Read(file *elf.File) string {
	const limit = 4096 // PATH_MAX
	section := file.Section(Section)
	if section == nil || section.Type != elf.SHT_PROGBITS || section.FileSize > limit {
		return ""
	}
	data := make([]byte, section.FileSize)
	if _, err := section.ReadAt(data, 0); err != nil {
		return ""
	}
	name, _, found := bytes.Cut(data, []byte{0})
	if !found || Check(string(name)) != nil {
		return ""
	}
	return string(name)
}

// Suffix ends the name of every debug file, so that no packed file makes the packer
// write a file of another kind.
const Suffix = ".debug"

// Check refuses what is no name of a debug file in a folder. Names come from packed
// files, which are not trusted.
func Check(name string) error {
	switch {
	case strings.ContainsAny(name, "/\x00"):
		return errors.New("want the name of a file, without a folder")
	case !strings.HasSuffix(name, Suffix) || name == Suffix:
		return errors.New("want a name that ends in " + Suffix)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("want a name without control characters")
	}
	return nil
}

// Complete returns the four bytes that give data with the CRC-32 sum the CRC-32
// want when they follow it.
//
// A byte at the end moves the register down by eight bits and adds the entry of
// the table for what drops out. No two entries have the same highest byte, so
// the steps can be taken back, and what the register has to be before four bytes
// differs from what it is by these bytes.
func Complete(sum, want uint32) []byte {
	var entry [256]int
	for i, value := range crc32.IEEETable {
		entry[value>>24] = i
	}
	register := ^want
	for range 4 {
		i := entry[register>>24]
		register = (register^crc32.IEEETable[i])<<8 | uint32(i)
	}
	return binary.LittleEndian.AppendUint32(nil, register^^sum)
}

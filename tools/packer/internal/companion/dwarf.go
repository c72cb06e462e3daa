package companion

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rules_go_multiarch/tools/packer/internal/dwarfshift"
	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// oldPrefix is that of the names of sections that were compressed before the ELF
// specification knew of it.
const oldPrefix = ".zdebug_"

func isDWARF(s *elf.Section) bool {
	return s.Flags&elf.SHF_ALLOC == 0 && (strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, oldPrefix))
}

// addDWARF plans the level's debug information, moved by a distance, and returns
// the file offset behind it. What has no addresses is copied as it is.
func (c *Companion) addDWARF(source *variant.Variant, table *sections.Table, distance uint64) (uint64, error) {
	moved, err := movedDWARF(source, distance)
	if err != nil {
		return 0, err
	}
	at := uint64(len(c.header))
	for _, s := range source.ELF.Sections {
		if !isDWARF(s) {
			continue
		}
		h := s.SectionHeader
		h.Offset, h.Size, h.Link, h.Info = at, s.FileSize, 0, 0
		var data io.Reader = io.NewSectionReader(source.Reader(), int64(s.Offset), int64(s.FileSize))
		if contents, found := moved[plainName(s)]; found {
			h.Name, h.Size, h.Flags = plainName(s), uint64(len(contents)), h.Flags&^elf.SHF_COMPRESSED
			data = bytes.NewReader(contents)
		}
		if h.Flags&elf.SHF_COMPRESSED != 0 {
			h.Addralign = 1 // package elf has that of what is compressed
		}
		if h.Addralign > 1 {
			h.Offset = (at + h.Addralign - 1) / h.Addralign * h.Addralign
		}
		c.debug = append(c.debug, part{h.Offset, data})
		table.Add(h)
		at = h.Offset + h.Size
	}
	return at, nil
}

// plainName returns the name that a section has when it is not compressed.
func plainName(s *elf.Section) string {
	if name, old := strings.CutPrefix(s.Name, oldPrefix); old {
		return ".debug_" + name
	}
	return s.Name
}

// movedDWARF returns the contents of the sections that have addresses, by name,
// where those are not what they were.
func movedDWARF(source *variant.Variant, distance uint64) (map[string][]byte, error) {
	if distance == 0 {
		return nil, nil
	}
	move := dwarfshift.Move{Low: source.High, High: source.High, By: distance}
	contents := map[string][]byte{}
	for _, s := range source.ELF.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Flags&elf.SHF_TLS == 0 {
			move.Low = min(move.Low, s.Addr)
		}
		if !isDWARF(s) || !slices.Contains(dwarfshift.Sections, plainName(s)) {
			continue
		}
		data, err := decompressed(s)
		if err != nil {
			return nil, fmt.Errorf("reading its section %s: %w", s.Name, err)
		}
		contents[plainName(s)] = data
	}
	return contents, dwarfshift.Shift(contents, move)
}

// decompressed returns the contents of a section. What they take of memory is what
// there is, whatever their header says.
func decompressed(s *elf.Section) ([]byte, error) {
	data, err := s.Data()
	if err != nil || s.Name == plainName(s) {
		return data, err
	}
	size, found := bytes.CutPrefix(data, []byte("ZLIB"))
	if !found || len(size) < 8 {
		return data, nil // it was not compressed after all
	}
	z, err := zlib.NewReader(bytes.NewReader(size[8:]))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(z)
	if err == nil && uint64(len(out)) != binary.BigEndian.Uint64(size) {
		err = errors.New("its size is not what its header says")
	}
	return out, err
}

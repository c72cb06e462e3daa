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
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// oldPrefix is that of the names of sections that were compressed before the ELF
// specification knew of it.
const oldPrefix = ".zdebug_"

func isDWARF(s *elf.Section) bool {
	return s.Flags&elf.SHF_ALLOC == 0 && (strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, oldPrefix))
}

const frameSection = ".debug_frame"

// addDWARF plans the level's debug information and returns the file offset behind
// it. What is neither moved nor added to is copied as it is.
func (c *Companion) addDWARF(file *packed.File, source *variant.Variant, table *sections.Table, distance uint64) (uint64, error) {
	changed, err := movedDWARF(source, distance)
	if err != nil {
		return 0, err
	}
	if err := addUnwind(changed, file, source, distance); err != nil {
		return 0, err
	}
	at := uint64(len(c.header))
	add := func(h elf.SectionHeader, data io.Reader) {
		if h.Addralign > 1 {
			at = (at + h.Addralign - 1) / h.Addralign * h.Addralign
		}
		h.Offset, h.Link, h.Info = at, 0, 0
		c.debug = append(c.debug, part{at, data})
		table.Add(h)
		at += h.Size
	}
	for _, s := range source.ELF.Sections {
		if !isDWARF(s) {
			continue
		}
		h := s.SectionHeader
		if contents, found := changed[plainName(s)]; found {
			h.Name, h.Size, h.Flags = plainName(s), uint64(len(contents)), h.Flags&^elf.SHF_COMPRESSED
			add(h, bytes.NewReader(contents))
			delete(changed, plainName(s))
			continue
		}
		h.Size = s.FileSize
		if h.Flags&elf.SHF_COMPRESSED != 0 {
			h.Addralign = 1 // package elf has that of what is compressed
		}
		add(h, io.NewSectionReader(source.Reader(), int64(s.Offset), int64(s.FileSize)))
	}
	if frames := changed[frameSection]; len(frames) > 0 { // a program without Go's
		add(elf.SectionHeader{Name: frameSection, Type: elf.SHT_PROGBITS, Size: uint64(len(frames)), Addralign: 8}, bytes.NewReader(frames))
	}
	return at, nil
}

// addUnwind adds to .debug_frame what C has in .eh_frame, unless it is this level that the
// packed file has it of by that name: debuggers look for it there, and not in debug files.
func addUnwind(changed map[string][]byte, file *packed.File, source *variant.Variant, distance uint64) error {
	const name = ".eh_frame"
	section := source.ELF.Section(name)
	if section == nil || section.Type == elf.SHT_NOBITS {
		return nil
	}
	if known := file.ELF.Section(name); known != nil && known.Addr == section.Addr+distance {
		return nil
	}
	contents, err := section.Data()
	if err != nil {
		return fmt.Errorf("reading its section %s: %w", section.Name, err)
	}
	frames, there := changed[frameSection]
	for _, s := range source.ELF.Sections {
		if !there && isDWARF(s) && plainName(s) == frameSection {
			if frames, err = decompressed(s); err != nil {
				return fmt.Errorf("reading its section %s: %w", s.Name, err)
			}
		}
	}
	more, err := dwarfshift.DebugFrame(contents, section.Addr+distance, distance, uint64(len(frames)))
	if err == nil && len(more) > 0 {
		changed[frameSection] = append(frames, more...)
	}
	return err
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
	contents := map[string][]byte{}
	if distance == 0 {
		return contents, nil
	}
	move := dwarfshift.Move{Low: source.High, High: source.High, By: distance}
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

package pack

import (
	"debug/elf"
	"io"

	"rules_go_multiarch/tools/packer/internal/sections"
)

// tail gathers what follows the variants in the file.
type tail struct {
	start, end   uint64 // file offsets of the first part, and behind the last one
	parts        []part
	sectionTable uint64 // file offset of the section headers
	sectionCount int
}

// part is a piece of the tail: bytes, or what makes them.
type part struct {
	bytes []byte
	size  uint64
	make  func(io.Writer) error
}

func (t *tail) append(p part) {
	t.parts = append(t.parts, p)
	t.end += p.size
}

func (t *tail) appendBytes(data []byte) {
	t.append(part{bytes: data, size: uint64(len(data))})
}

func (t *tail) align(alignment uint64) {
	t.appendBytes(make([]byte, align(t.end, alignment)-t.end))
}

// add appends a section and its contents.
func (t *tail) add(table *sections.Table, s elf.SectionHeader, contents []byte) {
	t.align(s.Addralign)
	s.Offset, s.Size = t.end, uint64(len(contents))
	t.appendBytes(contents)
	table.Add(s)
}

// addMade appends a section of s.Size bytes that a function writes.
func (t *tail) addMade(table *sections.Table, s elf.SectionHeader, write func(io.Writer) error) {
	t.align(s.Addralign)
	s.Offset = t.end
	t.append(part{size: s.Size, make: write})
	table.Add(s)
}

// addSectionTable appends the section names and the section headers.
func (t *tail) addSectionTable(table *sections.Table) {
	names, headers := table.Encode(t.end)
	t.appendBytes(names)
	t.align(8)
	t.sectionTable, t.sectionCount = t.end, len(table.Sections)
	t.appendBytes(headers)
}

// write writes all parts.
func (t *tail) write(out *padder) error {
	for _, p := range t.parts {
		if p.make == nil {
			if _, err := out.Write(p.bytes); err != nil {
				return err
			}
		} else if err := out.made(p.size, p.make); err != nil {
			return err
		}
	}
	return nil
}

// rewrite writes the parts anew that depend on digests, into a file that write
// has written to.
func (t *tail) rewrite(file io.WriterAt) error {
	at := t.start
	for _, p := range t.parts {
		if p.make == nil {
			if _, err := file.WriteAt(p.bytes, int64(at)); err != nil {
				return err
			}
		}
		at += p.size
	}
	return nil
}

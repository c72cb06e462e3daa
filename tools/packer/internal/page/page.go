// Package page renders a packed file as one self-contained HTML page.
package page

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"rules_go_multiarch/tools/packer/internal/builds"
	"rules_go_multiarch/tools/packer/internal/packed"
)

//go:embed page.html.tmpl
var text string

var page = template.Must(template.New("page").Parse(text))

// Write writes the page of a packed file. It depends on the file alone.
func Write(w io.Writer, file *packed.File) error {
	c := content{
		Name:      filepath.Base(file.Path),
		FileBar:   fileBar(file),
		MemoryBar: memoryBar(file),
	}
	c.Summary = fmt.Sprintf("%s bytes, %s, build id %s", grouped(uint64(file.Size)), file.Layout(), file.Manifest.BuildID)
	for i, l := range file.Levels {
		c.Levels = append(c.Levels, level{
			Level: l.Level.String(), Colour: colour(i), Bytes: grouped(uint64(l.Size)), SHA256: l.SHA256,
			Addresses: fmt.Sprintf("%#x–%#x", l.Table.Low, l.Table.High),
		})
		c.LevelBars = append(c.LevelBars, levelBar(file, i))
		c.Columns = append(c.Columns, l.Level.String())
	}
	c.Sections = sectionRows(file)
	c.Columns = append(c.Columns, "of the file")
	if info, err := buildinfo.Read(file); err == nil {
		c.Modules = append(c.Modules, module{info.Main.Path, info.Main.Version, info.Main.Sum})
		for _, dep := range info.Deps {
			if dep.Replace != nil {
				dep = dep.Replace
			}
			c.Modules = append(c.Modules, module{dep.Path, dep.Version, dep.Sum})
		}
	}
	for _, d := range builds.Compare(builds.Of(file)) {
		c.Differences = append(c.Differences, d.String())
	}
	return page.Execute(w, c)
}

type content struct {
	Name, Summary string
	Levels        []level
	FileBar       bar
	MemoryBar     bar
	LevelBars     []bar
	Columns       []string
	Sections      []sectionRow
	Modules       []module
	Differences   []string // of the levels' builds
}

type level struct{ Level, Colour, Bytes, Addresses, SHA256 string }

type module struct{ Path, Version, Sum string }

// sectionRow has the sizes of sections of the same name: of each level, and of
// the file as a whole.
type sectionRow struct {
	Name  string
	Sizes []string
}

// sectionRows lists the largest sections first.
func sectionRows(file *packed.File) []sectionRow {
	type sizes struct {
		name  string
		of    []uint64
		total uint64
	}
	rows := map[string]*sizes{}
	for _, s := range file.ELF.Sections {
		if s.Type == elf.SHT_NULL || s.Size == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		column := len(file.Levels)
		if s.Flags&elf.SHF_ALLOC != 0 {
			if i := levelAt(file, s.Addr); i >= 0 {
				column = i
			}
		}
		name := s.Name
		if column < len(file.Levels) {
			name = plainName(name, file.Levels[column])
		}
		if strings.HasPrefix(name, ".elf.") {
			name = "ELF headers, padding"
		}
		if rows[name] == nil {
			rows[name] = &sizes{name: name, of: make([]uint64, len(file.Levels)+1)}
		}
		rows[name].of[column] += s.FileSize
		rows[name].total += s.FileSize
	}
	var sorted []*sizes
	for _, row := range rows {
		sorted = append(sorted, row)
	}
	slices.SortFunc(sorted, func(a, b *sizes) int {
		return cmp.Or(cmp.Compare(b.total, a.total), strings.Compare(a.name, b.name))
	})
	var out []sectionRow
	for _, row := range sorted {
		r := sectionRow{Name: row.name}
		for _, size := range row.of {
			r.Sizes = append(r.Sizes, grouped(size))
		}
		out = append(out, r)
	}
	return out
}

// levelAt returns the index of the level that has an address, or -1.
func levelAt(file *packed.File, addr uint64) int {
	return slices.IndexFunc(file.Levels, func(l packed.Level) bool { return addr >= l.Table.Low && addr < l.Table.High })
}

// grouped writes a number with spaces between thousands, and zero as nothing.
func grouped(n uint64) string {
	if n == 0 {
		return ""
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

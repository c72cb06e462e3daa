// Package packed reads packed files. It never runs them.
//
// Input is not trusted: what Read returns has been checked, and no size field
// of the file makes this package allocate more than a fixed amount.
package packed

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/debuglink"
	"rules_go_multiarch/tools/packer/internal/manifest"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// ErrNotPacked is the error of reading a file that is no packed one.
var ErrNotPacked = errors.New("not a packed file (it has no section " + variant.ManifestSection + "): see packer help create")

// File is a packed file.
type File struct {
	Path     string
	Size     int64
	Mode     os.FileMode
	ELF      *elf.File
	Manifest *manifest.Manifest
	Levels   []Level // in ascending order

	// NoEnvironment reports whether the launcher ignores the environment.
	NoEnvironment bool

	// Isolate reports whether the launcher always unmaps the data of levels that it
	// does not start.
	Isolate bool

	// Changed reports whether the file was stripped, or otherwise written to,
	// since it was packed. Such a file runs, but its variants cannot be taken out.
	Changed bool

	// DebugLink is the name of the debug file that debuggers look for beside the
	// file, or empty.
	DebugLink string

	packedSize uint64 // of the file when it was packed, in bytes
	debugWord  uint64 // as in format.Header

	launcher *bootcode.Code
	r        io.ReaderAt
	os       *os.File
}

// Level is one variant, as manifest and launcher table describe it.
type Level struct {
	Level  goamd64.Level
	Offset uint64 // of its file in the packed file
	Size   int64  // of its file, in bytes
	SHA256 string // of its file, in hexadecimal
	Table  format.Level
	Ops    []format.Op
}

// errLostManifest is the error of reading a packed file that starts its levels and
// does not say any more where they are.
var errLostManifest = errors.New("has lost its manifest (section " + variant.ManifestSection + "), as eu-strip removes it: want the file as it was packed")

// Open opens and reads a packed file. Errors do not name it; the caller does.
func Open(path string) (*File, error) {
	file, info, err := variant.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	f, err := Read(file, info.Size())
	if err != nil {
		file.Close()
		return nil, err
	}
	f.Path, f.Mode, f.os = path, info.Mode().Perm(), file
	return f, nil
}

// Close closes the file of one that came from Open.
func (f *File) Close() error { return f.os.Close() }

// ReadAt reads the packed file itself.
func (f *File) ReadAt(p []byte, offset int64) (int, error) { return f.r.ReadAt(p, offset) }

// Read reads a packed file of size bytes.
func Read(r io.ReaderAt, size int64) (*File, error) {
	file, err := variant.OpenELF(r)
	if err != nil {
		return nil, err
	}
	f := &File{Size: size, ELF: file, DebugLink: debuglink.Read(file), r: r}
	f.Manifest, err = readManifest(file)
	if errors.Is(err, ErrNotPacked) && f.hasLauncher() {
		return nil, errLostManifest
	}
	if err != nil {
		return nil, err
	}
	table, err := f.readLauncher()
	if err != nil {
		return nil, fmt.Errorf("damaged launcher: %w", err)
	}
	f.NoEnvironment = table.header.Flags&format.FlagNoEnvironment != 0
	f.Isolate = table.header.Flags&format.FlagIsolate != 0
	f.packedSize, f.debugWord = table.header.FileSize, table.header.Debug
	f.Changed = f.packedSize != uint64(size)
	if err := f.join(table); err != nil {
		return nil, err
	}
	return f, nil
}

// join fills in the levels, of which manifest and launcher table must say the
// same.
func (f *File) join(t *table) error {
	if len(t.levels) != len(f.Manifest.Levels) {
		return fmt.Errorf("damaged: %d levels in the launcher table, %d in the manifest", len(t.levels), len(f.Manifest.Levels))
	}
	for i, l := range f.Manifest.Levels {
		level, err := goamd64.Parse(l.Level)
		if err != nil {
			return err
		}
		known := t.levels[i]
		if known.Level != uint32(level) || known.Offset != l.Offset || known.Size != uint64(l.Size) || known.Entry != l.Entry {
			return fmt.Errorf("damaged: the launcher table describes %v otherwise than the manifest does", level)
		}
		if !f.Changed && l.Offset+uint64(l.Size) > uint64(f.Size) {
			return fmt.Errorf("damaged: %v ends at file offset %#x, but the file has %#x bytes", level, l.Offset+uint64(l.Size), f.Size)
		}
		f.Levels = append(f.Levels, Level{
			Level: level, Offset: l.Offset, Size: l.Size, SHA256: l.SHA256, Table: known, Ops: t.ops[known.Op : known.Op+known.OpCount],
		})
	}
	return nil
}

// Level returns a level of the file.
func (f *File) Level(level goamd64.Level) (Level, error) {
	var have []string
	for _, l := range f.Levels {
		if l.Level == level {
			return l, nil
		}
		have = append(have, l.Level.String())
	}
	return Level{}, fmt.Errorf("has no %v: it has %s", level, list(have))
}

// Baseline returns the lowest level.
func (f *File) Baseline() Level { return f.Levels[0] }

// Launcher returns the boot code as it was before the file was packed.
func (f *File) Launcher() *bootcode.Code { return f.launcher }

// Range returns a level's bytes, which are those of the executable that was
// packed unless the file changed since.
func (f *File) Range(l Level) (*io.SectionReader, error) {
	if f.Changed {
		return nil, ErrChanged
	}
	return io.NewSectionReader(f.r, int64(l.Offset), l.Size), nil
}

// ErrChanged is the error of taking a variant out of a file that changed.
var ErrChanged = errors.New("is not as it was packed (was it stripped?): its variants cannot be taken out any more; take the file as the packer wrote it")

// Variant returns a level as an input of package pack. Its bytes are in the
// packed file, which must stay open.
func (f *File) Variant(l Level) (*variant.Variant, error) {
	r, err := f.Range(l)
	if err != nil {
		return nil, err
	}
	v, err := variant.Read(r, l.Size, l.Level)
	if other := (*variant.LevelError)(nil); errors.As(err, &other) {
		return nil, fmt.Errorf("what is packed as %v was built for %v, its Go build information says", l.Level, other.Built)
	}
	if err != nil {
		return nil, fmt.Errorf("%v in it: %w", l.Level, err)
	}
	v.Path = f.Path
	return v, nil
}

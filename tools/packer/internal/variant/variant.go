// Package variant reads one input of a packed file: the executable that was
// built for one level.
//
// Input is not trusted: every offset and address that the other packages use
// is checked here, and no size field makes this package allocate.
package variant

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"rules_go_multiarch/internal/goamd64"
)

// PageSize is the only page size of x86-64 Linux, in bytes.
const PageSize = 4096

// ManifestSection is the name of the section that marks a packed file.
const ManifestSection = ".gomultiarch.manifest"

// Variant is an executable that can be packed.
type Variant struct {
	Level goamd64.Level
	Path  string
	Size  int64
	ELF   *elf.File

	// Phoff is the file offset of the program header table.
	Phoff uint64
	// Phdr is the address of the program header table in memory.
	Phdr uint64
	// Low and High are the page-aligned bounds of the variant's addresses.
	Low, High uint64
	// Interp is the path of the dynamic linker, or empty.
	Interp string
	// PIE reports whether the variant is position-independent: it may be moved
	// to any page, and its addresses begin near 0.
	PIE bool

	file io.ReaderAt
	os   *os.File
}

// Loads returns the PT_LOAD program headers, in ascending order of address.
func (v *Variant) Loads() []elf.ProgHeader {
	var loads []elf.ProgHeader
	for _, p := range v.ELF.Progs {
		if p.Type == elf.PT_LOAD {
			loads = append(loads, p.ProgHeader)
		}
	}
	return loads
}

// Open opens and checks an executable. A level of 0 stands for the one that
// its build information names. Errors do not name the file; the caller does.
func Open(path string, level goamd64.Level) (*Variant, error) {
	file, info, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	v, err := Read(file, info.Size(), level)
	if err != nil {
		file.Close()
		return nil, err
	}
	v.Path, v.os = path, file
	return v, nil
}

// OpenRegular opens what must be a regular file. Errors do not name it.
func OpenRegular(path string) (*os.File, os.FileInfo, error) {
	// Opening a pipe may wait for its other end.
	if info, err := os.Stat(path); err != nil {
		return nil, nil, errors.Unwrap(err)
	} else if !info.Mode().IsRegular() {
		return nil, nil, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, errors.Unwrap(err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// Close closes the file of a variant that came from Open.
func (v *Variant) Close() error { return v.os.Close() }

// Read checks an executable of size bytes.
func Read(r io.ReaderAt, size int64, level goamd64.Level) (*Variant, error) {
	file, err := OpenELF(r)
	if err != nil {
		return nil, err
	}
	v := &Variant{Level: level, Size: size, ELF: file, file: r}
	for _, check := range []func() error{v.checkKind, v.checkSegments, v.checkHeaders, v.checkSections, v.checkLevel} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Reader returns a reader over the whole file.
func (v *Variant) Reader() *io.SectionReader { return io.NewSectionReader(v.file, 0, v.Size) }

// CopyTo writes the whole file to w. Between files the kernel does the copying.
func (v *Variant) CopyTo(w io.Writer) error {
	if v.os == nil {
		_, err := io.Copy(w, v.Reader())
		return err
	}
	if _, err := v.os.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(w, v.os, v.Size)
	return err
}

func (v *Variant) checkKind() error {
	if v.ELF.Section(ManifestSection) != nil {
		return errors.New("is a packed file already: give its variants one by one")
	}
	for _, p := range v.ELF.Progs {
		if p.Type == elf.PT_INTERP {
			path, err := readInterp(p)
			if err != nil {
				return err
			}
			v.Interp = path
		}
	}
	switch v.ELF.Type {
	case elf.ET_EXEC:
		return nil
	case elf.ET_DYN:
		// A shared library has neither; some, like libc.so.6, have an interpreter
		// and can in fact be executed.
		if v.Interp == "" && !v.saysPIE() {
			return errors.New("a shared library (ELF type ET_DYN with no interpreter and no DF_1_PIE): want an executable")
		}
		v.PIE = true
		return nil
	}
	return fmt.Errorf("ELF type %v: want an executable (ET_EXEC or ET_DYN)", v.ELF.Type)
}

// saysPIE reports whether the dynamic section marks an executable.
func (v *Variant) saysPIE() bool {
	flags := v.dynamic(elf.DT_FLAGS_1)
	return len(flags) > 0 && elf.DynFlag1(flags[0])&elf.DF_1_PIE != 0
}

// NeedsLibraries reports whether the dynamic section names shared libraries.
func (v *Variant) NeedsLibraries() bool { return len(v.dynamic(elf.DT_NEEDED)) > 0 }

// dynamic returns the values that the dynamic section has for a tag.
func (v *Variant) dynamic(tag elf.DynTag) []uint64 {
	const largest = 1 << 20
	var values []uint64
	for _, p := range v.ELF.Progs {
		if p.Type != elf.PT_DYNAMIC {
			continue
		}
		r := bufio.NewReader(io.LimitReader(p.Open(), largest))
		for {
			var entry elf.Dyn64
			if err := binary.Read(r, v.ELF.ByteOrder, &entry); err != nil || entry.Tag == int64(elf.DT_NULL) {
				break
			}
			if entry.Tag == int64(tag) {
				values = append(values, entry.Val)
			}
		}
	}
	return values
}

// readInterp returns the path in a PT_INTERP, whose size the kernel bounds by
// PATH_MAX.
func readInterp(p *elf.Prog) (string, error) {
	const pathMax = 4096
	if p.Filesz < 2 || p.Filesz > pathMax {
		return "", fmt.Errorf("PT_INTERP: %d bytes, want 2 to %d", p.Filesz, pathMax)
	}
	path := make([]byte, p.Filesz)
	if _, err := p.ReadAt(path, 0); err != nil {
		return "", fmt.Errorf("PT_INTERP: %w", err)
	}
	if bytes.IndexByte(path, 0) != len(path)-1 {
		return "", fmt.Errorf("PT_INTERP: %q: want a path that ends in the only zero byte", path)
	}
	return string(path[:len(path)-1]), nil
}

func (v *Variant) checkSegments() error {
	loads := v.Loads()
	if len(loads) == 0 {
		return errors.New("has no PT_LOAD program header: want an executable")
	}
	// The kernel maps nothing below vm.mmap_min_addr, 64 KiB by default, and the
	// packed file needs room for its start below a variant; package layout checks how much.
	const highest = 1 << 46
	lowest := uint64(0x20000)
	if v.PIE {
		lowest = 0
	}
	v.Low, v.High = PageFloor(loads[0].Vaddr), 0
	executable := false
	for i, p := range loads {
		where := fmt.Sprintf("PT_LOAD %d at %#x", i, p.Vaddr)
		switch {
		case p.Vaddr < lowest || p.Vaddr >= highest || p.Memsz > highest-p.Vaddr:
			return fmt.Errorf("%s with %#x bytes: addresses must lie between %#x and %#x", where, p.Memsz, lowest, uint64(highest))
		case p.Filesz > p.Memsz:
			return fmt.Errorf("%s: %#x bytes in the file but only %#x in memory", where, p.Filesz, p.Memsz)
		case p.Off > uint64(v.Size) || p.Filesz > uint64(v.Size)-p.Off:
			return fmt.Errorf("%s: ends at file offset %#x, but the file has %#x bytes", where, p.Off+p.Filesz, v.Size)
		case p.Vaddr%PageSize != p.Off%PageSize:
			return fmt.Errorf("%s: file offset %#x is not congruent to the address modulo %#x", where, p.Off, PageSize)
		case PageFloor(p.Vaddr) < v.High:
			return fmt.Errorf("%s: overlaps or precedes the segment before it, which ends at %#x", where, v.High)
		case p.Memsz == 0:
			return fmt.Errorf("%s: is empty", where)
		case p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0:
			return fmt.Errorf("%s: is both writable and executable", where)
		case p.Flags&elf.PF_X != 0 && p.Memsz > p.Filesz:
			return fmt.Errorf("%s: is executable and larger in memory than in the file", where)
		}
		v.High = PageCeil(p.Vaddr + p.Memsz)
		if p.Flags&elf.PF_X != 0 && v.ELF.Entry >= p.Vaddr && v.ELF.Entry < p.Vaddr+p.Filesz {
			executable = true
		}
	}
	if !executable {
		return fmt.Errorf("entry point %#x is in no executable segment", v.ELF.Entry)
	}
	return nil
}

// checkHeaders finds the program headers in memory, as the kernel does for
// AT_PHDR (load_elf_binary in linux/fs/binfmt_elf.c).
func (v *Variant) checkHeaders() error {
	var ehdr [64]byte
	if _, err := v.file.ReadAt(ehdr[:], 0); err != nil {
		return fmt.Errorf("reading the ELF header: %w", err)
	}
	v.Phoff = v.ELF.ByteOrder.Uint64(ehdr[32:])
	length := uint64(len(v.ELF.Progs)) * 56
	for _, p := range v.Loads() {
		if v.Phoff >= p.Off && v.Phoff-p.Off < p.Filesz && length <= p.Filesz-(v.Phoff-p.Off) {
			v.Phdr = p.Vaddr + v.Phoff - p.Off
			return nil
		}
	}
	return fmt.Errorf("program headers at file offset %#x are in no segment", v.Phoff)
}

func (v *Variant) checkSections() error {
	for i, s := range v.ELF.Sections {
		// Most kernels place a file that has no PT_INTERP at any page, whatever it says.
		if v.PIE && s.Flags&elf.SHF_ALLOC != 0 && s.Addralign > PageSize {
			return fmt.Errorf("section %d (%q): is aligned to %#x bytes, want at most %#x in a position-independent executable: link it without -pie", i, s.Name, s.Addralign, PageSize)
		}
		if s.Type == elf.SHT_NOBITS || s.Type == elf.SHT_NULL {
			continue
		}
		if s.Offset > uint64(v.Size) || s.FileSize > uint64(v.Size)-s.Offset {
			return fmt.Errorf("section %d (%q): ends at file offset %#x, but the file has %#x bytes", i, s.Name, s.Offset+s.FileSize, v.Size)
		}
	}
	return nil
}

func (v *Variant) checkLevel() error {
	built := goamd64.FromBuildInfo(v.file)
	switch {
	case v.Level == 0 && built == 0:
		return errors.New("its Go build information names no GOAMD64: give the level as vN=FILE")
	case v.Level == 0:
		v.Level = built
	case built != 0 && built != v.Level:
		return &LevelError{Given: v.Level, Built: built}
	}
	return nil
}

// LevelError is the error of an executable that was built for another level.
type LevelError struct{ Given, Built goamd64.Level }

func (e *LevelError) Error() string {
	return fmt.Sprintf("given as %v, but its Go build information says GOAMD64=%v", e.Given, e.Built)
}

// PageFloor returns the start of the page of an address or offset.
func PageFloor(x uint64) uint64 { return x &^ (PageSize - 1) }

// PageCeil returns the first page boundary that is not below x.
func PageCeil(x uint64) uint64 { return PageFloor(x + PageSize - 1) }

package packed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/variant"
)

// Problem is one thing that Verify found wrong.
type Problem struct {
	Level  string `json:"level,omitempty"` // or empty: it is about the whole file
	Reason string `json:"reason"`
}

// String returns the problem on one line.
func (p Problem) String() string {
	if p.Level == "" {
		return p.Reason
	}
	return p.Level + ": " + p.Reason
}

// Verify checks everything that Read does not: each variant's bytes against
// its digest, what it says of its own level, and that the segments of the file
// and the launcher's operations give it the memory that the kernel would.
func (f *File) Verify(ctx context.Context) ([]Problem, error) {
	var problems []Problem
	add := func(level goamd64.Level, text string, args ...any) {
		p := Problem{Reason: fmt.Sprintf(text, args...)}
		if level != 0 {
			p.Level = level.String()
		}
		problems = append(problems, p)
	}
	if f.Changed {
		add(0, "%v", ErrChanged)
		for _, reason := range slices.Concat(f.edits(), f.changes(), f.segments()) {
			add(0, "%s", reason)
		}
		return problems, nil
	}
	for _, reason := range append(f.edits(), f.segments()...) {
		add(0, "%s", reason)
	}
	if id := f.buildID(); id != f.Manifest.BuildID {
		add(0, "its build id is %s, the manifest has %s", id, f.Manifest.BuildID)
	}
	digests, err := f.Digests(ctx)
	if err != nil {
		return nil, err
	}
	for i, l := range f.Levels {
		if digests[i] != l.SHA256 {
			add(l.Level, "the SHA-256 of its bytes is %s, the manifest has %s", digests[i], l.SHA256)
			continue
		}
		v, err := f.Variant(l)
		if err != nil {
			add(l.Level, "%v", err)
			continue
		}
		for _, reason := range f.mapped(l, v) {
			add(l.Level, "%s", reason)
		}
	}
	return problems, nil
}

// Digests returns the SHA-256 of each level's bytes, in hexadecimal.
func (f *File) Digests(ctx context.Context) ([]string, error) {
	digests := make([]string, len(f.Levels))
	errs := make(chan error, len(f.Levels))
	for i, l := range f.Levels {
		go func() {
			r, err := f.Range(l)
			if err == nil {
				var digest [sha256.Size]byte
				digest, err = variant.Digest(ctx, r)
				digests[i] = hex.EncodeToString(digest[:])
			}
			errs <- err
		}()
	}
	var first error
	for range f.Levels {
		if err := <-errs; err != nil {
			first = err
		}
	}
	return digests, first
}

// buildID returns the file's own GNU build id in hexadecimal, or nothing.
func (f *File) buildID() string {
	const header, size = 16, 20
	section := f.ELF.Section(".note.gnu.build-id")
	var note [header + size]byte
	if section == nil || section.Flags&elf.SHF_COMPRESSED != 0 || section.FileSize != uint64(len(note)) {
		return ""
	}
	if _, err := section.ReadAt(note[:], 0); err != nil {
		return ""
	}
	return hex.EncodeToString(note[header:])
}

// segments checks the program headers as a whole.
func (f *File) segments() (reasons []string) {
	end, boot := uint64(0), f.Manifest.Boot
	launcher := false
	for i, p := range f.ELF.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		where := fmt.Sprintf("segment %d at %#x", i, p.Vaddr)
		switch {
		case p.Memsz > 1<<47 || p.Vaddr > 1<<47:
			reasons = append(reasons, where+" ends outside of user space")
			return reasons
		case p.Filesz > p.Memsz:
			reasons = append(reasons, where+" is larger in the file than in memory")
		case p.Off > uint64(f.Size) || p.Filesz > uint64(f.Size)-p.Off:
			reasons = append(reasons, fmt.Sprintf("%s ends at file offset %#x, but the file has %#x bytes", where, p.Off+p.Filesz, f.Size))
		case p.Vaddr%variant.PageSize != p.Off%variant.PageSize:
			reasons = append(reasons, fmt.Sprintf("%s: file offset %#x is not congruent to the address", where, p.Off))
		case variant.PageFloor(p.Vaddr) < end:
			reasons = append(reasons, fmt.Sprintf("%s overlaps or precedes the one before it, which ends at %#x", where, end))
		case p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0:
			reasons = append(reasons, where+" is both writable and executable")
		}
		end = variant.PageCeil(p.Vaddr + p.Memsz)
		if boot.Address >= p.Vaddr && boot.Size <= p.Filesz && boot.Address-p.Vaddr <= p.Filesz-boot.Size {
			launcher = p.Flags == elf.PF_R|elf.PF_X && (f.Changed || boot.Address-p.Vaddr == boot.Offset-p.Off)
		}
	}
	if f.debugWord != 0 && !f.holdsDebug(f.debugWord) {
		reasons = append(reasons, fmt.Sprintf("%#x, where debuggers are to look, is no value of DT_DEBUG in a segment that can be written to", f.debugWord))
	}
	if !launcher {
		reasons = append(reasons, fmt.Sprintf("no segment maps the launcher, readable and executable, at %#x", boot.Address))
	}
	return reasons
}

// holdsDebug reports whether the word at addr is a value of DT_DEBUG that can be set. Which
// value it is cannot be told in a file that changed, in which the section may have moved.
func (f *File) holdsDebug(addr uint64) bool {
	for _, p := range f.ELF.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W == 0 || addr < p.Vaddr+8 || addr+8 > p.Vaddr+p.Filesz {
			continue
		}
		var tag [8]byte
		return f.Changed || f.ReadMemory(tag[:], addr-8) == nil && binary.LittleEndian.Uint64(tag[:]) == uint64(elf.DT_DEBUG)
	}
	return false
}

// mapped checks, segment by segment of a variant, that its addresses show the
// right bytes of the file with the right access, once the launcher has carried
// out the level's operations.
func (f *File) mapped(l Level, v *variant.Variant) (reasons []string) {
	bias := l.Table.Low - v.Low
	if l.Table.Entry != v.ELF.Entry && l.Table.Entry != v.ELF.Entry+bias {
		reasons = append(reasons, fmt.Sprintf("is entered at %#x, its entry point is %#x", l.Table.Entry, v.ELF.Entry))
	}
	for i, p := range v.Loads() {
		for at, end := p.Vaddr, p.Vaddr+p.Filesz; at < end; {
			page, found := f.look(l, at+bias)
			want := l.Offset + p.Off + at - p.Vaddr
			switch {
			case !found:
				reasons = append(reasons, fmt.Sprintf("segment %d: nothing is mapped at %#x", i, at+bias))
			case page.offset != want:
				reasons = append(reasons, fmt.Sprintf("segment %d: file offset %#x is mapped at %#x, want %#x", i, page.offset, at+bias, want))
			case page.flags != p.Flags&7:
				reasons = append(reasons, fmt.Sprintf("segment %d: %v at %#x, want %v", i, page.flags, at+bias, p.Flags&7))
			default:
				at += page.size
				continue
			}
			break
		}
		if p.Memsz > p.Filesz && !f.zeroed(l, p.Vaddr+p.Filesz+bias, p.Vaddr+p.Memsz+bias, p.Flags) {
			reasons = append(reasons, fmt.Sprintf("segment %d: %#x to %#x are not zeroed", i, p.Vaddr+p.Filesz+bias, p.Vaddr+p.Memsz+bias))
		}
	}
	for _, op := range l.Ops {
		if op.Kind == format.OpCheck && !f.passes(l, op) {
			reasons = append(reasons, fmt.Sprintf("the launcher refuses the %d bytes at %#x", op.Len, op.Addr))
		}
	}
	return reasons
}

// passes reports whether a level's memory has the sum that the launcher wants.
func (f *File) passes(l Level, op format.Op) bool {
	data := make([]byte, op.Len)
	if page, found := f.look(l, op.Addr); found {
		if _, err := f.r.ReadAt(data, int64(page.offset)); err != nil || page.size < op.Len {
			return false
		}
	} else if !f.zeroed(l, op.Addr, op.Addr+op.Len, elf.PF_R|elf.PF_W) {
		return false
	}
	return format.SumWords(data) == op.From
}

// view is what a range of addresses shows.
type view struct {
	offset uint64 // in the file
	size   uint64 // for how many bytes that holds
	flags  elf.ProgFlag
}

// look returns what an address shows when a level runs.
func (f *File) look(l Level, addr uint64) (view, bool) {
	from, size := addr, ^uint64(0)
	for _, op := range l.Ops {
		if op.Kind == format.OpMove && addr >= op.Addr && addr-op.Addr < op.Len {
			from, size = op.From+addr-op.Addr, op.Len-(addr-op.Addr)
		}
	}
	for _, p := range f.ELF.Progs {
		if p.Type != elf.PT_LOAD || from < p.Vaddr || from-p.Vaddr >= p.Filesz {
			continue
		}
		v := view{offset: p.Off + from - p.Vaddr, size: min(size, p.Filesz-(from-p.Vaddr)), flags: p.Flags & 7}
		for _, op := range l.Ops {
			if op.Kind != format.OpProtect {
				continue
			}
			if addr >= op.Addr && addr-op.Addr < op.Len {
				v.flags = flagsOf(op.Prot)
				v.size = min(v.size, op.Len-(addr-op.Addr))
			} else if addr < op.Addr {
				v.size = min(v.size, op.Addr-addr)
			}
		}
		return v, true
	}
	return view{}, false
}

// zeroed reports whether a range is made of zeroes when a level runs: by the
// kernel, or by the launcher's operations. The page that the range begins in
// may also be one that nothing can write to.
func (f *File) zeroed(l Level, at, end uint64, flags elf.ProgFlag) bool {
	for at < end {
		next := at
		for _, p := range f.ELF.Progs {
			if p.Type == elf.PT_LOAD && p.Vaddr+p.Filesz <= at && at < p.Vaddr+p.Memsz && p.Flags&7 == flags&7 {
				next = p.Vaddr + p.Memsz
			}
		}
		for _, op := range l.Ops {
			if (op.Kind == format.OpZero || op.Kind == format.OpAnonymous) && op.Addr <= at && at-op.Addr < op.Len {
				next = max(next, op.Addr+op.Len)
			}
		}
		if next == at && at%variant.PageSize != 0 && flags&elf.PF_W == 0 {
			next = variant.PageCeil(at)
		}
		if next == at {
			return false
		}
		at = next
	}
	return true
}

func flagsOf(prot uint32) elf.ProgFlag {
	var flags elf.ProgFlag
	for bit, flag := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if prot>>bit&1 != 0 {
			flags |= flag
		}
	}
	return flags
}

// Against compares a level with a plain executable, and returns the reason why
// they differ, or nothing.
func (f *File) Against(ctx context.Context, l Level, other *variant.Variant) (string, error) {
	if other.Size != l.Size {
		return fmt.Sprintf("has %d bytes, %s has %d", l.Size, other.Path, other.Size), nil
	}
	r, err := f.Range(l)
	if err != nil {
		return err.Error(), nil
	}
	theirs := other.Reader()
	a, b := make([]byte, 128<<10), make([]byte, 128<<10)
	for at := int64(0); at < l.Size; {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		n := min(l.Size-at, int64(len(a)))
		if _, err := io.ReadFull(r, a[:n]); err != nil {
			return "", err
		}
		if _, err := io.ReadFull(theirs, b[:n]); err != nil {
			return "", fmt.Errorf("%s: %w", other.Path, err)
		}
		if !bytes.Equal(a[:n], b[:n]) {
			for i := range a[:n] {
				if a[i] != b[i] {
					return fmt.Sprintf("differs from %s, first at byte %d", other.Path, at+int64(i)), nil
				}
			}
		}
		at += n
		variant.Progress(ctx, n)
	}
	return "", nil
}

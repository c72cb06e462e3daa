package packed

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/bootcode"
)

// maxLauncher bounds boot code and table together.
const maxLauncher = 128 << 10

// table is a launcher table with all offsets in it checked.
type table struct {
	header format.Header
	levels []format.Level
	ops    []format.Op
}

// readLauncher reads boot code and launcher table from where the segments of
// the file put them, which strip and objcopy keep right.
func (f *File) readLauncher() (*table, error) {
	boot := f.Manifest.Boot
	data, err := f.memory(boot.Address, boot.Size)
	if err != nil {
		return nil, err
	}
	entry := f.ELF.Entry - boot.Address
	if f.ELF.Entry < boot.Address || entry > uint64(len(data)) || uint64(len(data))-entry < format.TableWord+8 {
		return nil, fmt.Errorf("the entry point %#x is not in it", f.ELF.Entry)
	}
	word := binary.LittleEndian.Uint64(data[entry+format.TableWord:])
	at, size := entry+word&0xffffffff, word>>32
	if at > uint64(len(data)) || size > uint64(len(data))-at {
		return nil, fmt.Errorf("its table of %#x bytes at %#x ends behind it", size, at)
	}
	t, err := decode(data[at : at+size])
	if err != nil {
		return nil, err
	}
	if t.header.Entry != f.ELF.Entry {
		return nil, fmt.Errorf("its table is for the entry point %#x, the file's is %#x", t.header.Entry, f.ELF.Entry)
	}
	if t.header.Boot != boot.Address {
		return nil, fmt.Errorf("its table is for a launcher at %#x, the file's is at %#x", t.header.Boot, boot.Address)
	}
	f.launcher, err = f.restore(data[:at], entry)
	return t, err
}

// hasLauncher reports whether the entry point leads to a launcher table, whatever is
// in it.
func (f *File) hasLauncher() bool {
	var word, magic [8]byte
	if f.ReadMemory(word[:], f.ELF.Entry+format.TableWord) != nil {
		return false
	}
	distance := binary.LittleEndian.Uint32(word[:])
	return f.ReadMemory(magic[:], f.ELF.Entry+uint64(distance)) == nil && binary.LittleEndian.Uint64(magic[:]) == format.Magic
}

func (f *File) restore(data []byte, entry uint64) (*bootcode.Code, error) {
	var funcs []bootcode.Func
	end := uint64(0)
	for _, named := range f.Manifest.Boot.Functions {
		if named.Start < end || named.End < named.Start || named.End > uint64(len(data)) {
			return nil, fmt.Errorf("function %q at %#x to %#x of %#x bytes", named.Name, named.Start, named.End, len(data))
		}
		end = named.End
		funcs = append(funcs, bootcode.Func{Name: named.Name, Start: named.Start, End: named.End})
	}
	code, err := bootcode.Restore(data[:end], entry, funcs)
	if err != nil {
		return nil, err
	}
	if digest := sha256.Sum256(code.Bytes); hex.EncodeToString(digest[:]) != f.Manifest.Boot.SHA256 {
		return nil, fmt.Errorf("the SHA-256 of its code is %x, the manifest has %s", digest, f.Manifest.Boot.SHA256)
	}
	return code, nil
}

// memory reads what the kernel maps at an address.
func (f *File) memory(addr, size uint64) ([]byte, error) {
	if size > maxLauncher {
		return nil, fmt.Errorf("%#x bytes, want at most %#x", size, maxLauncher)
	}
	data := make([]byte, size)
	return data, f.ReadMemory(data, addr)
}

// ReadMemory reads what the kernel maps from the file at an address.
func (f *File) ReadMemory(data []byte, addr uint64) error {
	size := uint64(len(data))
	for _, p := range f.ELF.Progs {
		end := min(p.Filesz, p.Memsz)
		if p.Type != elf.PT_LOAD || addr < p.Vaddr || addr-p.Vaddr > end || size > end-(addr-p.Vaddr) {
			continue
		}
		_, err := p.ReadAt(data, int64(addr-p.Vaddr))
		return err
	}
	return fmt.Errorf("no segment has %#x bytes at %#x", size, addr)
}

// decode reads a table of at most maxLauncher bytes.
func decode(data []byte) (*table, error) {
	t := &table{}
	if uint64(len(data)) < format.HeaderSize || len(data)%8 != 0 || len(data) > format.MaxSize {
		return nil, fmt.Errorf("a table of %d bytes", len(data))
	}
	get(data, 0, &t.header)
	h := &t.header
	switch {
	case h.Magic != format.Magic:
		return nil, fmt.Errorf("its table begins with %#x, want %#x: another version of the format?", h.Magic, uint64(format.Magic))
	case h.Size != uint32(len(data)) || h.Checksum != format.Sum(data):
		return nil, errors.New("the checksum of its table is wrong")
	case h.LevelCount == 0 || h.LevelCount > format.MaxLevels || h.OpCount > format.MaxOps:
		return nil, fmt.Errorf("%d levels, %d operations", h.LevelCount, h.OpCount)
	case !inside(data, h.Levels, h.LevelCount, format.LevelSize) || !inside(data, h.Ops, h.OpCount, format.OpSize):
		return nil, errors.New("its table ends before its records do")
	}
	t.levels = make([]format.Level, h.LevelCount)
	t.ops = make([]format.Op, h.OpCount)
	get(data, h.Levels, t.levels)
	get(data, h.Ops, t.ops)
	for _, l := range t.levels {
		if uint64(l.Op)+uint64(l.OpCount) > uint64(h.OpCount) {
			return nil, fmt.Errorf("v%d has operations %d to %d of %d", l.Level, l.Op, l.Op+l.OpCount, h.OpCount)
		}
		if l.Low >= l.High {
			return nil, fmt.Errorf("v%d runs at %#x to %#x", l.Level, l.Low, l.High)
		}
	}
	for _, op := range t.ops {
		if op.Kind >= format.OpCheck && op.Kind <= format.OpNames && (op.Len >= format.PageSize || op.Len%8 != 0) {
			return nil, fmt.Errorf("it checks %#x bytes at %#x", op.Len, op.Addr)
		}
	}
	return t, nil
}

func inside(data []byte, offset, count uint32, size uint64) bool {
	return uint64(offset)+uint64(count)*size <= uint64(len(data))
}

// get decodes a fixed-size value, for which there is room.
func get(data []byte, offset uint32, value any) {
	if err := binary.Read(bytes.NewReader(data[offset:]), binary.LittleEndian, value); err != nil {
		panic(err) // only for a type of no fixed size
	}
}

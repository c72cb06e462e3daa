package layout

import (
	"debug/elf"
	"fmt"

	"rules_go_multiarch/launcher/format"
)

// memory models an address space: what a process sees at each address, as the
// kernel and the boot code make it.
type memory struct {
	file  []byte            // of which pages are mapped
	pages map[uint64]mapped // by address
}

// mapped is a page: its access rights, and its contents once they differ from
// the file's.
type mapped struct {
	flags   elf.ProgFlag
	offset  uint64 // in the file
	private []byte // or nil
}

func newMemory(file []byte) *memory { return &memory{file: file, pages: map[uint64]mapped{}} }

// load does what load_elf_binary does with a PT_LOAD: map whole pages of the
// file, clear the end of the last one, map zeroes behind it.
func (m *memory) load(p elf.ProgHeader) {
	if p.Filesz > 0 {
		start, offset := floor(p.Vaddr), floor(p.Off)
		for at := start; at < p.Vaddr+p.Filesz; at += page {
			m.pages[at] = mapped{flags: p.Flags, offset: offset + at - start}
		}
	}
	if p.Memsz > p.Filesz {
		end := p.Vaddr + p.Filesz
		zeroes := floor(p.Vaddr)
		if p.Filesz > 0 {
			zeroes = ceil(end)
			if p.Flags&elf.PF_W != 0 {
				m.clear(end, zeroes-end)
			}
		}
		if last := ceil(p.Vaddr + p.Memsz); last > zeroes {
			m.anonymous(zeroes, last-zeroes, p.Flags)
		}
	}
}

func (m *memory) clear(at, n uint64) {
	if n == 0 {
		return
	}
	p := m.pages[floor(at)]
	p.private = m.contents(floor(at))
	clear(p.private[at%page:][:n])
	m.pages[floor(at)] = p
}

func (m *memory) anonymous(at, n uint64, flags elf.ProgFlag) {
	for end := at + n; at < end; at += page {
		m.pages[at] = mapped{flags: flags, private: make([]byte, page)}
	}
}

// contents returns a copy of a page; behind the end of the file it is zero.
func (m *memory) contents(at uint64) []byte {
	p := m.pages[at]
	data := make([]byte, page)
	switch {
	case p.private != nil:
		copy(data, p.private)
	case p.offset < uint64(len(m.file)):
		copy(data, m.file[p.offset:])
	}
	return data
}

// carryOut does what the boot code does, under its rules.
func (m *memory) carryOut(op format.Op, p Placement) error {
	if op.Addr < p.Low || op.Len == 0 || op.Len > p.High-op.Addr {
		return fmt.Errorf("%+v outside of %#x to %#x", op, p.Low, p.High)
	}
	switch op.Kind {
	case format.OpProtect:
		for at := op.Addr; at < op.Addr+op.Len; at += page {
			entry, ok := m.pages[at]
			if !ok {
				return fmt.Errorf("%+v: nothing is mapped at %#x", op, at)
			}
			entry.flags = flagsOf(op.Prot)
			m.pages[at] = entry
		}
	case format.OpZero:
		if op.Len >= page || floor(op.Addr) != floor(op.Addr+op.Len-1) {
			return fmt.Errorf("%+v: want less than a page, in one", op)
		}
		if m.pages[floor(op.Addr)].flags&elf.PF_W == 0 {
			return fmt.Errorf("%+v: page is not writable", op)
		}
		m.clear(op.Addr, op.Len)
	case format.OpAnonymous:
		m.anonymous(op.Addr, op.Len, flagsOf(op.Prot))
	case format.OpUnmap:
		for at := op.Addr; at < op.Addr+op.Len; at += page {
			delete(m.pages, at)
		}
	case format.OpMove:
		if op.From < p.High && p.Low < op.From+op.Len {
			return fmt.Errorf("%+v: from inside of %#x to %#x", op, p.Low, p.High)
		}
		for n := uint64(0); n < op.Len; n += page {
			entry, ok := m.pages[op.From+n]
			if !ok {
				return fmt.Errorf("%+v: nothing is mapped at %#x", op, op.From+n)
			}
			delete(m.pages, op.From+n)
			m.pages[op.Addr+n] = entry
		}
	default:
		return fmt.Errorf("%+v: unknown kind", op)
	}
	if op.Kind != format.OpZero && (op.Addr%page != 0 || op.Len%page != 0) {
		return fmt.Errorf("%+v: not whole pages", op)
	}
	return nil
}

func flagsOf(prot uint32) elf.ProgFlag {
	var flags elf.ProgFlag
	if prot&1 != 0 {
		flags |= elf.PF_R
	}
	if prot&2 != 0 {
		flags |= elf.PF_W
	}
	return flags
}

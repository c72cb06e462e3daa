package process

import (
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/packed"
	"rules_go_multiarch/tools/packer/internal/sections"
)

// Of a core dump's notes: NT_PRSTATUS, one a thread, in bytes, and NT_AUXV. Source:
// struct elf_prstatus in linux/elfcore.h, struct user_regs_struct in asm/user_64.h,
// and linux/elf.h.
const (
	ntPRStatus = 1
	registers  = 112
	rip        = registers + 16*8
	statusSize = 336
	ntAuxv     = 6
	maxAuxv    = 4096
	maxNotes   = 64 << 20
)

// IsCore reports whether a file is a core dump.
func IsCore(path string) bool {
	core, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer core.Close()
	return core.Type == elf.ET_CORE
}

// ReadCore tells which level of a packed file the process ran that left a core
// dump: the one whose entry point is on its stack, or, in a dump without the stack,
// whose code its threads were in.
func ReadCore(path string, file *packed.File) (goamd64.Level, error) {
	core, err := elf.Open(path)
	if err != nil {
		var bad *os.PathError
		if errors.As(err, &bad) {
			return 0, bad.Err
		}
		return 0, fmt.Errorf("damaged core dump: %w", err)
	}
	defer core.Close()
	if core.Type != elf.ET_CORE || core.Machine != elf.EM_X86_64 {
		return 0, fmt.Errorf("is %v for %v: want a core dump of x86-64", core.Type, core.Machine)
	}
	var all notes
	for _, p := range core.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		if err := all.read(io.LimitReader(p.Open(), maxNotes)); err != nil {
			return 0, fmt.Errorf("damaged core dump: %w", err)
		}
	}
	bias := uint64(0)
	if file.ELF.Type != elf.ET_EXEC {
		if all.entry == 0 {
			return 0, errors.New("does not say where the program was (it has no note NT_AUXV), which is position-independent: give the level with -level")
		}
		bias = all.entry - file.ELF.Entry
	}
	if id := buildID(core, file, bias); id != "" && id != file.Manifest.BuildID {
		return 0, fmt.Errorf("is of another build than %s: build id %s, want %s", file.Path, id, file.Manifest.BuildID)
	}
	entry := all.stackEntry(core)
	for _, l := range file.Levels {
		if entry != 0 && entry == l.Table.Entry+bias {
			return l.Level, nil
		}
	}
	for _, pc := range all.counters {
		for _, l := range file.Levels {
			if at := pc - bias; at >= l.Table.Low && at < l.Table.High {
				return l.Level, nil
			}
		}
	}
	return 0, fmt.Errorf("none of its %d threads was in the code of %s: is it another program's?", len(all.counters), file.Path)
}

// buildID returns the build id, in hexadecimal, that the process had where the file
// has its own, or nothing where the dump does not have that page, as
// /proc/PID/coredump_filter may want it (ELF headers, core(5)).
func buildID(core *elf.File, file *packed.File, bias uint64) string {
	section := file.ELF.Section(sections.BuildID)
	const head, most = 16, 64 // of the note, with its name; of all of it
	if section == nil || section.Size <= head || section.Size > most {
		return ""
	}
	at := section.Addr + bias
	for _, p := range core.Progs {
		if p.Type != elf.PT_LOAD || at < p.Vaddr || at-p.Vaddr >= p.Filesz {
			continue
		}
		note := make([]byte, section.Size)
		if _, err := p.ReadAt(note, int64(at-p.Vaddr)); err != nil {
			return ""
		}
		return hex.EncodeToString(note[head:])
	}
	return ""
}

// notes is what the notes of a core dump say.
type notes struct {
	counters []uint64 // program counters of the threads
	entry    uint64   // AT_ENTRY, as the kernel gave it: the launcher's
	random   uint64   // AT_RANDOM: the address of bytes on the stack
}

// Keys of the auxiliary vector. Source: linux/include/uapi/linux/auxvec.h.
const (
	atEntry  = 9
	atRandom = 25
)

// stackEntry returns AT_ENTRY from the process's initial stack, which is what the
// launcher has put there for the variant, or 0 where the dump does not have it.
func (n *notes) stackEntry(core *elf.File) uint64 {
	// The kernel puts the vector below the bytes, the platform's name and up to 8 KiB
	// that are random, too (create_elf_tables in linux/fs/binfmt_elf.c).
	const window = 16 << 10
	for _, p := range core.Progs {
		if p.Type != elf.PT_LOAD || n.random < p.Vaddr || n.random-p.Vaddr > p.Filesz {
			continue
		}
		low := p.Vaddr
		if n.random-low > window+8 {
			low = n.random&^7 - window
		}
		data := make([]byte, n.random-low)
		if _, err := p.ReadAt(data, int64(low-p.Vaddr)); err != nil {
			return 0
		}
		return entryBefore(data, n.random)
	}
	return 0
}

// entryBefore finds an auxiliary vector by its AT_RANDOM in memory that is aligned as
// its words are, and returns its AT_ENTRY, which stands before that, or 0.
func entryBefore(data []byte, random uint64) uint64 {
	const pair, most = 16, 64
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at:]) }
	for at := (len(data) - pair) &^ 7; at >= 0; at -= 8 {
		if word(at) != atRandom || word(at+8) != random {
			continue
		}
		for before := at - pair; before >= 0 && before >= at-most*pair; before -= pair {
			if word(before) == atEntry {
				return word(before + 8)
			}
		}
	}
	return 0
}

// read reads notes up to their end.
func (n *notes) read(r io.Reader) error {
	for {
		var head struct{ Name, Desc, Type uint32 }
		if err := binary.Read(r, binary.LittleEndian, &head); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading its notes: %w", err)
		}
		name, desc := (int64(head.Name)+3)&^3, (int64(head.Desc)+3)&^3
		status := head.Type == ntPRStatus && head.Desc == statusSize
		auxv := head.Type == ntAuxv && head.Desc <= maxAuxv
		if !status && !auxv {
			if _, err := io.CopyN(io.Discard, r, name+desc); err != nil {
				return fmt.Errorf("reading its notes: %w", err)
			}
			continue
		}
		if name > 16 {
			return fmt.Errorf("a note's name has %d bytes", name)
		}
		data := make([]byte, name+desc)
		if _, err := io.ReadFull(r, data); err != nil {
			return fmt.Errorf("reading its notes: %w", err)
		}
		if status {
			n.counters = append(n.counters, binary.LittleEndian.Uint64(data[name+rip:]))
			continue
		}
		const pair = 16
		for words := data[name:]; len(words) >= pair; words = words[pair:] {
			switch value := binary.LittleEndian.Uint64(words[8:]); binary.LittleEndian.Uint64(words) {
			case atEntry:
				n.entry = value
			case atRandom:
				n.random = value
			}
		}
	}
}

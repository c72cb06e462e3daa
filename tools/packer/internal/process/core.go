package process

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/packed"
)

// Of a core dump's NT_PRSTATUS notes, one a thread, in bytes. Source: struct
// elf_prstatus in linux/elfcore.h and struct user_regs_struct in asm/user_64.h.
const (
	ntPRStatus = 1
	registers  = 112
	rip        = registers + 16*8
	statusSize = 336
	maxNotes   = 64 << 20
)

// ReadCore tells which level of a packed file the process ran that left a core
// dump: the one whose code its threads were in.
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
	if file.ELF.Type != elf.ET_EXEC {
		return 0, errors.New("a position-independent file's level cannot be told from a core dump")
	}
	threads := 0
	for _, p := range core.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		counters, err := programCounters(io.LimitReader(p.Open(), maxNotes))
		if err != nil {
			return 0, fmt.Errorf("damaged core dump: %w", err)
		}
		for _, pc := range counters {
			threads++
			for _, l := range file.Levels {
				if pc >= l.Table.Low && pc < l.Table.High {
					return l.Level, nil
				}
			}
		}
	}
	return 0, fmt.Errorf("none of its %d threads was in the code of %s: is it another program's?", threads, file.Path)
}

// programCounters returns that of each thread in the notes of a core dump.
func programCounters(r io.Reader) ([]uint64, error) {
	var found []uint64
	for {
		var head struct{ Name, Desc, Type uint32 }
		if err := binary.Read(r, binary.LittleEndian, &head); err == io.EOF {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading its notes: %w", err)
		}
		name, desc := (int64(head.Name)+3)&^3, (int64(head.Desc)+3)&^3
		if head.Type == ntPRStatus && head.Desc == statusSize {
			status := make([]byte, name+desc)
			if name > 16 {
				return nil, fmt.Errorf("a note's name has %d bytes", name)
			}
			if _, err := io.ReadFull(r, status); err != nil {
				return nil, fmt.Errorf("reading its notes: %w", err)
			}
			found = append(found, binary.LittleEndian.Uint64(status[name+rip:]))
			continue
		}
		if _, err := io.CopyN(io.Discard, r, name+desc); err != nil {
			return nil, fmt.Errorf("reading its notes: %w", err)
		}
	}
}

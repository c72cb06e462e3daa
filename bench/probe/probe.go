// Package probe makes the smallest programs there are: one that exits at once,
// and some that first execute CPUID as the launcher does. What those take longer
// is what CPUID costs a process that has just begun. Under a hypervisor each
// CPUID traps and takes microseconds, the first one of a process more than those
// that follow; on bare metal it takes about 0.1.
package probe

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Instructions is how many CPUID instructions the launcher executes on a CPU
// of level v2 or more: leaves 1, 0x80000001 and 7 (launcher/boot/cpu.go).
const Instructions = 3

var launcherCPUID = []byte{
	0xb8, 0x01, 0x00, 0x00, 0x00, // MOVL $1, AX
	0x31, 0xc9, //                   XORL CX, CX
	0x0f, 0xa2, //                   CPUID
	0xb8, 0x01, 0x00, 0x00, 0x80, // MOVL $0x80000001, AX
	0x31, 0xc9, //                   XORL CX, CX
	0x0f, 0xa2, //                   CPUID
	0xb8, 0x07, 0x00, 0x00, 0x00, // MOVL $7, AX
	0x31, 0xc9, //                   XORL CX, CX
	0x0f, 0xa2, //                   CPUID
}

var exit = []byte{
	0xb8, 0xe7, 0x00, 0x00, 0x00, // MOVL $231, AX: exit_group
	0x31, 0xff, //                   XORL DI, DI
	0x0f, 0x05, //                   SYSCALL
}

// Exit returns an executable that exits with status 0.
func Exit() []byte { return executable(exit) }

// CPUID returns an executable that executes the launcher's CPUID instructions
// the given number of times and exits with status 0.
func CPUID(times int) []byte {
	return executable(append(bytes.Repeat(launcherCPUID, times), exit...))
}

// executable returns an ELF file of one segment: headers, then code.
func executable(code []byte) []byte {
	const (
		address       = 0x400000
		headerSize    = 64 // Elf64_Ehdr
		programHeader = 56 // Elf64_Phdr
		codeOffset    = headerSize + programHeader
	)
	size := uint64(codeOffset + len(code))
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: address + codeOffset, Phoff: headerSize,
		Ehsize: headerSize, Phentsize: programHeader, Phnum: 1,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: address, Paddr: address, Filesz: size, Memsz: size, Align: 4096,
	}
	var out bytes.Buffer
	for _, part := range []any{header, segment, code} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			panic(err) // only for a type of no fixed size
		}
	}
	return out.Bytes()
}

package needs

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
)

// hostile returns an ELF file with many sections that have one long name, or a
// compressed one.
func hostile(order binary.ByteOrder, data elf.Data, narrow bool, name int, flags elf.SectionFlag) []byte {
	const sections = 1000
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(data), byte(elf.EV_CURRENT)}
	var out bytes.Buffer
	if narrow {
		ident[elf.EI_CLASS] = byte(elf.ELFCLASS32)
		binary.Write(&out, order, elf.Header32{Ident: ident, Type: 2, Machine: uint16(elf.EM_ARM), Version: 1, Shoff: 52, Ehsize: 52, Phentsize: 32, Shentsize: 40, Shnum: sections, Shstrndx: 1})
		for i := range sections {
			s := elf.Section32{Type: uint32(elf.SHT_PROGBITS)}
			if i == 1 {
				s = elf.Section32{Type: uint32(elf.SHT_STRTAB), Flags: uint32(flags), Off: 52 + 40*sections, Size: uint32(name) + 1}
			}
			binary.Write(&out, order, s)
		}
	} else {
		binary.Write(&out, order, elf.Header64{Ident: ident, Type: 2, Machine: uint16(elf.EM_AARCH64), Version: 1, Shoff: 64, Ehsize: 64, Phentsize: 56, Shentsize: 64, Shnum: sections, Shstrndx: 1})
		for i := range sections {
			s := elf.Section64{Type: uint32(elf.SHT_PROGBITS)}
			if i == 1 {
				s = elf.Section64{Type: uint32(elf.SHT_STRTAB), Flags: uint64(flags), Off: 64 + 64*sections, Size: uint64(name) + 1}
			}
			binary.Write(&out, order, s)
		}
	}
	out.WriteString(strings.Repeat("a", name))
	out.WriteByte(0)
	return out.Bytes()
}

func TestHostileSections(t *testing.T) {
	for _, narrow := range []bool{false, true} {
		for order, data := range map[binary.ByteOrder]elf.Data{binary.LittleEndian: elf.ELFDATA2LSB, binary.BigEndian: elf.ELFDATA2MSB} {
			for _, c := range []struct {
				name  int
				flags elf.SectionFlag
				want  string
			}{
				{257, 0, "a section name of 257 bytes"},
				{1 << 20, 0, "section names of 1048577 bytes"},
				{100, elf.SHF_COMPRESSED, "SHF_COMPRESSED"},
				{100, 0, ErrNotGo.Error()},
			} {
				file := hostile(order, data, narrow, c.name, c.flags)
				if _, err := goamd64.BuildInfo(bytes.NewReader(file)); c.want != ErrNotGo.Error() && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("32 bits %v, %v, build information: error %v, want %q", narrow, order, err, c.want)
				}
				_, err := Read(bytes.NewReader(file), int64(len(file)))
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("32 bits %v, %v, name of %d bytes, flags %v: error %v, want %q", narrow, order, c.name, c.flags, err, c.want)
				}
			}
		}
	}
}

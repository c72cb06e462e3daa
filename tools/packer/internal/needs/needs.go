// Package needs tells which level of its architecture a Go executable needs.
//
// Input is not trusted: no size field of an ELF file makes this package allocate more
// than a fixed amount. Of other formats, packages debug/pe and debug/macho copy a name
// for each section and symbol, which nothing here bounds.
package needs

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"

	"rules_go_multiarch/internal/goamd64"
)

// Executable is what a Go executable says of where it runs.
type Executable struct {
	OS   string // as GOOS
	Arch string // as GOARCH
	// Level is the value of the go command's variable for the architecture, such as
	// "v3" of GOAMD64, or empty where the executable does not say it.
	Level string
	// Info is the Go build information, or nil.
	Info *buildinfo.BuildInfo
}

// variables are the go command's variables by architecture. Source: "go help
// environment", architecture-specific environment variables.
var variables = map[string]string{
	"386": "GO386", "amd64": "GOAMD64", "arm": "GOARM", "arm64": "GOARM64", "mips": "GOMIPS", "mipsle": "GOMIPS",
	"mips64": "GOMIPS64", "mips64le": "GOMIPS64", "ppc64": "GOPPC64", "ppc64le": "GOPPC64", "riscv64": "GORISCV64",
}

// ErrNotGo is the error of a file that shows no sign of Go.
var ErrNotGo = errors.New("not a Go executable")

// Read reads an executable of size bytes, in any format that Go's linker writes.
func Read(r io.ReaderAt, size int64) (*Executable, error) {
	if err := goamd64.CheckCounts(r); err != nil {
		return nil, fmt.Errorf("damaged ELF file: %w", err)
	}
	info, err := goamd64.BuildInfo(r)
	if err != nil {
		info = nil
	}
	settings := map[string]string{}
	if info != nil {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	x := &Executable{OS: settings["GOOS"], Arch: settings["GOARCH"], Info: info}
	if x.OS == "" || x.Arch == "" {
		// Bazel's executables have build information without settings.
		if err := x.readELF(r); err != nil {
			return nil, err
		}
	}
	x.Level = settings[variables[x.Arch]]
	if x.Level == "" && x.Arch == "amd64" {
		level, err := checkedLevel(io.NewSectionReader(r, 0, size))
		if err != nil {
			return nil, err
		}
		x.Level = level.String()
	}
	return x, nil
}

// systems are the operating systems whose executables Go's linker marks in the ELF
// header. Source: cmd/link/internal/ld/elf.go.
var systems = map[elf.OSABI]string{
	elf.ELFOSABI_NONE: "linux", elf.ELFOSABI_LINUX: "linux", elf.ELFOSABI_FREEBSD: "freebsd", elf.ELFOSABI_NETBSD: "netbsd",
	elf.ELFOSABI_OPENBSD: "openbsd", elf.ELFOSABI_SOLARIS: "solaris",
}

// readELF takes from the ELF header what the build information does not say.
func (x *Executable) readELF(r io.ReaderAt) error {
	file, err := elf.NewFile(r)
	if err != nil {
		if x.Info != nil {
			return errors.New("its Go build information does not say for which system and architecture it was built, and it is not an ELF file")
		}
		return ErrNotGo
	}
	if x.Info == nil && file.Section(".note.go.buildid") == nil && file.Section(".gopclntab") == nil && file.Section(".data.rel.ro.gopclntab") == nil {
		return ErrNotGo
	}
	x.OS = systems[file.OSABI]
	x.Arch = architectures[target{file.Machine, file.Class, file.Data}]
	if x.Arch == "" {
		return fmt.Errorf("a Go executable for ELF machine %v (%v, %v), which packer does not know", file.Machine, file.Class, file.Data)
	}
	return nil
}

// target is what an ELF header says of an architecture.
type target struct {
	machine elf.Machine
	class   elf.Class
	data    elf.Data
}

// architectures are the values of GOARCH by ELF header. Source:
// cmd/link/internal/ld/elf.go.
var architectures = map[target]string{
	{elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB}:       "386",
	{elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB}:   "arm64",
	{elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB}:       "arm",
	{elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB}: "loong64",
	{elf.EM_MIPS, elf.ELFCLASS32, elf.ELFDATA2LSB}:      "mipsle",
	{elf.EM_MIPS, elf.ELFCLASS32, elf.ELFDATA2MSB}:      "mips",
	{elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2LSB}:      "mips64le",
	{elf.EM_MIPS, elf.ELFCLASS64, elf.ELFDATA2MSB}:      "mips64",
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "ppc64le",
	{elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2MSB}:     "ppc64",
	{elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB}:     "riscv64",
	{elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB}:      "s390x",
	{elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB}:    "amd64",
}

// checkMessage is what a program says that was built for a level above v1 and that
// the CPU does not have; a level stands between the two parts. Source: bad_cpu_msg
// in runtime/asm_amd64.s.
var checkMessage = [2][]byte{
	[]byte("This program can only be run on AMD64 processors with "),
	[]byte(" microarchitecture support.\n"),
}

// checkedLevel finds the level in the message of the check that Go's runtime makes
// at start. A Go program without that message makes no check, and so runs on v1.
func checkedLevel(r io.Reader) (goamd64.Level, error) {
	const digits = 2 // "v3"
	length := len(checkMessage[0]) + digits + len(checkMessage[1])
	buffer := make([]byte, 1<<16)
	kept := 0
	found := goamd64.Level(0)
	for {
		n, err := io.ReadFull(r, buffer[kept:])
		data := buffer[:kept+n]
		for at := 0; ; {
			i := bytes.Index(data[at:], checkMessage[0])
			if i < 0 || len(data)-at-i < length {
				break
			}
			name, rest := data[at+i+len(checkMessage[0]):][:digits], data[at+i+len(checkMessage[0])+digits:]
			at += i + 1
			level, bad := goamd64.Parse(string(name))
			if bad != nil || !bytes.HasPrefix(rest, checkMessage[1]) {
				continue
			}
			if found != 0 && found != level {
				return 0, fmt.Errorf("it has no Go build information with GOAMD64, and the start-up checks of both %v and %v", found, level)
			}
			found = level
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return max(found, goamd64.Min), nil
		case err != nil:
			return 0, err
		}
		kept = min(len(data), length-1)
		copy(buffer, data[len(data)-kept:])
	}
}

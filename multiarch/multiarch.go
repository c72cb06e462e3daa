// Package multiarch tells a program which level of GOAMD64 it runs at, and what
// the packed file that it was started from holds. It works the same in a plain
// build, which has one level and is not packed.
package multiarch

import (
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/cpuid/v2"
)

// Level is a value of GOAMD64: 1 for v1 to 4 for v4; 0 on other architectures.
type Level int

// String returns the level as GOAMD64 spells it, or "none" for 0.
func (l Level) String() string {
	if l == 0 {
		return "none"
	}
	return fmt.Sprintf("v%d", int(l))
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(text []byte) error {
	for level := Level(0); level <= 4; level++ {
		if level.String() == string(text) {
			*l = level
			return nil
		}
	}
	return fmt.Errorf("level %q: want v1, v2, v3, v4 or none", text)
}

// Compiled returns the level that the running code was compiled for.
func Compiled() Level { return compiled }

// CPU returns the best level that this machine's CPU and operating system can
// run. A higher one than Compiled means that the executable does not have it, or
// that the environment asked for less.
func CPU() Level { return Level(cpuid.CPU.X64Level()) }

// Info is what there is to know of the running program.
type Info struct {
	Compiled Level `json:"compiled"`
	CPU      Level `json:"cpu"`

	// Packed reports whether the executable is a packed file; Levels are what it
	// holds, in ascending order.
	Packed bool      `json:"packed"`
	Levels []Variant `json:"levels,omitempty"`
}

// Variant is the program built for one level, in a packed file.
type Variant struct {
	Level  Level  `json:"level"`
	Size   int64  `json:"size"`   // of its executable, in bytes
	SHA256 string `json:"sha256"` // of its executable, in hexadecimal
}

// Read returns what there is to know of the running program. It reads the
// executable the first time it is called. When that fails, the levels are right
// nevertheless; it does where /proc is not mounted, or the file may be executed
// but not read. It fails too where a tool such as eu-strip has removed the packed file's
// description; Packed is true then, and Levels are not known.
func Read() (Info, error) {
	levels, err := readOnce()
	packed := len(levels) > 0 || errors.Is(err, errLostManifest)
	return Info{Compiled: Compiled(), CPU: CPU(), Packed: packed, Levels: append([]Variant(nil), levels...)}, err
}

var readOnce = sync.OnceValues(func() ([]Variant, error) {
	if Compiled() == 0 || runtime.GOOS != "linux" {
		return nil, nil // nothing is packed there
	}
	// Not os.Executable: another file may stand there by now.
	levels, err := readLevels("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("multiarch: reading the levels of this executable: %w", err)
	}
	return levels, nil
})

var errLostManifest = errors.New("its section .gomultiarch.manifest is gone, as eu-strip removes it")

// readLevels reads the manifest of a packed file, which launcher/FORMAT.md
// specifies. A file without one has no levels.
func readLevels(path string) ([]Variant, error) {
	const limit = 64 << 10 // a manifest has a few KiB
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	file, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	section := file.Section(".gomultiarch.manifest")
	if section == nil && hasLauncher(file) {
		return nil, errLostManifest
	}
	if section == nil {
		return nil, nil
	}
	if section.FileSize > limit || section.Type != elf.SHT_PROGBITS {
		return nil, fmt.Errorf("its manifest is %v of %d bytes, want PROGBITS of at most %d", section.Type, section.FileSize, limit)
	}
	text, err := section.Data()
	if err != nil {
		return nil, err
	}
	var manifest struct{ Levels []Variant }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("its manifest: %w", err)
	}
	return manifest.Levels, nil
}

// hasLauncher reports whether a file's entry point is that of a packed file's
// launcher: 8 bytes behind it is the distance to a table that begins with a magic word.
func hasLauncher(file *elf.File) bool {
	const magic = "GOMULTI" // the eighth byte is the version of the table
	read := func(data []byte, addr uint64) bool {
		for _, p := range file.Progs {
			if p.Type == elf.PT_LOAD && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
				_, err := p.ReadAt(data, int64(addr-p.Vaddr))
				return err == nil
			}
		}
		return false
	}
	var word, found [8]byte
	return read(word[:], file.Entry+8) &&
		read(found[:], file.Entry+uint64(binary.LittleEndian.Uint32(word[:]))) && string(found[:len(magic)]) == magic
}

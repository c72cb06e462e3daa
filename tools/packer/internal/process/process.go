// Package process tells which level a running process uses, from /proc.
package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/launcher/format"
	"rules_go_multiarch/tools/packer/internal/packed"
)

// Process is what a process runs.
type Process struct {
	Level      goamd64.Level
	Packed     bool
	Executable string
	BuildID    string // of a packed file, in hexadecimal
}

// Read looks at a process.
func Read(pid int) (*Process, error) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	if _, err := os.Stat(dir); err != nil {
		if _, err := os.Stat("/proc/self"); err != nil {
			return nil, errors.New("there is no /proc here: this verb works on Linux")
		}
		return nil, errors.New("no such process")
	}
	path, err := os.Readlink(dir + "exe")
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("has no executable: it is a thread of the kernel, or about to end")
	}
	if err != nil {
		return nil, fmt.Errorf("its executable: %w", errors.Unwrap(err))
	}
	p := &Process{Executable: path}
	file, err := packed.Open(dir + "exe")
	if errors.Is(err, packed.ErrNotPacked) {
		exe, err := os.Open(dir + "exe")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
		}
		defer exe.Close()
		if p.Level = goamd64.FromBuildInfo(exe); p.Level == 0 {
			return nil, fmt.Errorf("%s: is no packed file, and has no Go build information that names a GOAMD64", path)
		}
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer file.Close()
	p.Packed, p.BuildID = true, file.Manifest.BuildID
	if p.Level, err = running(dir, path, file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// running tells the level that a packed file's process runs. The entry point on
// the process's own stack is what the launcher has put there for the variant;
// /proc/PID/auxv still has the kernel's, the launcher's. Reading the stack takes
// the right to trace the process, so the mappings are the second source.
func running(dir, path string, file *packed.File) (goamd64.Level, error) {
	mappings, err := readMaps(dir)
	if err != nil {
		return 0, fmt.Errorf("its mappings: %w", err)
	}
	bias := bias(path, file, mappings)
	if entry, err := stackEntry(dir); err == nil {
		for _, l := range file.Levels {
			if entry == l.Table.Entry+bias {
				return l.Level, nil
			}
		}
	}
	return fromMaps(file, bias, mappings)
}

// mapping is a line of /proc/PID/maps.
type mapping struct {
	low, high uint64
	prot      uint32 // PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4
	offset    uint64
	inode     string
	path      string
}

func readMaps(dir string) ([]mapping, error) {
	file, err := os.Open(dir + "maps")
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer file.Close()
	var mappings []mapping
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if m, ok := parseMapping(lines.Text()); ok {
			mappings = append(mappings, m)
		}
	}
	return mappings, lines.Err()
}

// parseMapping parses "low-high perms offset device inode path". Source:
// proc_pid_maps(5).
func parseMapping(line string) (m mapping, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return m, false
	}
	low, high, _ := strings.Cut(fields[0], "-")
	var errs [3]error
	m.low, errs[0] = strconv.ParseUint(low, 16, 64)
	m.high, errs[1] = strconv.ParseUint(high, 16, 64)
	m.offset, errs[2] = strconv.ParseUint(fields[2], 16, 64)
	m.inode = fields[4]
	if parts := strings.SplitN(line, " ", 6); len(parts) == 6 {
		m.path = strings.TrimLeft(parts[5], " ")
	}
	for bit, c := range "rwx" {
		if strings.ContainsRune(fields[1], c) {
			m.prot |= 1 << bit
		}
	}
	return m, errors.Join(errs[:]...) == nil
}

// bias is what the kernel added to the addresses of a position-independent
// file: where its launcher is, less where it says. Other files have code at the same
// offset, such as the interpreter.
func bias(path string, file *packed.File, mappings []mapping) uint64 {
	boot := file.Manifest.Boot
	for _, m := range mappings {
		if m.path == path && m.offset <= boot.Offset && boot.Offset-m.offset < m.high-m.low && m.prot&4 != 0 {
			return m.low + boot.Offset - m.offset - boot.Address
		}
	}
	return 0
}

// fromMaps finds the level whose operations were carried out: the launcher does
// nothing for the others.
func fromMaps(file *packed.File, bias uint64, mappings []mapping) (goamd64.Level, error) {
	var silent []goamd64.Level // whose operations do not show
	for _, l := range file.Levels {
		done, told := carriedOut(l.Ops, bias, mappings)
		if done {
			return l.Level, nil
		}
		if !told {
			silent = append(silent, l.Level)
		}
	}
	switch len(silent) {
	case 0:
		return 0, errors.New("its mappings are not those of any level: did it unmap its launcher?")
	case 1:
		return silent[0], nil
	}
	return 0, errors.New("its mappings do not tell, and reading its stack takes the right to trace it: try as root")
}

// carriedOut reports whether mappings show an operation, and whether there is
// one that would show.
func carriedOut(ops []format.Op, bias uint64, mappings []mapping) (done, told bool) {
	for _, op := range ops {
		for _, m := range mappings {
			if m.low > op.Addr+bias || op.Addr+bias >= m.high {
				continue
			}
			switch op.Kind {
			case format.OpProtect:
				if m.prot == op.Prot {
					return true, true
				}
			case format.OpAnonymous:
				if m.inode == "0" {
					return true, true
				}
			}
		}
		told = told || op.Kind == format.OpProtect || op.Kind == format.OpAnonymous
	}
	return false, told
}

// stackEntry returns AT_ENTRY from the initial stack of a process.
func stackEntry(dir string) (uint64, error) {
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything; startstack is field 28, and
	// the state behind the name is field 3. Source: proc_pid_stat(5).
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 26 {
		return 0, errors.New("stat is short")
	}
	start, err := strconv.ParseUint(fields[25], 10, 64)
	if err != nil || start == 0 {
		return 0, errors.New("no address of the stack")
	}
	memory, err := os.Open(dir + "mem")
	if err != nil {
		return 0, err
	}
	defer memory.Close()
	return findEntry(bufio.NewReader(io.NewSectionReader(memory, int64(start), 1<<40)))
}

// findEntry walks an initial stack, as the psABI has it: argc, the arguments, a
// zero, the environment, a zero, pairs of the auxiliary vector.
func findEntry(r io.Reader) (uint64, error) {
	const limit = 8 << 20
	var buffer [8]byte
	word := func() (uint64, error) {
		_, err := io.ReadFull(r, buffer[:])
		return binary.LittleEndian.Uint64(buffer[:]), err
	}
	argc, err := word()
	if err != nil {
		return 0, err
	}
	zeroes := 0
	for i := uint64(0); zeroes < 2; i++ {
		value, err := word()
		if err != nil {
			return 0, err
		}
		if i >= limit {
			return 0, errors.New("no end of the environment")
		}
		if value == 0 && i >= argc {
			zeroes++
		}
	}
	for i := 0; i < 64; i++ {
		key, err := word()
		if err != nil {
			return 0, err
		}
		value, err := word()
		if err != nil || key == 0 {
			return 0, errors.Join(err, errors.New("no AT_ENTRY"))
		}
		if key == atEntry {
			return value, nil
		}
	}
	return 0, errors.New("no AT_ENTRY")
}

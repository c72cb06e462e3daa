// Sizes says how large packed files are, as multiples of the plain program, and
// where the bytes are.
//
//	go run ./bench/sizes [PACKAGE | FOLDER]...
//
// A package, or a folder with a go.mod, is built at every level: stripped (-ldflags="-s -w"), by default, and
// for debugging (-gcflags="all=-N -l"). A folder has executables v1 to v4 linked
// in their slots, such as "bench/startup -keep FOLDER" leaves. Each build is packed
// with every mode of -strip.
package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
)

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 0 {
		arguments = []string{"./bench/hello"}
	}
	dir, err := os.MkdirTemp("", "bench-sizes-")
	if err == nil {
		err = measureAll(dir, arguments)
		os.RemoveAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sizes:", err)
		os.Exit(1)
	}
}

func measureAll(dir string, arguments []string) error {
	packer := filepath.Join(dir, "packer")
	if err := run("go", "build", "-o", packer, "./tools/packer"); err != nil {
		return err
	}
	fmt.Println("MB of 10^6 bytes; memory: what is mapped, code and tables and data; debug: DWARF, compressed by Go's linker;\ntimes v1: multiple of the plain program; stripped: of the plain program stripped in the same way")
	fmt.Println()
	for _, argument := range arguments {
		builds := []build{{"as given", nil}}
		if _, err := os.Stat(filepath.Join(argument, "v1")); err != nil {
			builds = []build{{"stripped", []string{"-ldflags=-s -w"}}, {"default", []string{"-ldflags="}}, {"debug", []string{"-gcflags=all=-N -l", "-ldflags="}}}
		}
		for i, b := range builds {
			out := filepath.Join(dir, fmt.Sprintf("%s-%d", filepath.Base(argument), i))
			if b.flags == nil {
				out = argument
			} else if err := b.build(out, argument); err != nil {
				return err
			}
			if err := measure(packer, dir, out, argument+", "+b.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// build is one way to build a program; -ldflags, with -T added, is last.
type build struct {
	name  string
	flags []string
}

func (b build) build(out, pkg string) error {
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	start := []string{"build"}
	if _, err := os.Stat(filepath.Join(pkg, "go.mod")); err == nil {
		start, pkg = append(start, "-C", pkg), "."
	}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		flags := append(slices.Clone(start), "-trimpath", "-o", filepath.Join(out, level.String()))
		flags = append(flags, b.flags...)
		if level > goamd64.Min {
			flags[len(flags)-1] += fmt.Sprintf(" -T %#x", slots.Of(level).Base+slots.TextOffset)
		}
		cmd := exec.Command("go", append(flags, pkg)...)
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOAMD64="+level.String())
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", cmd.Args, err, text)
		}
	}
	return nil
}

// measure packs the variants in a folder in every mode and prints a table.
func measure(packer, dir, variants, title string) error {
	plain, err := read(filepath.Join(variants, "v1"))
	if err != nil {
		return err
	}
	fmt.Println(title)
	fmt.Printf("  %-16s%8s%8s%8s%9s%8s%10s%10s\n", "", "MB", "memory", "debug", "symbols", "rest", "times v1", "stripped")
	plain.print("plain v1", plain, plain)
	var levels []string
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		levels = append(levels, level.String()+"="+filepath.Join(variants, level.String()))
	}
	for _, mode := range []string{"none", "debug", "all"} {
		out := filepath.Join(dir, "packed")
		if err := run(packer, append([]string{"create", "-strip", mode, "-o", out}, levels...)...); err != nil {
			return err
		}
		packed, err := read(out)
		if err != nil {
			return err
		}
		// What the section table of a packed file does not describe is in the
		// variants' own.
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			one := filepath.Join(dir, "level")
			if err := run(packer, "extract", "-level", level.String(), "-o", one, out); err != nil {
				return err
			}
			variant, err := read(one)
			if err != nil {
				return err
			}
			packed.debug += variant.debug
			packed.symbols += variant.symbols
		}
		likewise, err := strippedAlone(packer, dir, levels[0], mode)
		if err != nil {
			return err
		}
		packed.print("-strip "+mode, plain, likewise)
	}
	fmt.Println()
	return nil
}

// strippedAlone returns the size of a level that is stripped in a mode.
func strippedAlone(packer, dir, level, mode string) (size, error) {
	packed, alone := filepath.Join(dir, "packed"), filepath.Join(dir, "level")
	if err := run(packer, "create", "-strip", mode, "-o", packed, level); err != nil {
		return size{}, err
	}
	if err := run(packer, "extract", "-level", "v1", "-o", alone, packed); err != nil {
		return size{}, err
	}
	return read(alone)
}

// size is where the bytes of a file are.
type size struct{ all, memory, debug, symbols int64 }

func read(path string) (s size, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return s, err
	}
	s.all = info.Size()
	file, err := elf.Open(path)
	if err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD {
			s.memory += int64(p.Filesz)
		}
	}
	for _, section := range file.Sections {
		switch {
		case strings.HasPrefix(section.Name, ".debug_"):
			s.debug += int64(section.FileSize)
		case section.Name == ".symtab" || section.Name == ".strtab":
			s.symbols += int64(section.FileSize)
		}
	}
	return s, nil
}

// print prints a line, with multiples of the plain program and of what it is when
// it is stripped in the same way.
func (s size) print(name string, plain, likewise size) {
	const mb = 1e6
	rest := s.all - s.memory - s.debug - s.symbols
	fmt.Printf("  %-16s%8.2f%8.2f%8.2f%9.2f%8.2f%10.2f%10.2f\n", name, float64(s.all)/mb, float64(s.memory)/mb, float64(s.debug)/mb, float64(s.symbols)/mb, float64(rest)/mb, float64(s.all)/float64(plain.all), float64(s.all)/float64(likewise.all))
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("%q: %w", cmd.Args, err), errors.New(string(out)))
	}
	return nil
}

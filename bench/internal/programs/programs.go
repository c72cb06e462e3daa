// Package programs builds the programs that benchmarks compare: plain, packed,
// and in the memory file of the baseline.
package programs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
)

const module = "rules_go_multiarch"

// Options say what to build.
type Options struct {
	Dir    string // where everything is left, or "" for a temporary directory
	SizeMB int    // 0 for the small program, else one of about that size is generated
	Strip  bool   // without symbols and DWARF
	// CPULevel makes the launcher take the CPU for one of that level, at most; 0 for the
	// level that it has. The baseline cannot do that, and is not built.
	CPULevel goamd64.Level
	Log      io.Writer
}

// Set is one program in every form that is worth comparing, and what it was
// packed with.
type Set struct {
	Options
	// Best is the level that the packed file starts on this CPU.
	Best goamd64.Level

	root      string // of this module
	temporary bool
}

// Names of the files in a set, beside "v1" to "v4": the variants, linked for
// packing, not packed.
const (
	Plain  = "plain"  // the best level, as go build links it
	Again  = "again"  // a copy of it; what it differs by is noise
	Packed = "packed" // all levels
	Memfd  = "memfd"  // all levels in the baseline, bench/memfd
)

// Build builds a set with the go command. The caller closes it.
func Build(o Options) (*Set, error) {
	s := &Set{Options: o, Best: max(goamd64.Level(cpuid.CPU.X64Level()), goamd64.Min)}
	if o.CPULevel > s.Best {
		return nil, fmt.Errorf("the CPU runs %v: cannot start programs as on one of %v", s.Best, o.CPULevel)
	} else if o.CPULevel != 0 {
		s.Best = o.CPULevel
	}
	root, err := output(exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module))
	if err != nil {
		return nil, fmt.Errorf("finding module %s (run this inside it): %w", module, err)
	}
	s.root = strings.TrimSpace(string(root))
	if s.temporary = o.Dir == ""; s.temporary {
		s.Dir, err = os.MkdirTemp("", "bench")
	} else if s.Dir, err = filepath.Abs(o.Dir); err == nil {
		err = os.MkdirAll(s.Dir, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("making a directory to build in: %w", err)
	}
	if err := s.build(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close removes the files of a temporary set.
func (s *Set) Close() {
	if s.temporary {
		os.RemoveAll(s.Dir)
	}
}

// Path returns the path of a file of the set.
func (s *Set) Path(name string) string { return filepath.Join(s.Dir, name) }

func (s *Set) build() error {
	program, err := s.program()
	if err != nil {
		return err
	}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		ldflags := fmt.Sprintf("%s-T %#x", s.ldflags(), slots.Of(level).Base+slots.TextOffset)
		if err := s.goBuild(program, level, level.String(), ldflags); err != nil {
			return err
		}
	}
	if err := s.goBuild(program, s.Best, Plain, s.ldflags()); err != nil {
		return err
	}
	if err := copyFile(s.Path(Again), s.Path(Plain)); err != nil {
		return err
	}
	if err := s.pack(); err != nil || s.CPULevel != 0 {
		return err
	}
	return s.memfd()
}

func (s *Set) ldflags() string {
	if s.Strip {
		return "-s -w "
	}
	return ""
}

// source is a package to build: its path and the directory of its module.
type source struct{ dir, path string }

func (s *Set) program() (source, error) {
	if s.SizeMB == 0 {
		return source{s.root, "./bench/hello"}, nil
	}
	dir := s.Path("program")
	if err := generate(dir, s.SizeMB); err != nil {
		return source{}, fmt.Errorf("generating a program of %d MB: %w", s.SizeMB, err)
	}
	return source{dir, "."}, nil
}

func (s *Set) goBuild(from source, level goamd64.Level, out, ldflags string, flags ...string) error {
	fmt.Fprintf(s.Log, "building %s\n", out)
	args := append([]string{"build", "-trimpath", "-ldflags=" + ldflags, "-o", s.Path(out)}, flags...)
	c := exec.Command("go", append(args, from.path)...)
	c.Dir = from.dir
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64="+level.String())
	if _, err := output(c); err != nil {
		return fmt.Errorf("building %s: %w", out, err)
	}
	return nil
}

func (s *Set) pack() error {
	flags, err := s.launcherFlags()
	if err != nil {
		return err
	}
	entry := "-E " + module + "/launcher/boot.entry"
	if err := s.goBuild(source{s.root, "./launcher/program"}, goamd64.Min, "launcher", entry, flags...); err != nil {
		return err
	}
	if err := s.goBuild(source{s.root, "./tools/packer"}, goamd64.Min, "packer", ""); err != nil {
		return err
	}
	c := exec.Command(s.Path("packer"), "create", "-launcher", "launcher", "-o", Packed, "v1=v1", "v2=v2", "v3=v3", "v4=v4")
	c.Dir = s.Dir
	if _, err := output(c); err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	return nil
}

// memfd builds the baseline, with the variants in place of the empty files that
// stand in the source tree.
func (s *Set) memfd() error {
	replace := make(map[string]string)
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		name := level.String()
		replace[filepath.Join(s.root, "bench/memfd/variants", name)] = s.Path(name)
	}
	flags, err := s.overlay(replace)
	if err != nil {
		return err
	}
	return s.goBuild(source{s.root, "./bench/memfd"}, goamd64.Min, Memfd, s.ldflags(), flags...)
}

// launcherFlags returns the go command's flags for a launcher that does not look above CPULevel.
func (s *Set) launcherFlags() ([]string, error) {
	if s.CPULevel == 0 {
		return nil, nil
	}
	const result = "return levelOf(&f)"
	path := filepath.Join(s.root, "launcher/boot/cpu.go")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(result)); n != 1 {
		return nil, fmt.Errorf("changing the level that %s finds: %q is there %d times, want 1", path, result, n)
	}
	text = bytes.Replace(text, []byte(result), fmt.Appendf(nil, "return min(levelOf(&f), %d)", int(s.CPULevel)), 1)
	changed := s.Path("cpu.go")
	if err := os.WriteFile(changed, text, 0o666); err != nil {
		return nil, err
	}
	return s.overlay(map[string]string{path: changed})
}

// overlay returns the go command's flags to build with other files in place of some.
func (s *Set) overlay(replace map[string]string) ([]string, error) {
	text, err := json.Marshal(struct{ Replace map[string]string }{replace})
	if err != nil {
		return nil, fmt.Errorf("encoding the overlay: %w", err)
	}
	path := s.Path("overlay.json")
	return []string{"-overlay", path}, os.WriteFile(path, text, 0o666)
}

// output runs a command and returns its standard output; the error holds the
// end of what it wrote to standard error.
func output(c *exec.Cmd) ([]byte, error) {
	text, err := c.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		lines := bytes.Split(bytes.TrimSpace(failed.Stderr), []byte("\n"))
		lines = slices.Clip(lines[max(0, len(lines)-5):])
		return nil, fmt.Errorf("%w: %s", err, bytes.Join(lines, []byte("\n")))
	}
	return text, err
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o777)
}

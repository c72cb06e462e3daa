package tools_test

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// output runs a tool and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestBuildInfoIsThePlainOne(t *testing.T) {
	probe := testenv.Probe(t)
	want, err := buildinfo.ReadFile(probe.Variants[1])
	if err != nil {
		t.Fatal(err)
	}
	got, err := buildinfo.ReadFile(probe.Packed)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("build information\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(got.String(), "GOAMD64=v1") {
		t.Errorf("no GOAMD64=v1 in\n%s", got)
	}
}

// TestSegmentsAreCovered checks that every byte of every segment that is not
// zero lies in a named section: strip and objcopy clear the others.
func TestSegmentsAreCovered(t *testing.T) {
	probe := testenv.Probe(t)
	file, err := elf.Open(probe.Packed)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	headers := uint64(64 + 56*len(file.Progs)) // strip writes these itself
	for i, p := range file.Progs {
		if p.Type != elf.PT_LOAD || p.Filesz == 0 {
			continue
		}
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil {
			t.Fatal(err)
		}
		sections := 0
		for _, s := range file.Sections {
			if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS || s.Addr < p.Vaddr || s.Addr >= p.Vaddr+p.Filesz {
				continue
			}
			if s.Name == "" {
				t.Errorf("a section at %#x has no name", s.Addr)
			}
			if s.Offset-p.Off != s.Addr-p.Vaddr || s.Addr+s.Size > p.Vaddr+p.Filesz {
				t.Errorf("section %s at %#x does not lie in segment %d as it says", s.Name, s.Addr, i)
				continue
			}
			clear(data[s.Addr-p.Vaddr:][:s.Size])
			sections++
		}
		if sections == 0 {
			t.Errorf("segment %d has no section", i)
		}
		if p.Off == 0 {
			clear(data[:headers])
		}
		if rest := bytes.TrimLeft(data, "\x00"); len(rest) > 0 {
			t.Errorf("segment %d: no section has the byte at %#x", i, p.Vaddr+p.Filesz-uint64(len(rest)))
		}
	}
}

func TestReadelf(t *testing.T) {
	out := output(t, testenv.Tool(t, "readelf"), "-lSW", testenv.Probe(t).Packed)
	if strings.Contains(strings.ToLower(out), "warning") {
		t.Error(out)
	}
	for _, want := range []string{" .text ", " .text.v2 ", " .text.v3 ", " .text.v4 ", " .text.launcher ", " .gomultiarch.manifest "} {
		if !strings.Contains(out, want) {
			t.Errorf("readelf -lSW does not show%sin\n%s", want, out)
		}
	}
}

package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/bootcode"
	"rules_go_multiarch/tools/packer/internal/manifest"
	"rules_go_multiarch/tools/packer/internal/sections"
	"rules_go_multiarch/tools/packer/internal/variant"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func options(t *testing.T) Options {
	t.Helper()
	file, err := os.Open(testenv.Launcher(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	code, err := bootcode.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Launcher: code}
}

func open(t *testing.T, path string, level goamd64.Level) *variant.Variant {
	t.Helper()
	v, err := variant.Open(path, level)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func probes(t *testing.T, levels ...goamd64.Level) []*variant.Variant {
	t.Helper()
	probe := testenv.Probe(t)
	var variants []*variant.Variant
	for _, level := range levels {
		variants = append(variants, open(t, probe.Variants[level], level))
	}
	return variants
}

func packed(t *testing.T, variants []*variant.Variant) (*File, []byte) {
	t.Helper()
	file, err := New(context.Background(), variants, options(t))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := file.Write(&out); err != nil {
		t.Fatal(err)
	}
	return file, out.Bytes()
}

func TestBytesDependOnInputsAlone(t *testing.T) {
	_, first := packed(t, probes(t, 1, 2, 4))
	_, second := packed(t, probes(t, 4, 1, 2))
	if !bytes.Equal(first, second) {
		t.Error("another order of arguments gives other bytes")
	}
	_, other := packed(t, probes(t, 1, 2))
	if bytes.Equal(buildID(t, first), buildID(t, other)) {
		t.Error("packed files of different levels have the same build id")
	}
}

func buildID(t *testing.T, data []byte) []byte {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	note, err := file.Section(sections.BuildID).Data()
	if err != nil {
		t.Fatal(err)
	}
	return note[16:]
}

func TestManifestDescribesTheFile(t *testing.T) {
	variants := probes(t, 1, 3)
	file, data := packed(t, variants)
	read, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := read.Section(sections.Manifest).Data()
	if err != nil {
		t.Fatal(err)
	}
	var m manifest.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if encoded, err := file.Manifest.Encode(); err != nil || !bytes.Equal(encoded, text) {
		t.Errorf("section %s\n%s\ndiffers from the manifest file\n%s", sections.Manifest, text, encoded)
	}
	if m.BuildID != hex.EncodeToString(buildID(t, data)) {
		t.Errorf("build id %s: the note has %x", m.BuildID, buildID(t, data))
	}
	for i, level := range m.Levels {
		digest := sha256.Sum256(data[level.Offset:][:level.Size])
		if level.SHA256 != hex.EncodeToString(digest[:]) || level.Level != variants[i].Level.String() || level.Entry != variants[i].ELF.Entry {
			t.Errorf("%+v does not describe the %v variant", level, variants[i].Level)
		}
	}
	if boot := read.Section(sections.LauncherCode); m.Boot.Offset != boot.Offset || m.Boot.Address != boot.Addr {
		t.Errorf("%+v does not describe the section %+v", m.Boot, boot.SectionHeader)
	}
}

// TestSymbols checks that every function of every level has a symbol in the
// section of its level, and variables those of the lowest level alone.
func TestSymbols(t *testing.T) {
	variants := probes(t, 1, 3)
	plain, err := variants[0].ELF.Symbols()
	if err != nil {
		t.Skip("skipped: this build of the probe has no symbols:", err)
	}
	_, data := packed(t, variants)
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	var mains, heaps int
	for _, s := range symbols {
		switch s.Name {
		case "main.main":
			mains++
		case "runtime.mheap_":
			heaps++
		}
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section < elf.SHN_LORESERVE {
			section := file.Sections[s.Section]
			if s.Value < section.Addr || s.Value > section.Addr+section.Size {
				t.Errorf("%s at %#x is not in its section %s", s.Name, s.Value, section.Name)
			}
		}
	}
	if mains != 2 || heaps != 1 {
		t.Errorf("%d symbols main.main, %d runtime.mheap_: want 2 and 1", mains, heaps)
	}
	for _, want := range plain {
		if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == want.Name && s.Value == want.Value }) {
			t.Fatalf("v1's symbol %s at %#x is missing", want.Name, want.Value)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	probe := testenv.Probe(t)
	for name, test := range map[string]struct {
		variants []*variant.Variant
		want     string
	}{
		"nothing":     {nil, "no variants: want at least one"},
		"level twice": {[]*variant.Variant{open(t, probe.Variants[1], 1), open(t, probe.Variants[1], 1)}, probe.Variants[1] + ": given as v1, which " + probe.Variants[1] + " is already"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(context.Background(), test.variants, options(t)); err == nil || err.Error() != test.want {
				t.Errorf("error %v: want %q", err, test.want)
			}
		})
	}

	// A program without build information can be given as any level.
	bare := probes(t, 1)[0]
	again := *bare
	again.Level = 2
	if _, err := New(context.Background(), []*variant.Variant{bare, &again}, options(t)); err == nil || !strings.Contains(err.Error(), "byte-identical to") {
		t.Errorf("byte-identical: error %v", err)
	}
}

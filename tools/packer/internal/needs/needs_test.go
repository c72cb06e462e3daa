package needs

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func read(t *testing.T, path string) (*Executable, error) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Read(bytes.NewReader(data), int64(len(data)))
}

// TestWithoutInfo removes the build information, as some builds have none: the
// start-up check still tells the level.
func TestWithoutInfo(t *testing.T) {
	for level, path := range testenv.Probe(t).Variants {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := elf.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		section := file.Section(".go.buildinfo")
		if section == nil {
			t.Fatalf("%s: no section .go.buildinfo", path)
		}
		clear(data[section.Offset:][:section.FileSize])
		x, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil || x.OS != "linux" || x.Arch != "amd64" || x.Level != level.String() || x.Info != nil {
			t.Errorf("%v: %+v (%v)", level, x, err)
		}
	}
}

// TestTwoChecks has the start-up checks of two levels in one file.
func TestTwoChecks(t *testing.T) {
	text := func(level string) string { return string(checkMessage[0]) + level + string(checkMessage[1]) }
	for content, want := range map[string]string{
		"":                            "v1",
		text("v9"):                    "v1",
		text("v3"):                    "v3",
		text("v3") + "x" + text("v3"): "v3",
		strings.Repeat("x", 1<<16-60) + text("v4"): "v4", // over the end of what is read at once
		text("v2") + text("v3"):                    "",
	} {
		level, err := checkedLevel(strings.NewReader(content))
		if err == nil && level.String() != want || err != nil && want != "" {
			t.Errorf("%d bytes: %v (%v), want %q", len(content), level, err, want)
		}
	}
	if _, err := checkedLevel(io.MultiReader(strings.NewReader("x"), failing{})); err == nil {
		t.Error("no error from a reader that fails")
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("damaged disk") }

func TestNotGo(t *testing.T) {
	cat := testenv.Tool(t, "cat")
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{cat, text} {
		if x, err := read(t, path); !errors.Is(err, ErrNotGo) {
			t.Errorf("%s: %+v (%v), want %v", path, x, err, ErrNotGo)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Add([]byte("MZ"))
	f.Add([]byte("\xcf\xfa\xed\xfe"))
	f.Add(bytes.Join(checkMessage[:], []byte("v3")))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Read(bytes.NewReader(data), int64(len(data)))
		if (x == nil) == (err == nil) {
			t.Errorf("%+v and %v", x, err)
		}
	})
}

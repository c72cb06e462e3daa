package kinds_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// edits are what tools do to the dynamic section of a program with the search path
// /first/path. Tools find the lowest level's, so no edit may be obeyed by that alone.
var edits = []struct {
	command string
	verify  string // what "packer verify" says of it
}{
	{"patchelf --set-rpath /other", `its DT_RUNPATH is ["/other"], but that of v4 is ["/first/path"]`},
	{"patchelf --set-rpath /a/longer/path/than/before:/and/one/more", `its DT_RUNPATH is ["/a/longer/path/than/before:/and/one/more"]`},
	{"patchelf --force-rpath --set-rpath /other", `its DT_RPATH is ["/other"], but that of v4 is []`},
	{"patchelf --remove-rpath", `its DT_RUNPATH is [], but that of v4 is ["/first/path"]`},
	{"patchelf --replace-needed libc.so.6 libm.so.6", `its DT_NEEDED is ["libm.so.6"], but that of v4 is ["libc.so.6"]`},
	{"patchelf --add-needed libm.so.6", `its DT_NEEDED is ["libm.so.6" "libc.so.6"]`},
	{"patchelf --remove-needed libc.so.6", `its DT_NEEDED is [], but that of v4 is ["libc.so.6"]`},
	{"patchelf --no-default-lib", "edited its dynamic section or its interpreter"},
	{"patchelf --set-interpreter /nowhere/ld.so", "edited its dynamic section or its interpreter"},
	{"patchelf --set-interpreter /a/longer/path/than/the/one/that/it/has/ld.so", "edited its dynamic section or its interpreter"},
}

// TestEdited edits the dynamic section of packed files, which then start no level and
// say so.
func TestEdited(t *testing.T) {
	for _, name := range []string{"dynamic", "PIE"} {
		link := linksOfC[name]
		variants := compileAll(t, link.compile+" -Wl,-rpath,/first/path")
		packed := testenv.Pack(t, "edited-"+name, variants, strings.Fields(link.pack)...)
		for _, edit := range edits {
			t.Run(name+" "+edit.command, func(t *testing.T) {
				refused(t, edited(t, packed, edit.command), variants, edit.verify)
			})
		}
		t.Run(name+" in place", func(t *testing.T) {
			// As chrpath does it. The lowest level comes last in the file.
			data := probetest.Read(t, packed)
			at := bytes.LastIndex(data, []byte("\x00/first/path\x00"))
			copy(data[at+1:], "/other/path")
			path := filepath.Join(t.TempDir(), "edited")
			if err := os.WriteFile(path, data, 0o755); err != nil {
				t.Fatal(err)
			}
			refused(t, path, variants, `its DT_RUNPATH is ["/other/path"], but that of v4 is ["/first/path"]`)
		})
	}
}

// TestEditedSoname: patchelf names no program that is not position-independent.
func TestEditedSoname(t *testing.T) {
	variants := compileAll(t, linksOfC["PIE"].compile)
	packed := testenv.Pack(t, "soname", variants)
	refused(t, edited(t, packed, "patchelf --set-soname name"), variants, `its DT_SONAME is ["name"], but that of v4 is []`)
}

// TestEditedAlone: not even a single level gets all edits, for it has headers of its own.
func TestEditedAlone(t *testing.T) {
	variants := map[goamd64.Level]string{1: filepath.Join(t.TempDir(), "v1")}
	compile(t, variants[1], 1, strings.Fields(linksOfC["PIE"].compile)...)
	packed := testenv.Pack(t, "edited-alone", variants)
	refused(t, edited(t, packed, "patchelf --set-rpath /other"), variants, "edited its dynamic section or its interpreter")
	refused(t, edited(t, packed, "patchelf --set-interpreter /nowhere/ld.so"), variants, "edited its dynamic section or its interpreter")
}

// edited returns a copy of a packed file that a tool has edited.
func edited(t *testing.T, packed, command string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edited")
	if err := os.WriteFile(path, probetest.Read(t, packed), 0o755); err != nil {
		t.Fatal(err)
	}
	words := append(strings.Fields(command), path)
	if out, err := exec.Command(testenv.Tool(t, words[0]), words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", words, err, out)
	}
	return path
}

// refused makes sure that no level of an edited file starts, and that it and "packer
// verify" say why.
func refused(t *testing.T, path string, levels map[goamd64.Level]string, verify string) {
	t.Helper()
	for _, level := range probetest.Runnable(t) {
		if levels[level] == "" {
			continue
		}
		got := probetest.Start(t, exec.Command(path), "GOMULTIARCH=level="+level.String())
		if want := "edited: cannot start: a tool such as patchelf or chrpath edited "; got.Status != 127 || !strings.HasPrefix(got.Stderr, want) {
			t.Errorf("%v: status %d, %q, %q: want 127, %q", level, got.Status, got.Stdout, got.Stderr, want)
		}
	}
	if out, err := exec.Command(testenv.Packer(t), "verify", path).CombinedOutput(); err == nil || !strings.Contains(string(out), verify) {
		t.Errorf("packer verify: %v: %s: want %q", err, out, verify)
	}
}

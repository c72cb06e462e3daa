package kinds_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// linksOfC are ways to link a program in C, and the packer's flags for it.
var linksOfC = map[string]struct{ compile, pack string }{
	"static":     {"-static -no-pie", "-remap"},
	"dynamic":    {"-no-pie", "-remap"},
	"PIE":        {"-fPIE -pie", ""},
	"static-pie": {"-fPIE -static-pie", ""},
}

// compile builds the program for a level.
func compile(t *testing.T, out string, level goamd64.Level, flags ...string) {
	t.Helper()
	args := append(flags, fmt.Sprintf("-DLEVEL=%d", level), "-O1", "-o", out, "testdata/program.c")
	if text, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc %q: %v\n%s", args, err, text)
	}
}

// compileAll builds the program at every level in a folder of its own.
func compileAll(t *testing.T, flags string) map[goamd64.Level]string {
	t.Helper()
	dir := t.TempDir()
	variants := map[goamd64.Level]string{}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		variants[level] = filepath.Join(dir, level.String())
		compile(t, variants[level], level, strings.Fields(flags)...)
	}
	return variants
}

// TestC packs programs that are not Go, as their compiler links them.
func TestC(t *testing.T) {
	for name, link := range linksOfC {
		t.Run(name, func(t *testing.T) {
			variants := compileAll(t, link.compile)
			startAll(t, testenv.Pack(t, "c-"+name, variants, strings.Fields(link.pack)...), variants)
		})
	}
}

// TestProtection compares how stack and data are mapped (PT_GNU_STACK,
// PT_GNU_RELRO) with the variant alone.
func TestProtection(t *testing.T) {
	for name, link := range linksOfC {
		for _, stack := range []string{"noexecstack", "execstack"} {
			t.Run(name+" "+stack, func(t *testing.T) {
				variants := compileAll(t, link.compile+" -Wl,-z,relro,-z,now -Wl,-z,"+stack)
				packed := testenv.Pack(t, "protection-"+name+stack, variants, strings.Fields(link.pack)...)
				for _, level := range probetest.Runnable(t) {
					want := probetest.Start(t, exec.Command(variants[level], "protection")).Stdout
					if !strings.Contains(want, "relocated r--") {
						t.Fatalf("the plain program has no protected data:\n%s", want)
					}
					got := probetest.Start(t, exec.Command(packed, "protection"), "GOMULTIARCH=level="+level.String()).Stdout
					if got != want {
						t.Errorf("%v: %q, want %q", level, got, want)
					}
				}
			})
		}
	}
}

// TestShadowStack packs programs that say that they are made for IBT and shadow
// stacks. The packed file must not say so: the boot code is not.
func TestShadowStack(t *testing.T) {
	notes := func(path string) string {
		out, err := exec.Command("readelf", "-nlW", path).CombinedOutput()
		if err != nil {
			t.Fatalf("readelf %s: %v\n%s", path, err, out)
		}
		return string(out)
	}
	for name, link := range linksOfC {
		t.Run(name, func(t *testing.T) {
			variants := compileAll(t, link.compile+" -fcf-protection=full -Wl,-z,ibt,-z,shstk")
			if says := notes(variants[1]); !strings.Contains(says, "IBT") || !strings.Contains(says, "GNU_PROPERTY") {
				t.Fatalf("the plain program does not say that it is made for IBT:\n%s", says)
			}
			packed := testenv.Pack(t, "shadow-"+name, variants, strings.Fields(link.pack)...)
			if says := notes(packed); strings.Contains(says, "IBT") || strings.Contains(says, "SHSTK") || strings.Contains(says, "GNU_PROPERTY") {
				t.Errorf("the packed file says that it is made for IBT or shadow stacks:\n%s", says)
			}
			startAll(t, packed, variants)
		})
	}
}

// TestInterpreters packs programs whose interpreter cannot be executed. Status
// and text are those that a shell gives for the plain program.
func TestInterpreters(t *testing.T) {
	dir := t.TempDir()
	const text = "this is no dynamic linker, and long enough to hold an ELF header\n"
	readable, executable := filepath.Join(dir, "readable"), filepath.Join(dir, "executable")
	for path, mode := range map[string]os.FileMode{readable: 0o644, executable: 0o755} {
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		interp string
		status int
		want   string
	}{
		"missing":        {"/nowhere/ld.so", 127, "cannot execute: required file not found: interpreter /nowhere/ld.so\n"},
		"folder":         {dir, 126, "Permission denied: interpreter " + dir + " is no file that may be executed\n"},
		"not executable": {readable, 126, "Permission denied: interpreter " + readable + " is no file that may be executed\n"},
		"text":           {executable, 126, "Accessing a corrupted shared library: interpreter " + executable + " is no shared object for x86-64\n"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := filepath.Join(dir, "program "+name)
			compile(t, plain, goamd64.Min, "-no-pie", "-Wl,--dynamic-linker="+test.interp)
			packed := testenv.Pack(t, "interp-"+name, map[goamd64.Level]string{1: plain})
			got := probetest.Start(t, exec.Command(packed))
			if want := "interp-" + name + ": " + test.want; got.Status != test.status || got.Stderr != want || got.Stdout != "" {
				t.Errorf("status %d, %q, %q: want %d, %q", got.Status, got.Stdout, got.Stderr, test.status, want)
			}

			shell := probetest.Start(t, exec.Command("bash", "-c", `"$0"; exit $?`, plain))
			says := strings.TrimSuffix(shell.Stderr[strings.LastIndex(shell.Stderr, plain)+len(plain):], "\n")
			if shell.Status != got.Status || says == "" || !strings.Contains(got.Stderr, says) {
				t.Errorf("status %d, %q, where bash has %d, %q", got.Status, got.Stderr, shell.Status, shell.Stderr)
			}
		})
	}
}

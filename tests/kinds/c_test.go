package kinds_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
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
	if text, err := exec.Command(testenv.Tool(t, "gcc"), args...).CombinedOutput(); err != nil {
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

// TestLayoutsDiffer packs programs of which each has constants and data of another size, so
// that nothing of one level is where it is in another.
func TestLayoutsDiffer(t *testing.T) {
	for name, link := range linksOfC {
		t.Run(name, func(t *testing.T) {
			for _, order := range []int{1, -1} {
				dir := t.TempDir()
				variants := map[goamd64.Level]string{}
				for level := goamd64.Min; level <= goamd64.Max; level++ {
					variants[level] = filepath.Join(dir, level.String())
					fill := fmt.Sprintf("-DFILL=%d", 5000*(10+order*int(level)))
					compile(t, variants[level], level, append(strings.Fields(link.compile), fill)...)
				}
				packed := testenv.Pack(t, fmt.Sprintf("filled-%s%d", name, order), variants, strings.Fields(link.pack)...)
				startAll(t, packed, variants)
				packer := func(args ...string) {
					if out, err := exec.Command(testenv.Packer(t), args...).CombinedOutput(); err != nil {
						t.Errorf("packer %q: %v\n%s", args, err, out)
					}
				}
				packer("verify", packed)
				// What is left is as if it had been packed alone.
				thinned, alone := filepath.Join(dir, "thinned"), filepath.Join(dir, "alone")
				packer("thin", "-level", "v3", "-o", thinned, packed)
				packer(append(append([]string{"create", "-launcher", testenv.Launcher(t), "-o", alone}, strings.Fields(link.pack)...), "v3="+variants[3])...)
				if !bytes.Equal(probetest.Read(t, thinned), probetest.Read(t, alone)) {
					t.Errorf("thinned to v3 it is not what v3 is packed alone")
				}
			}
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

// TestRelro: tools that look for hardening find the PT_GNU_RELRO of a dynamic program, which is
// no harm where a dynamic linker is told to start the file and obeys it.
func TestRelro(t *testing.T) {
	variants := compileAll(t, linksOfC["PIE"].compile+" -Wl,-z,relro,-z,now")
	packed := testenv.Pack(t, "relro", variants)
	readelf := func(path string) int {
		out, err := exec.Command(testenv.Tool(t, "readelf"), "-lW", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(out), "GNU_RELRO")
	}
	if got, want := readelf(packed), readelf(variants[1]); got != want || want != 1 {
		t.Errorf("readelf finds PT_GNU_RELRO %d times, in the plain file %d times: want 1", got, want)
	}
	for _, level := range probetest.Runnable(t)[1:] {
		got := probetest.Start(t, exec.Command("/lib64/ld-linux-x86-64.so.2", packed, "a", "b"), "GOMULTIARCH=level="+level.String())
		if got.Status != 3 {
			t.Errorf("%v: started by the dynamic linker: status %d, %q", level, got.Status, got.Stderr)
		}
	}
}

// TestDistances: in a position-independent program, who knows an address of the program does
// not know those of its libraries.
func TestDistances(t *testing.T) {
	variants := compileAll(t, linksOfC["PIE"].compile)
	packed := testenv.Pack(t, "distances", variants)
	const starts = 20
	interpreters, libraries := map[string]bool{}, map[string]bool{}
	for range starts {
		interpreter, library, found := strings.Cut(probetest.Start(t, exec.Command(packed, "distance")).Stdout, " ")
		if !found {
			t.Fatalf("it printed %q", interpreter)
		}
		interpreters[interpreter], libraries[library] = true, true
	}
	if len(interpreters) < starts/2 || len(libraries) < starts/2 {
		t.Errorf("%d distances to the interpreter and %d to the C library in %d starts", len(interpreters), len(libraries), starts)
	}
	// Addresses that are limited are not spent on distances.
	limited := probetest.Start(t, exec.Command("sh", "-c", "ulimit -v 1000000; exec "+packed+" a b"))
	if limited.Status != 3 {
		t.Errorf("under RLIMIT_AS: status %d, %q", limited.Status, limited.Stderr)
	}
}

// TestStacksDiffer: the kernel makes one stack for all levels.
func TestStacksDiffer(t *testing.T) {
	dir := t.TempDir()
	args := []string{"create", "-remap", "-launcher", testenv.Launcher(t), "-o", filepath.Join(dir, "app")}
	for level, stack := range map[goamd64.Level]string{1: "noexecstack", 3: "execstack"} {
		path := filepath.Join(dir, level.String())
		compile(t, path, level, "-no-pie", "-static", "-Wl,-z,"+stack)
		args = append(args, level.String()+"="+path)
	}
	out, err := exec.Command(testenv.Packer(t), args...).CombinedOutput()
	if want := "v3 wants an executable stack (PT_GNU_STACK of "; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("packer says %q: want %q", out, want)
	}
}

// TestShadowStack packs programs that say that they are made for IBT and shadow
// stacks. The packed file must not say so: the boot code is not.
func TestShadowStack(t *testing.T) {
	notes := func(path string) string {
		out, err := exec.Command(testenv.Tool(t, "readelf"), "-nlW", path).CombinedOutput()
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
			// What the kernel and the dynamic linker read, which readelf does not where there are sections.
			if !saysProperties(t, variants[1]) || saysProperties(t, packed) {
				t.Error("the packed file has properties among its program headers, or the plain one has none")
			}
			if says := notes(packed); strings.Contains(says, "IBT") || strings.Contains(says, "SHSTK") || strings.Contains(says, "GNU_PROPERTY") {
				t.Errorf("the packed file says that it is made for IBT or shadow stacks:\n%s", says)
			}
			startAll(t, packed, variants)
		})
	}
}

// saysProperties reports whether a program header leads to an NT_GNU_PROPERTY_TYPE_0.
func saysProperties(t *testing.T, path string) bool {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		const gnuProperty = 0x6474e553
		if p.Type != elf.PT_NOTE && p.Type != gnuProperty {
			continue
		}
		notes, err := io.ReadAll(p.Open())
		if err != nil {
			t.Fatal(err)
		}
		if p.Type == gnuProperty || bytes.Contains(notes, []byte("\x05\x00\x00\x00GNU\x00")) {
			return true
		}
	}
	return false
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

// TestWithoutSections packs programs that say what they are in their program headers alone,
// as sstrip leaves them.
func TestWithoutSections(t *testing.T) {
	for name, link := range linksOfC {
		t.Run(name, func(t *testing.T) {
			variants := compileAll(t, link.compile)
			for _, path := range variants {
				data := probetest.Read(t, path)
				clear(data[40:48]) // e_shoff
				clear(data[58:64]) // e_shentsize, e_shnum, e_shstrndx
				if err := os.WriteFile(path, data, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			startAll(t, testenv.Pack(t, "bare-"+name, variants, strings.Fields(link.pack)...), variants)
		})
	}
}

// TestAligned packs a program with data that is aligned to more than a page, which the
// kernel keeps where addresses are fixed.
func TestAligned(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "aligned.c")
	text := "#include <stdint.h>\n_Alignas(65536) char x[8] = {1};\nint main(void) { return (uintptr_t)x % 65536 ? 1 : 3; }\n"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]string{
		"-static -no-pie":    "",
		"-fPIE -pie":         "is aligned to 0x10000 bytes, want at most 0x1000 in a position-independent executable",
		"-fPIE -static-pie ": "is aligned to 0x10000 bytes, want at most 0x1000 in a position-independent executable",
	} {
		t.Run(flags, func(t *testing.T) {
			path, packed := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "packed")
			if out, err := exec.Command(testenv.Tool(t, "gcc"), append(strings.Fields(flags), "-o", path, source)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			out, err := exec.Command(testenv.Packer(t), "create", "-launcher", testenv.Launcher(t), "-o", packed, "v1="+path).CombinedOutput()
			if want != "" {
				if err == nil || !strings.Contains(string(out), want) {
					t.Errorf("packer says %q: want %q", out, want)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := probetest.Start(t, exec.Command(packed)); got.Status != 3 {
				t.Errorf("status %d, %q: want 3", got.Status, got.Stderr)
			}
		})
	}
}

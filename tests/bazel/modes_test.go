package bazel_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

const compiledForV1 = "compiled for v1 or v2\n"

// TestCompilationModes builds and runs with -c dbg and -c opt, and compares the
// launcher's code and data. Its build id differs, and where its symbols are.
func TestCompilationModes(t *testing.T) {
	w := elsewhere(t)
	launcher := []string{"deps(//tests/bazel/programs:one_level) intersect //launcher/program"}
	w.Build(t, "//tests/bazel/programs:one_level")
	want := onlyFile(t, w.Files(t, launcher))
	for _, mode := range []string{"dbg", "opt"} {
		t.Run(mode, func(t *testing.T) {
			flag := "--compilation_mode=" + mode
			if got := w.Bazel(t, "run", flag, "//tests/bazel/programs:one_level"); got != compiledForV1 {
				t.Errorf("prints %q, want %q", got, compiledForV1)
			}
			if got := onlyFile(t, w.Files(t, launcher, flag)); !maps.Equal(contents(t, got), contents(t, want)) {
				t.Errorf("the launcher's code or data is not what it is without -c %s", mode)
			}
		})
	}
}

// TestDebugFiles builds for debugging: the debug file that debuggers look for is
// beside the executable, and every level has one in an output group.
func TestDebugFiles(t *testing.T) {
	w := elsewhere(t)
	const target, mode = "//tests/bazel/programs:one_level", "--compilation_mode=dbg"
	w.Bazel(t, "build", mode, target)
	root := strings.TrimSpace(w.Bazel(t, "info", "execution_root"))
	files := map[string][]byte{}
	var sum uint32
	for path, executable := range w.Files(t, []string{target}, mode) {
		data, err := os.ReadFile(filepath.Join(root, path+".debug"))
		if err != nil {
			t.Fatal(err)
		}
		files["beside "+path] = data
		link, err := section(t, executable, ".gnu_debuglink").Data()
		if err != nil {
			t.Fatal(err)
		}
		if name := "one_level.debug\x00"; !strings.HasPrefix(string(link), name) {
			t.Errorf("the debug link is %q, want it to begin with %q", link, name)
		}
		sum = binary.LittleEndian.Uint32(link[len(link)-4:])
	}
	group := []string{mode, "--output_groups=debug"}
	w.Bazel(t, append([]string{"build", target}, group...)...)
	for path, data := range w.Files(t, []string{target}, group...) {
		files[path] = data
	}
	if len(files) != 3 {
		t.Errorf("%d debug files: want the one beside the executable, and two in the output group, of which one is the same", len(files))
	}
	for path, data := range files {
		if got := crc32.ChecksumIEEE(data); got != sum {
			t.Errorf("%s: CRC-32 %#x, the executable asks for %#x", path, got, sum)
		}
		section(t, data, ".debug_info")
	}
}

// TestDelveAtOnce debugs what was built for debugging, with nothing in between. Of
// two levels, the debug file has to be that of the one that starts.
func TestDelveAtOnce(t *testing.T) {
	delve := testenv.Tool(t, "dlv")
	w := elsewhere(t)
	const target, mode = "//tests/bazel/programs:two_levels", "--compilation_mode=dbg"
	w.Bazel(t, "build", mode, target)
	path := strings.TrimSpace(w.Bazel(t, "cquery", "--output=files", target, mode))
	path = filepath.Join(strings.TrimSpace(w.Bazel(t, "info", "execution_root")), path)
	script := filepath.Join(t.TempDir(), "commands")
	if err := os.WriteFile(script, []byte("break main.main\ncontinue\nbt\nexit\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(delve, "exec", path, "--allow-non-terminal-interactive=true", "--init", script).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "tests/bazel/programs/main.go:") || !strings.Contains(string(out), "runtime.main") {
		t.Errorf("Delve: %v\n%s", err, out)
	}
}

// TestStrip compares what is left out with what go_binary leaves out, which depends on
// the mode.
func TestStrip(t *testing.T) {
	w := elsewhere(t)
	const programs = "//tests/bazel/programs:"
	const name = 16 // bytes: .gnu_debuglink has the name of the file, which differs in length
	has := func(program []byte, name string) bool {
		file, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		return file.Section(name) != nil
	}
	for mode, debugged := range map[string]bool{"fastbuild": false, "opt": true, "dbg": true} {
		t.Run(mode, func(t *testing.T) {
			flag := "--compilation_mode=" + mode
			groups := "--output_groups=+v1"
			if debugged { // else there is nothing to make debug files from, and Bazel says so
				groups += ",+debug"
			}
			w.Bazel(t, "build", flag, groups, programs+"one_level", programs+"stripped", programs+"without_debug", programs+"plain_v1")
			plain := onlyFile(t, w.Files(t, []string{programs + "plain_v1"}, flag))
			if has(plain, ".debug_info") != debugged || has(plain, ".symtab") != debugged {
				t.Errorf("of go_binary: debug information %v, symbols %v: want %v", has(plain, ".debug_info"), has(plain, ".symtab"), debugged)
			}
			variant := onlyFile(t, w.Files(t, []string{programs + "one_level"}, flag, "--output_groups=v1"))
			if has(variant, ".debug_info") != debugged || has(variant, ".symtab") != debugged {
				t.Errorf("of the level: debug information %v, symbols %v: want what go_binary has", has(variant, ".debug_info"), has(variant, ".symtab"))
			}
			whole := onlyFile(t, w.Files(t, []string{programs + "one_level"}, flag))
			if !bytes.Contains(whole, variant) {
				t.Error("the packed file does not have the level as it was linked")
			}
			stripped := onlyFile(t, w.Files(t, []string{programs + "stripped"}, flag))
			if has(stripped, ".symtab") || len(stripped) > len(whole)+name || debugged && len(stripped) >= len(whole)-name {
				t.Errorf("stripped: symbols %v, %d bytes of %d", has(stripped, ".symtab"), len(stripped), len(whole))
			}
			without := onlyFile(t, w.Files(t, []string{programs + "without_debug"}, flag))
			if has(without, ".symtab") != debugged || len(without) < len(stripped)-name || len(without) > len(whole)+name || debugged && (len(without) <= len(stripped)+name || len(without) >= len(whole)-name) {
				t.Errorf("without debug information: symbols %v, %d bytes, where all has %d and stripped %d", has(without, ".symtab"), len(without), len(whole), len(stripped))
			}
			if !debugged {
				return
			}
			for _, companion := range w.Files(t, []string{programs + "stripped"}, flag, "--output_groups=debug") {
				section(t, companion, ".debug_info")
			}
		})
	}
}

func section(t *testing.T, program []byte, name string) *elf.Section {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	found := file.Section(name)
	if found == nil {
		t.Fatalf("no section %s", name)
	}
	return found
}

// TestPathMapping builds with output paths that do not name their configuration,
// so that equal actions of different configurations share a cache entry.
func TestPathMapping(t *testing.T) {
	w := elsewhere(t)
	const flag, target = "--experimental_output_paths=strip", "//tests/bazel/programs:two_levels"
	if got := w.Bazel(t, "run", flag, target, "--run_under=env GOAMD64=v1"); got != compiledForV1 {
		t.Errorf("prints %q, want %q", got, compiledForV1)
	}
	for name, got := range w.Files(t, []string{target}, flag) {
		if !bytes.Equal(got, copied.outputs[name]) {
			t.Errorf("%s: not the same bytes as without path mapping", name)
		}
	}
	command := w.Bazel(t, "aquery", flag, "mnemonic(GoMultiarchPack, "+target+")")
	if !strings.Contains(command, "-o \\\n    bazel-out/cfg/bin/tests/bazel/programs/two_levels") {
		t.Errorf("paths are not mapped in\n%s", command)
	}
}

// TestNoCToolchain builds a pure program, packer and launcher on a machine where
// Bazel finds no C toolchain.
func TestNoCToolchain(t *testing.T) {
	w := elsewhere(t)
	const flag, target = "--repo_env=BAZEL_DO_NOT_DETECT_CPP_TOOLCHAIN=1", "//tests/kinds/program:pure_multi"
	if actions := w.Bazel(t, "aquery", flag, "mnemonic(GoMultiarchPack, "+target+")"); !strings.Contains(actions, "Mnemonic: GoMultiarchPack") {
		t.Errorf("no packing action in\n%s", actions)
	}
	if actions := w.Bazel(t, "aquery", flag, "mnemonic(CppCompile, deps("+target+"))"); strings.Contains(actions, "Mnemonic") {
		t.Errorf("C is compiled:\n%s", actions)
	}
	w.Bazel(t, "build", flag, target)
}

func onlyFile(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	if len(files) != 1 {
		t.Fatalf("%d files, want 1: %v", len(files), names(files))
	}
	for _, text := range files {
		return text
	}
	return nil
}

// contents returns the sections that a program has in memory when it starts, but
// for notes, by name.
func contents(t *testing.T, program []byte) map[string]string {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range file.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOTE || s.Type == elf.SHT_NOBITS {
			continue
		}
		text, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		sections[s.Name] = string(text)
	}
	return sections
}

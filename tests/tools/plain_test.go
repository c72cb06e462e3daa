package tools_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// sameOutput checks that a tool prints the same of both files, but for their
// paths.
func sameOutput(t *testing.T, plain, packed string, name string, args ...string) {
	t.Helper()
	print := func(path string) string {
		return strings.ReplaceAll(output(t, name, append(slices.Clone(args), path)...), path, "FILE")
	}
	if got, want := print(packed), print(plain); got != want {
		t.Errorf("%s %q prints of the packed file\n%s\nand of the plain one\n%s", name, args, got, want)
	}
}

func TestGoVersion(t *testing.T) {
	probe := testenv.Probe(t)
	sameOutput(t, probe.Variants[1], probe.Packed, "go", "version", "-m")
}

// TestNames checks that every symbol of the plain file is there, and that what
// else is there are functions that the other levels have.
func TestNames(t *testing.T) {
	function := regexp.MustCompile(` [Tt] `)
	bound := regexp.MustCompile(` runtime\.e?text$`) // no functions
	probe := testenv.Probe(t)
	for _, tool := range [][]string{{"go", "tool", "nm"}, {testenv.Tool(t, "nm")}} {
		t.Run(tool[0], func(t *testing.T) {
			lines := func(path string) map[string]bool {
				set := map[string]bool{}
				for _, line := range strings.Split(output(t, tool[0], append(tool[1:], path)...), "\n") {
					set[strings.TrimSpace(line)] = true
				}
				return set
			}
			packed := lines(probe.Packed)
			missing := 0
			for line := range lines(probe.Variants[1]) {
				if !packed[line] && missing < 5 {
					t.Errorf("not in the packed file: %q", line)
					missing++
				}
				delete(packed, line)
			}
			for _, level := range []goamd64.Level{2, 3, 4} {
				found, missing := 0, 0
				for line := range lines(probe.Variants[level]) {
					if packed[line] {
						found++
					} else if function.MatchString(line) && !bound.MatchString(line) && missing < 5 {
						t.Errorf("%v: not in the packed file: %q", level, line)
						missing++
					}
					delete(packed, line)
				}
				if found < 1000 {
					t.Errorf("%d functions of %v", found, level)
				}
			}
			for line := range packed {
				if !strings.Contains(line, "/launcher/boot.") {
					t.Errorf("in none of the plain files: %q", line)
				}
			}
		})
	}
}

// TestDisassembly checks the code of a function at each level.
func TestDisassembly(t *testing.T) {
	probe := testenv.Probe(t)
	sameOutput(t, probe.Variants[1], probe.Packed, "go", "tool", "objdump", "-s", "^main.compute$")

	objdump := testenv.Tool(t, "objdump")
	functions := func(path string) []string {
		out := output(t, objdump, "-d", "--disassemble=main.compute", path)
		var found []string
		for _, part := range strings.Split(out, "\n\n") {
			if strings.Contains(part, "<main.compute>:\n") {
				// objdump marks skipped parts and aligns to the longest address.
				part = strings.TrimRight(strings.TrimRight(part[strings.Index(part, "\n"):], ".\t "), "\n")
				found = append(found, regexp.MustCompile(`(?m)^ +|0x[0-9a-f]+ <`).ReplaceAllString(part, ""))
			}
		}
		return found
	}
	packed := functions(probe.Packed)
	if len(packed) != 4 {
		t.Fatalf("main.compute %d times in the packed file: want once a level", len(packed))
	}
	for level, path := range probe.Variants {
		plain := functions(path)
		if len(plain) != 1 || plain[0] != packed[level-1] {
			t.Errorf("%v: the packed file has\n%s\nthe plain one\n%s", level, packed[level-1], strings.Join(plain, "\n"))
		}
	}
}

// TestAddr2line checks that addresses of each level are given their function, and
// with a companion at hand their line, as in the plain file.
func TestAddr2line(t *testing.T) {
	t.Run("static", func(t *testing.T) { addr2line(t, testenv.Probe(t)) })
	t.Run("PIE", func(t *testing.T) {
		pie := testenv.Program{Variants: map[goamd64.Level]string{}}
		for level := goamd64.Min; level <= goamd64.Max; level++ {
			pie.Variants[level] = testenv.Build(t, "./tests/probe", level, testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true, Basename: "addr2line"})
		}
		pie.Packed = testenv.Pack(t, "addr2line", pie.Variants)
		addr2line(t, pie)
	})
}

func addr2line(t *testing.T, probe testenv.Program) {
	dir := t.TempDir()
	app := filepath.Join(dir, "app")
	if err := os.WriteFile(app, probetest.Read(t, probe.Packed), 0o755); err != nil {
		t.Fatal(err)
	}
	// addresses are those of a function, level by level.
	addresses := func(path string) (found []string) {
		for _, line := range strings.Split(output(t, testenv.Tool(t, "nm"), "-n", path), "\n") {
			if strings.HasSuffix(line, " main.compute") {
				found = append(found, "0x"+strings.Fields(line)[0])
			}
		}
		return found
	}
	packed := addresses(app)
	if len(packed) != len(probe.Variants) {
		t.Fatalf("main.compute at %q: want it once a level", packed)
	}
	for level, path := range probe.Variants {
		ours, theirs := packed[level-goamd64.Min], addresses(path)[0]
		output(t, testenv.Packer(t), "debug", "-level", level.String(), app)
		byBuildID := filepath.Join(dir, level.String())
		output(t, testenv.Packer(t), "debug", "-level", level.String(), "-o", byBuildID, app)
		// Older ones know no lines of the plain file either: Go writes DWARF 5.
		for tool, options := range map[string][]string{
			"addr2line":    nil,
			"eu-addr2line": {"--debuginfo-path=" + byBuildID},
		} {
			ask := func(path, address string, options ...string) string {
				return output(t, testenv.Tool(t, tool), append(options, "-f", "-e", path, address)...)
			}
			if got, want := ask(app, ours, options...), ask(path, theirs); got != want {
				t.Errorf("%s, %v: %q, of the plain file %q", tool, level, got, want)
			}
			if got := ask(probe.Packed, ours); !strings.HasPrefix(got, "main.compute\n") || strings.Contains(got, "main.go:") {
				t.Errorf("%s, %v: without companion %q", tool, level, got)
			}
		}
		goTool := func(path, address string) string {
			cmd := exec.Command(testenv.Tool(t, "go"), "tool", "addr2line", path)
			cmd.Stdin = strings.NewReader(address + "\n")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %v", cmd, err)
			}
			return string(out)
		}
		want := goTool(path, theirs)
		if !strings.Contains(want, "main.go:") {
			t.Errorf("go tool addr2line, %v: %q of the plain file", level, want)
		}
		if level != goamd64.Min {
			want = "?\n?:0\n" // it knows one .gopclntab
		}
		if got := goTool(app, ours); got != want {
			t.Errorf("go tool addr2line, %v: %q, want %q", level, got, want)
		}
		ask := func(path, address string) string {
			said := output(t, testenv.Tool(t, "gdb"), "-nx", "-batch", "-iex", "set auto-load no", "-ex", "info line *"+address, path)
			return regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(said, "0x")
		}
		if got, want := ask(app, ours), ask(path, theirs); got != want || !strings.Contains(want, "main.go") {
			t.Errorf("gdb, %v: %q, of the plain file %q", level, got, want)
		}
	}
}

func TestFile(t *testing.T) {
	probe := testenv.Probe(t)
	file := testenv.Tool(t, "file")
	kind := regexp.MustCompile(`: (ELF 64-bit LSB executable, x86-64, version 1 \(SYSV\), statically linked),`)
	plain := kind.FindStringSubmatch(output(t, file, probe.Variants[1]))
	packed := kind.FindStringSubmatch(output(t, file, probe.Packed))
	if plain == nil || packed == nil || plain[1] != packed[1] {
		t.Errorf("of the packed file it says %q, of the plain one %q", packed, plain)
	}
	for words, want := range map[string]bool{"interpreter": false, "with debug_info": false, "not stripped": true} {
		if out := output(t, file, probe.Packed); strings.Contains(out, words) != want {
			t.Errorf("%q: %v, want %v", out, !want, want)
		}
	}
}

// TestReadelfAll checks that readelf has nothing to object to, in the packed file
// and in companions.
func TestReadelfAll(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	output(t, testenv.Packer(t), "debug", "-level", "v3", "-only", "-o", dir, probe.Packed)
	for _, path := range []string{probe.Packed, filepath.Join(dir, filepath.Base(probe.Packed)+".v3.debug")} {
		cmd := exec.Command(testenv.Tool(t, "readelf"), "-aW", path)
		var objections strings.Builder
		cmd.Stderr = &objections
		out, err := cmd.Output()
		if err != nil || objections.Len() > 0 || strings.Contains(string(out), "Warning") {
			t.Errorf("readelf -aW %s: %v\n%s", path, err, objections.String())
		}
	}
}

// TestElflint checks that eu-elflint finds nothing that it does not find in the
// plain file.
func TestElflint(t *testing.T) {
	elflint := testenv.Tool(t, "eu-elflint")
	number := regexp.MustCompile(`(section|symbol|phdr|entry) ?\[? ?\d+\]?`)
	findings := func(path string) map[string]bool {
		out, _ := exec.Command(elflint, "--gnu-ld", path).CombinedOutput() // its status says that there are findings
		set := map[string]bool{}
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			set[number.ReplaceAllString(line, "$1")] = true
		}
		return set
	}
	probe := testenv.Probe(t)
	one := filepath.Join(t.TempDir(), "one")
	output(t, testenv.Packer(t), "thin", "-level", "v1", "-o", one, probe.Packed)
	pie := map[goamd64.Level]string{}
	for _, level := range []goamd64.Level{1, 3} {
		pie[level] = testenv.Build(t, "./tests/probe", level, testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true, Basename: "pie"})
	}
	cgo := []string{"CGO_ENABLED=1"}
	dynamicPlain, dynamicPacked := build(t, "./tests/kinds/program", "lintdynamic", testenv.Link{Env: cgo, LDFlags: "-linkmode=external", Extld: "-no-pie"}, 1, 3)
	ownPlain, ownPacked := build(t, "./tests/kinds/program", "lintown", testenv.Link{Env: cgo, LDFlags: "-linkmode=internal", Flags: []string{"-tags=nocfiles"}}, 1, 3)
	piePlain, piePacked := build(t, "./tests/kinds/program", "lintpie", testenv.Link{Env: cgo, LDFlags: "-linkmode=external", Flags: []string{"-buildmode=pie"}, NoSlot: true}, 1, 3)
	for name, test := range map[string]struct {
		plain, packed string
		known         string // a finding that docs/tools.md explains
	}{
		"static":                              {probe.Variants[1], probe.Packed, ""},
		"one level":                           {probe.Variants[1], one, ""},
		"position-independent":                {pie[1], testenv.Pack(t, "pie", pie), ""},
		"position-independent, system linker": {piePlain, piePacked, ""},
		"dynamic, not position-independent":   {dynamicPlain, dynamicPacked, "static executable cannot have dynamic sections"},
		"dynamic, not position-independent, Go's linker": {ownPlain, ownPacked, "static executable cannot have dynamic sections"},
	} {
		t.Run(name, func(t *testing.T) {
			plain := findings(test.plain)
			if test.known != "" {
				plain[test.known] = true
			}
			for finding := range findings(test.packed) {
				if !plain[finding] && finding != "No errors" {
					t.Errorf("not in the plain file: %s", finding)
				}
			}
		})
	}
}

// TestToolsThatWriteOthers does what TestToolsThatWrite does with files that are
// not static.
func TestToolsThatWriteOthers(t *testing.T) {
	for name, link := range map[string]testenv.Link{
		"PIE":     {Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true},
		"dynamic": {Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=external", Extld: "-no-pie"},
	} {
		t.Run(name, func(t *testing.T) {
			link.Basename = "changed" + name
			variants := map[goamd64.Level]string{}
			for level := goamd64.Min; level <= goamd64.Max; level++ {
				variants[level] = testenv.Build(t, "./tests/probe", level, link)
			}
			toolsThatWrite(t, testenv.Pack(t, link.Basename, variants))
		})
	}
}

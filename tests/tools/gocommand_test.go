package tools_test

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
)

// build builds and packs levels of a package.
func build(t *testing.T, pkg, name string, link testenv.Link, levels ...goamd64.Level) (plain, packed string) {
	t.Helper()
	variants := map[goamd64.Level]string{}
	link.Basename = name
	for _, level := range levels {
		variants[level] = testenv.Build(t, pkg, level, link)
	}
	return variants[levels[0]], testenv.Pack(t, name, variants)
}

// TestModules checks what scanners see that list a program's modules, such as
// Syft and Trivy: they read them with debug/buildinfo. The program is the
// packer, for it has dependencies.
func TestModules(t *testing.T) {
	plain, packed := build(t, "./tools/packer", "packer_multi", testenv.Link{Env: []string{"CGO_ENABLED=0"}}, 1, 3)
	want, err := buildinfo.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	got, err := buildinfo.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Deps) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("build information\n%v\nof the plain file\n%v", got, want)
	}
	seen := map[string]bool{}
	for _, dep := range got.Deps {
		if seen[dep.Path] {
			t.Errorf("%s twice", dep.Path)
		}
		seen[dep.Path] = true
	}
}

// vulnerabilities is a database in the layout of vuln.go.dev: one entry about a
// function that the program calls, one about a function that it does not have.
var vulnerabilities = map[string]string{
	"index/db.json":        `{"modified": "2024-01-01T00:00:00Z"}`,
	"index/modules.json":   `[{"path": "stdlib", "vulns": [{"id": "GO-0000-0001", "modified": "2024-01-01T00:00:00Z"}, {"id": "GO-0000-0002", "modified": "2024-01-01T00:00:00Z"}]}]`,
	"index/vulns.json":     `[{"id": "GO-0000-0001", "modified": "2024-01-01T00:00:00Z"}, {"id": "GO-0000-0002", "modified": "2024-01-01T00:00:00Z"}]`,
	"ID/GO-0000-0001.json": entry("GO-0000-0001", "encoding/json", "Encoder.Encode"),
	"ID/GO-0000-0002.json": entry("GO-0000-0002", "net/http", "Get"),
}

func entry(id, path, symbol string) string {
	return fmt.Sprintf(`{"schema_version": "1.3.1", "id": %q, "modified": "2024-01-01T00:00:00Z", "published": "2024-01-01T00:00:00Z", "details": "-",
"affected": [{"package": {"name": "stdlib", "ecosystem": "Go"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
"ecosystem_specific": {"imports": [{"path": %q, "symbols": [%q]}]}}]}`, id, path, symbol)
}

func TestGovulncheck(t *testing.T) {
	govulncheck := testenv.Tool(t, "govulncheck")
	db := t.TempDir()
	for name, text := range vulnerabilities {
		path := filepath.Join(db, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, flags := range map[string]string{"with symbols": "", "stripped": "-s -w"} {
		t.Run(name, func(t *testing.T) {
			plain, packed := build(t, "./tests/probe", "scanned"+strings.ReplaceAll(flags, " ", ""), testenv.Link{Env: []string{"CGO_ENABLED=0"}, LDFlags: flags}, 1, 2, 4)
			want, got := findings(t, govulncheck, db, plain), findings(t, govulncheck, db, packed)
			if !slices.Equal(got, want) {
				t.Errorf("findings\n%s\nin the plain file\n%s", got, want)
			}
			// Without symbols, govulncheck takes every function of a module for called.
			if all := strings.Join(got, "\n"); !strings.Contains(all, `"function":"Encode"`) || flags == "" && strings.Contains(all, `"function":"Get"`) {
				t.Errorf("want a finding of Encode and none of Get:\n%s", all)
			}
		})
	}
}

// findings returns what govulncheck finds, without what it says of itself.
func findings(t *testing.T, govulncheck, db, path string) []string {
	t.Helper()
	cmd := exec.Command(govulncheck, "-mode=binary", "-format=json", "-db=file://"+db, path)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	var found []string
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var message map[string]json.RawMessage
		if err := decoder.Decode(&message); err != nil {
			t.Fatal(err)
		}
		if finding, ok := message["finding"]; ok {
			var compact any
			if err := json.Unmarshal(finding, &compact); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(compact)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, string(text))
		}
	}
	slices.Sort(found)
	return found
}

// TestDynamic checks what tools say of the libraries that a packed file needs.
func TestDynamic(t *testing.T) {
	for i, link := range []testenv.Link{
		{Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=internal", Flags: []string{"-tags=nocfiles"}},
		{Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=external", Extld: "-no-pie"},
		{Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=external", Extld: "-no-pie -Wl,-z,noseparate-code"},
		{Env: []string{"CGO_ENABLED=1"}, LDFlags: "-linkmode=external", Flags: []string{"-buildmode=pie"}, NoSlot: true},
	} {
		t.Run(strings.Join(append(link.Flags, link.LDFlags, link.Extld), " "), func(t *testing.T) {
			plain, packed := build(t, "./tests/kinds/program", fmt.Sprint("dynamic", i), link, 1, 3)
			libraries := func(path string) (names []string) {
				for _, line := range strings.Split(output(t, testenv.Tool(t, "ldd"), path), "\n") {
					if name, _, found := strings.Cut(strings.TrimSpace(line), " "); found {
						names = append(names, name)
					}
				}
				return names
			}
			if got, want := libraries(packed), libraries(plain); len(want) < 2 || !slices.Equal(got, want) {
				t.Errorf("ldd: %q, of the plain file %q", got, want)
			}
			for _, question := range []string{"--print-interpreter", "--print-needed", "--print-rpath"} {
				sameOutput(t, plain, packed, testenv.Tool(t, "patchelf"), question)
			}
			if out := output(t, testenv.Tool(t, "file"), packed); !strings.Contains(out, "dynamically linked") || strings.Contains(out, "interpreter") {
				t.Error(out)
			}
		})
	}
}

// TestFileOfPIE: Go's linker gives a position-independent program an interpreter, which
// the launcher starts where there is something for it to do.
func TestFileOfPIE(t *testing.T) {
	link := testenv.Link{Env: []string{"CGO_ENABLED=0"}, Flags: []string{"-buildmode=pie"}, NoSlot: true}
	plain, packed := build(t, "./tests/probe", "filepie", link, 1, 3)
	for path, want := range map[string]string{plain: "ELF 64-bit LSB pie executable", packed: "ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV), static-pie linked"} {
		if out := output(t, testenv.Tool(t, "file"), path); !strings.Contains(out, want) {
			t.Errorf("%s: want %q", out, want)
		}
	}
}

package gobuild

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// TestOwnOutputs has the flags that name a file or folder to write, and what becomes of
// each at v3.
func TestOwnOutputs(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "there"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ flag, want string }{
		// go build's own.
		{"-debug-actiongraph=f", "-debug-actiongraph=f.v3"},
		{"-debug-runtime-trace=f", "-debug-runtime-trace=f.v3"},
		{"-debug-trace=f", "-debug-trace=f.v3"},
		{"-pkgdir=d", "-pkgdir=d/v3"},
		{"-pkgdir=", "-pkgdir="},
		{"-pgo=f", "-pgo=f"}, // is read
		{"-overlay=f", "-overlay=f"},
		{"-race", "-race"},

		// The compiler's.
		{"-gcflags=-asmhdr=f", "-gcflags=-asmhdr=f.v3"},
		{"-gcflags=-bench=f", "-gcflags=-bench=f.v3"},
		{"-gcflags=-blockprofile=f", "-gcflags=-blockprofile=f.v3"},
		{"-gcflags=-cpuprofile=f", "-gcflags=-cpuprofile=f.v3"},
		{"-gcflags=-linkobj=f", "-gcflags=-linkobj=f.v3"},
		{"-gcflags=-memprofile=f", "-gcflags=-memprofile=f.v3"},
		{"-gcflags=-mutexprofile=f", "-gcflags=-mutexprofile=f.v3"},
		{"-gcflags=-traceprofile=f", "-gcflags=-traceprofile=f.v3"},
		{"-gcflags=-json=0,d", "-gcflags=-json=0,d/v3"},
		{"-gcflags=-json=0,file:///d", "-gcflags=-json=0,file:///d/v3"},
		{"-gcflags=-d=dumpinlfuncprops=f,panic", "-gcflags=-d=dumpinlfuncprops=f.v3,panic"},
		{"-gcflags=-d=panic", "-gcflags=-d=panic"},
		{"-gcflags=all=-m --cpuprofile f -l", "-gcflags=all=-m --cpuprofile f.v3 -l"},
		{"-gcflags=-cpuprofile=there", "-gcflags=-cpuprofile=there/v3"},
		{"-gcflags=-cpuprofile=new/", "-gcflags=-cpuprofile=new/v3/"},
		{"-gcflags=-cpuprofile=/dev/null", "-gcflags=-cpuprofile=/dev/null"},
		{"-gcflags=-m '-cpuprofile=a b'", "-gcflags=-m '-cpuprofile=a b.v3'"},
		{"-gcflags=-m -cpuprofile", "-gcflags=-m -cpuprofile"}, // has no value
		{"-gcflags=-m 'half", "-gcflags=-m 'half"},

		// The linker's.
		{"-ldflags=-benchmark=cpu -benchmarkprofile=f", "-ldflags=-benchmark=cpu -benchmarkprofile=f.v3"},
		{"-ldflags=-capturehostobjs=d", "-ldflags=-capturehostobjs=d/v3"},
		{"-ldflags=-cpuprofile=f", "-ldflags=-cpuprofile=f.v3"},
		{"-ldflags=-fipso=f", "-ldflags=-fipso=f.v3"},
		{"-ldflags=-memprofile f", "-ldflags=-memprofile f.v3"},
		{"-ldflags=-tmpdir=d", "-ldflags=-tmpdir=d/v3"},
		{"-ldflags=./x=-s -tmpdir d", "-ldflags=./x=-s -tmpdir d/v3"},
		{"-ldflags=-X a.b=-tmpdir=d", "-ldflags=-X a.b=-tmpdir=d"},

		// The system's linker's.
		{"-ldflags=-extldflags=-Wl,-Map=f", "-ldflags=-extldflags=-Wl,-Map=f.v3"},
		{"-ldflags=-extldflags=-Wl,--Map,f,-s", "-ldflags=-extldflags=-Wl,--Map,f.v3,-s"},
		{"-ldflags=-extldflags '-Wl,-Map -Wl,f'", "-ldflags=-extldflags '-Wl,-Map -Wl,f.v3'"},
		{"-ldflags=-extldflags '-Xlinker -Map -Xlinker f'", "-ldflags=-extldflags '-Xlinker -Map -Xlinker f.v3'"},
		{"-ldflags=-extldflags '-Xlinker -Map=there'", "-ldflags=-extldflags '-Xlinker -Map=there/v3'"},
		{"-ldflags=-extldflags=-Wl,-Map=-", "-ldflags=-extldflags=-Wl,-Map=-"},
		{"-ldflags=-extldflags=-Wl,--dependency-file=f", "-ldflags=-extldflags=-Wl,--dependency-file=f.v3"},
		{"-ldflags=-extldflags=-Wl,--print-archive-stats=f", "-ldflags=-extldflags=-Wl,--print-archive-stats=f.v3"},
		{"-ldflags=-extldflags=-Wl,--print-symbol-counts=f", "-ldflags=-extldflags=-Wl,--print-symbol-counts=f.v3"},
		{"-ldflags=-extldflags=-Wl,--reproduce=f", "-ldflags=-extldflags=-Wl,--reproduce=f.v3"},
		{"-ldflags=-extldflags=-Wl,--time-trace=f", "-ldflags=-extldflags=-Wl,--time-trace=f.v3"},
		{"-ldflags=-extldflags=-Wl,--time-trace,-s", "-ldflags=-extldflags=-Wl,--time-trace,-s"},
		{"-ldflags=-extldflags=-Wl,--why-extract=f", "-ldflags=-extldflags=-Wl,--why-extract=f.v3"},
		{"-ldflags=-extldflags=-ftime-trace=f", "-ldflags=-extldflags=-ftime-trace=f.v3"},
		{"-ldflags=-extldflags=-Wl,-rpath=d", "-ldflags=-extldflags=-Wl,-rpath=d"},
		{"-ldflags=-extld 'gcc -Wl,-Map=f'", "-ldflags=-extld 'gcc -Wl,-Map=f.v3'"},
	} {
		// PIE, so that no address is added.
		a, err := Parse([]string{"-C", dir, "-buildmode=pie", test.flag}, "")
		if err != nil {
			t.Fatal(err)
		}
		own, err := a.at(3)
		if err != nil {
			t.Errorf("%s: %v", test.flag, err)
			continue
		}
		got := own.flags
		for _, value := range own.ldflags {
			got = append(got, "-ldflags="+value)
		}
		if want := []string{test.want}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", test.flag, got, want)
		}
	}
	for flag, want := range map[string]string{
		"-gcflags=-o=f":                        "-gcflags=-o=f: sets -o, which packer sets for each level",
		"-asmflags=all=-o f":                   "-asmflags=all=-o f: sets -o, which packer sets for each level",
		"-ldflags=-o f":                        "-ldflags=-o f: sets -o, which packer sets for each level",
		"-ldflags=-extldflags '-s -o f'":       "-ldflags=-extldflags '-s -o f': sets -o, which packer sets for each level",
		"-ldflags=-extldflags=-Wl,-o,f":        "-ldflags=-extldflags=-Wl,-o,f: sets -o, which packer sets for each level",
		"-ldflags=-extldflags=-Wl,--output=f":  "-ldflags=-extldflags=-Wl,--output=f: sets --output, which packer sets for each level",
		"-ldflags=-extldflags=--output=f":      "-ldflags=-extldflags=--output=f: sets --output=f, which packer sets for each level",
		"-ldflags=-extldflags '-Xlinker -o=f'": "-ldflags=-extldflags '-Xlinker -o=f': sets -o, which packer sets for each level",
	} {
		a, err := Parse([]string{flag}, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Check(); err == nil || err.Error() != want {
			t.Errorf("%s: error %v: want %q", flag, err, want)
		}
	}
}

// TestOwnVariables has variables with arguments of the C linker.
func TestOwnVariables(t *testing.T) {
	t.Setenv("GOSSAFUNC", "main")
	t.Setenv("GOSSADIR", "d")
	a := &Args{}
	a.Use(&Environment{CC: "gcc", CXX: "g++ -Wl,-Map=f", CGO_LDFLAGS: "-lm -Wl,-Map,f"})
	own, err := a.at(3)
	want := []string{"CXX=g++ -Wl,-Map=f.v3", "CGO_LDFLAGS=-lm -Wl,-Map,f.v3", "GOSSADIR=d/v3"}
	if err != nil || !slices.Equal(own.env, want) {
		t.Errorf("%q (%v), want %q", own.env, err, want)
	}
}

// readFiles are flags whose value is a file or folder that is read, or the start of names
// in it, and others whose placeholder says so of something else.
var readFiles = []string{
	"compile -D path", "compile -I directory", "compile -coveragecfg file", "compile -embedcfg file", "compile -importcfg file",
	"compile -p path", "compile -pgoprofile file", "compile -symabis file",
	"link -L directory", "link -importcfg file", "link -r path",
}

// TestOutputsOfTools asks the tools of this Go version for flags whose value is a file or
// folder; all of them are known as written or read.
func TestOutputsOfTools(t *testing.T) {
	testenv.Tool(t, "go")
	placeholder := regexp.MustCompile(`^  -(\S+) (file|directory|path|base|dir)$`)
	for tool, outputs := range map[string]map[string]output{"compile": compileOutputs, "link": linkOutputs} {
		help, _ := exec.Command("go", "tool", tool, "-help").CombinedOutput() // its status is 2
		found := 0
		for lines := bufio.NewScanner(bytes.NewReader(help)); lines.Scan(); {
			match := placeholder.FindStringSubmatch(lines.Text())
			if match == nil {
				continue
			}
			found++
			if outputs[match[1]] == 0 && !slices.Contains(readFiles, tool+" -"+match[1]+" "+match[2]) {
				t.Errorf("%s: -%s %s: is it written or read?", tool, match[1], match[2])
			}
		}
		if found == 0 {
			t.Errorf("%s: no flags in its help:\n%s", tool, help)
		}
	}
}

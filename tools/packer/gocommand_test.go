//go:build linux

package main

// These tests run "packer build", which needs the go command; Bazel's sandbox
// has none, so BUILD.bazel leaves this file out and "go test ./..." runs it.

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/packed"
)

// levelFiles tell a program which level it was compiled for, by its build tags.
func levelFiles(files map[string]string, dir string) map[string]string {
	for level, tags := range map[string]string{"v1": "!amd64.v2", "v2": "amd64.v2 && !amd64.v3", "v3": "amd64.v3 && !amd64.v4", "v4": "amd64.v4"} {
		files[dir+"level_"+level+".go"] = "//go:build " + tags + "\n\npackage main\n\nconst level = \"" + level + "\"\n"
	}
	return files
}

const printLevel = "package main\n\nvar extra = \"plain\"\n\nfunc main() { println(level, extra) }\n"

// module writes a module of programs that print their level, and nothing but
// package runtime behind them, so that they build quickly.
func module(t *testing.T) string {
	t.Helper()
	files := levelFiles(map[string]string{
		"go.mod":     "module example.com/hello\n\ngo 1.24\n",
		"main.go":    printLevel,
		"tagged.go":  "//go:build special\n\npackage main\n\nfunc init() { extra = \"special\" }\n",
		"lib/lib.go": "package lib\n",
		// Constraints do not count in files that are named.
		"solo/one.go":  "//go:build ignore\n\npackage main\n\nfunc main() { print() }\n",
		"solo/more.go": "//go:build ignore\n\npackage main\n\nfunc print() { println(\"v1 plain\") }\n",
	}, "")
	levelFiles(files, "cmd/tool/")
	files["cmd/tool/main.go"] = printLevel
	return tree(t, files)
}

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, path, []byte(text), 0o644)
	}
	return dir
}

// quiet gives a build an environment without surprises, and the cache entries
// of testenv's builds.
func quiet(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"GOFLAGS": "-trimpath", "CGO_ENABLED": "0", "GOAMD64": "", "GOMULTIARCH": "", "MGODEBUG": "", "MGO_PARALLEL_BUILD": "", "GOWORK": "off", "TMPDIR": t.TempDir()} {
		t.Setenv(name, value)
	}
}

// output runs a program and returns what it prints.
func output(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// levelsOf are the levels in a packed file.
func levelsOf(t *testing.T, path string) string {
	t.Helper()
	var info fileInfo
	if err := json.Unmarshal([]byte(must(t, "info", "--json", path)), &info); err != nil {
		t.Fatal(err)
	}
	var levels []string
	for _, l := range info.Levels {
		levels = append(levels, l.Level)
	}
	return strings.Join(levels, ",")
}

// TestRevisions builds levels from different states of a working tree.
func TestRevisions(t *testing.T) {
	quiet(t)
	t.Setenv("GOFLAGS", "-trimpath -buildvcs=true")
	git := testenv.Tool(t, "git")
	dir := module(t)
	in := func(path string) string { return filepath.Join(dir, path) }
	outside := t.TempDir()
	commit := func() string {
		output(t, nil, git, "-C", dir, "add", ".")
		output(t, nil, git, "-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "change")
		return strings.TrimSpace(output(t, nil, git, "-C", dir, "rev-parse", "HEAD"))
	}
	build := func(level, flag string) string {
		out := filepath.Join(outside, level)
		output(t, []string{"GOAMD64=" + level}, "go", "build", "-C", dir, flag, "-o", out, ".")
		return out
	}
	output(t, nil, git, "-C", dir, "init", "-q")
	first := commit()
	v1 := build("v1", "-v=false")

	// As an executable does that was built into the tree.
	write(t, in("new"), nil, 0o644)
	create := []string{"create", "-launcher", testenv.Launcher(t), "-o", filepath.Join(outside, "app"), v1, build("v3", "-ldflags=-T=0x2a009000")}
	warning := "packer: create: warning: the levels were built from the same revision, but are marked as different builds:\n  vcs.modified: \"false\" (v1), \"true\" (v3)\n"
	if r := packer(create...); r.status != 0 || r.stderr != warning {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}

	// While the packer builds.
	if err := os.Remove(in("new")); err != nil {
		t.Fatal(err)
	}
	script := write(t, filepath.Join(outside, "script"), []byte("#!/bin/sh\n: > "+in("new")+"\nexec \"$@\"\n"), 0o755)
	r := packer("build", "-C", dir, "-p", "1", "-levels", "v1,v3", "-toolexec", script, "-o", filepath.Join(outside, "built"), ".")
	if warning := "warning: the source changed while the levels were built:\n  vcs.modified: "; r.status != 0 || !strings.Contains(r.stderr, warning) {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}

	second := commit()
	build("v3", "-ldflags=-T=0x2a009000")
	r = packer(create...)
	if want := "  vcs.revision: \"" + first + "\" (v1), \"" + second + "\" (v3)\n"; r.status != 1 || !strings.Contains(r.stderr, want) {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestMgoOutputs is mgo's checklist, as far as it is about where output goes.
func TestMgoOutputs(t *testing.T) {
	quiet(t)
	dir := module(t)
	in := func(path string) string { return filepath.Join(dir, path) }
	if err := os.Mkdir(in("folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want []string // packed files in dir, which is emptied of them
	}{
		"default name":              {nil, []string{"hello"}},
		"default name of a package": {[]string{"./cmd/tool"}, []string{"tool"}},
		"-o FILE":                   {[]string{"-o", "a", "."}, []string{"a"}},
		"-o=FILE":                   {[]string{"-o=a"}, []string{"a"}},
		"--o=FILE":                  {[]string{"--o=b", "./cmd/tool"}, []string{"b"}},
		"-o of a new path":          {[]string{"-o", "x/y/z"}, []string{"x/y/z"}},
		"-o DIRECTORY":              {[]string{"-o", "folder"}, []string{"folder/hello"}},
		"-o DIRECTORY/":             {[]string{"-o", "new/", "./..."}, []string{"new/hello", "new/tool"}},
		"several packages":          {[]string{"-o", "folder", ".", "./cmd/tool"}, []string{"folder/hello", "folder/tool"}},
		"several without -o":        {[]string{".", "./cmd/tool"}, nil},
		"./... without -o":          {[]string{"./..."}, nil},
		"a library":                 {[]string{"./lib"}, nil},
		"files":                     {[]string{"solo/one.go", "solo/more.go"}, []string{"one"}},
		"-o /dev/null":              {[]string{"-o", "/dev/null"}, nil},
		"-n":                        {[]string{"-n", "-o", "a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := packer(append([]string{"build", "-C", dir, "-levels", "v1,v3"}, test.args...)...)
			if r.status != 0 || r.stderr != "" && name != "-n" {
				t.Fatalf("status %d, %s", r.status, r.stderr)
			}
			for _, path := range test.want {
				if got := levelsOf(t, in(path)); got != "v1,v3" {
					t.Errorf("%s has %s", path, got)
				}
				if got := output(t, []string{"GOAMD64=v1"}, in(path)); got != "v1 plain\n" {
					t.Errorf("%s printed %q", path, got)
				}
				os.Remove(in(path))
			}
			for _, path := range []string{"hello", "tool", "a", "folder/hello", "folder/tool"} {
				if exists(in(path)) {
					t.Errorf("there is a %s", path)
				}
			}
		})
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// TestMgoFlags is mgo's checklist, as far as it is about what is built.
func TestMgoFlags(t *testing.T) {
	quiet(t)
	dir := module(t)
	out := filepath.Join(dir, "out")
	for name, test := range map[string]struct {
		args []string
		env  string
		want string
	}{
		"-tags":               {args: []string{"-tags", "special"}, want: "v1 special\n"},
		"GOFLAGS":             {env: "-trimpath -tags=special", want: "v1 special\n"},
		"-ldflags":            {args: []string{"-ldflags", "-s -w -X 'main.extra=a b'"}, want: "v1 a b\n"},
		"-ldflags of GOFLAGS": {env: "-trimpath '-ldflags=-X main.extra=c'", want: "v1 c\n"},
		"-ldflags by pattern": {args: []string{"-ldflags=example.com/...=-X main.extra=d"}, want: "v1 d\n"},
		"-extldflags":         {args: []string{"-ldflags=-X main.extra=e -extldflags=-static"}, want: "v1 e\n"},
		"-C":                  {args: []string{"-C=" + dir, "-o", "out"}, want: "v1 plain\n"},
		"-pgo":                {args: []string{"-pgo=off"}, want: "v1 plain\n"},
		"-buildmode=exe":      {args: []string{"-buildmode=exe"}, want: "v1 plain\n"},
		"-p":                  {args: []string{"-p", "1"}, want: "v1 plain\n"},
		"no environment":      {args: []string{"-no-environment", "-levels", "v1"}, want: "v1 plain\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.env != "" {
				t.Setenv("GOFLAGS", test.env)
			}
			must(t, append([]string{"build", "-levels=v1,v3", "-C", dir, "-o", out}, test.args...)...)
			if got := output(t, []string{"GOAMD64=v1"}, out); got != test.want {
				t.Errorf("printed %q, want %q", got, test.want)
			}
			if r := packer("verify", out); r.status != 0 {
				t.Error(r.stderr)
			}
		})
	}
}

// TestBuildStrip leaves out what create leaves out.
func TestBuildStrip(t *testing.T) {
	quiet(t)
	dir := module(t)
	out := filepath.Join(dir, "out")
	for mode, want := range map[string]struct{ symbols, debug bool }{
		"": {true, true}, "none": {true, true}, "debug": {true, false}, "all": {false, false},
	} {
		t.Run(mode, func(t *testing.T) {
			args := []string{"build", "-levels=v1,v3", "-C", dir, "-o", out}
			if mode != "" {
				args = append(args, "-strip", mode)
			}
			must(t, args...)
			if got := output(t, []string{"GOAMD64=v1"}, out); got != "v1 plain\n" {
				t.Errorf("printed %q", got)
			}
			must(t, "verify", out)
			must(t, "extract", "-level", "v3", "-o", out+".v3", out)
			level := openELF(t, out+".v3")
			if symbols, debug := level.Section(".symtab") != nil, level.Section(".debug_info") != nil; symbols != want.symbols || debug != want.debug {
				t.Errorf("symbols %v, debug information %v", symbols, debug)
			}
		})
	}
}

func TestBuildIsolate(t *testing.T) {
	quiet(t)
	dir := module(t)
	for _, flag := range []string{"-isolate", "-isolate=false"} {
		out := filepath.Join(dir, "out"+flag)
		must(t, "build", "-levels=v1,v3", flag, "-C", dir, "-o", out)
		file, err := packed.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		if file.Isolate != (flag == "-isolate") {
			t.Errorf("%s: isolates: %v", flag, file.Isolate)
		}
	}
}

// TestMgoPIE builds position-independent executables: no slot, no -T.
func TestMgoPIE(t *testing.T) {
	quiet(t)
	dir := module(t)
	out := filepath.Join(dir, "out")
	must(t, "build", "-levels=v1,v3", "-C", dir, "-o", out, "-buildmode=pie")
	if got := output(t, []string{"GOAMD64=v1"}, out); got != "v1 plain\n" {
		t.Errorf("printed %q", got)
	}
	if r := packer("verify", out); r.status != 0 {
		t.Error(r.stderr)
	}
}

// TestMgoRace links with the system's linker, and dynamically.
func TestMgoRace(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("skipped: no gcc, which -race takes")
	}
	quiet(t)
	t.Setenv("CGO_ENABLED", "1")
	dir := module(t)
	out := filepath.Join(dir, "out")
	must(t, "build", "-levels=v1,v3", "-C", dir, "-o", out, "-race", "-ldflags=-linkmode=external -extldflags=-Wl,--build-id=none")
	if got := output(t, []string{"GOAMD64=v1"}, out); got != "v1 plain\n" {
		t.Errorf("printed %q", got)
	}
	if r := packer("verify", out); r.status != 0 {
		t.Error(r.stderr)
	}
}

// TestMgoAtRunTime starts what was built, all levels of it.
func TestMgoAtRunTime(t *testing.T) {
	quiet(t)
	dir := module(t)
	out := filepath.Join(dir, "out")
	t.Setenv("MGO_PARALLEL_BUILD", "1")
	report := filepath.Join(dir, "report.json")
	must(t, "build", "-C", dir, "-o", out, "--report", report)
	if got := levelsOf(t, out); got != "v1,v2,v3,v4" {
		t.Errorf("has %s", got)
	}
	t.Run("GOAMD64", func(t *testing.T) {
		if got := output(t, []string{"GOAMD64=v1"}, out); got != "v1 plain\n" {
			t.Errorf("printed %q", got)
		}
	})
	t.Run("MGODEBUG=log", func(t *testing.T) {
		if got := output(t, []string{"GOAMD64=v1", "MGODEBUG=log"}, out); !strings.HasPrefix(got, "[mgo] launcher: starting variant GOAMD64=v1") || !strings.HasSuffix(got, "\nv1 plain\n") {
			t.Errorf("printed %q", got)
		}
	})
	t.Run("MGODEBUG=extract", func(t *testing.T) {
		variant := filepath.Join(dir, "variant")
		must(t, "extract", "-level", "v1", "-o", variant, out)
		if got := output(t, []string{"GOAMD64=v1", "MGODEBUG=extract"}, out); got != string(contents(t, variant)) {
			t.Errorf("printed %d bytes, not the variant's %d", len(got), len(contents(t, variant)))
		}
	})
	var r buildReport
	if err := json.Unmarshal(contents(t, report), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Outputs) != 1 || r.Outputs[0].File != out || r.Outputs[0].Size != int64(len(contents(t, out))) || len(r.Outputs[0].Levels) != 4 || len(r.Builds) != 4 || r.Seconds <= 0 {
		t.Errorf("%+v", r)
	}
}

// TestPackageAtVersion builds from a module proxy in the file system. All levels need the
// modules, and one message for each tells that it is downloaded.
func TestPackageAtVersion(t *testing.T) {
	quiet(t)
	far := levelFiles(map[string]string{"go.mod": "module example.com/remote\n\ngo 1.24\n\nrequire example.com/near v1.0.0\n"}, "cmd/far/v2/")
	far["cmd/far/v2/main.go"] = strings.Replace(printLevel, "main\n", "main\n\nimport _ \"example.com/near\"\n", 1)
	downloads := useProxy(t, map[string]map[string]string{
		"example.com/remote@v1.2.3": far,
		"example.com/near@v1.0.0":   {"go.mod": "module example.com/near\n\ngo 1.24\n", "near.go": "package near\n"},
		// Nobody needs the code of this one.
		"example.com/other@v1.0.0": {"go.mod": "module example.com/other\n\ngo 1.24\n", "other.go": "package other\n"},
	})
	for name, args := range map[string][]string{
		"far":   nil, // v2 is a major version, not a name
		"named": {"-o", "named"},
	} {
		t.Setenv("GOMODCACHE", t.TempDir())
		clear(downloads)
		dir := t.TempDir()
		r := packer(append(append([]string{"build", "-C", dir, "-levels=v1,v3"}, args...), "example.com/remote/cmd/far/v2@v1.2.3")...)
		if want := "go: downloading example.com/remote v1.2.3\ngo: downloading example.com/near v1.0.0\n"; r.status != 0 || r.stderr != want {
			t.Fatalf("status %d, %q: want %q", r.status, r.stderr, want)
		}
		if got := output(t, []string{"GOAMD64=v1"}, filepath.Join(dir, name)); got != "v1 plain\n" {
			t.Errorf("%s printed %q", name, got)
		}
		if want := map[string]int{"example.com/remote": 1, "example.com/near": 1}; !maps.Equal(downloads, want) {
			t.Errorf("downloads: %v, want %v", downloads, want)
		}
	}
	t.Run("in a module", func(t *testing.T) {
		t.Setenv("GOMODCACHE", t.TempDir())
		clear(downloads)
		t.Setenv("GOFLAGS", "-trimpath -modcacherw -mod=mod -json") // -json is another flag of go list
		far["go.mod"] += "require example.com/other v1.0.0\n"
		r := packer("build", "-C", tree(t, far), "-levels=v1,v3", "./...")
		if want := "go: downloading example.com/near v1.0.0\n"; r.status != 0 || r.stderr != want {
			t.Fatalf("status %d, %q: want %q", r.status, r.stderr, want)
		}
		if want := map[string]int{"example.com/near": 1}; !maps.Equal(downloads, want) {
			t.Errorf("downloads: %v, want %v", downloads, want)
		}
	})
	t.Run("by a go command of another platform", func(t *testing.T) {
		t.Setenv("GOMODCACHE", t.TempDir())
		t.Setenv("GOBIN", t.TempDir())
		crossGo(t)
		dir := t.TempDir()
		if r := packer("build", "-C", dir, "-levels=v1,v3", "example.com/remote/cmd/far/v2@v1.2.3"); r.status != 0 {
			t.Fatalf("status %d, %s", r.status, r.stderr)
		}
		if got := output(t, []string{"GOAMD64=v1"}, filepath.Join(dir, "far")); got != "v1 plain\n" {
			t.Errorf("printed %q", got)
		}
	})
	if r := packer("build", "-C", t.TempDir(), "example.com/remote@v1.0.0"); r.status != 1 || !strings.HasPrefix(r.stderr, "packer: build: go install:\n") || strings.Count(r.stderr, "go: example.com/remote@v1.0.0: ") != 1 {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

// crossGo puts a go command in front that does as one of linux/arm64: it says so, does not
// install with GOBIN, and installs to a folder by platform (go help install).
func crossGo(t *testing.T) {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go"), []byte(`#!/bin/sh
case $1 in
env) '`+real+`' "$@" | sed 's/"GOHOSTARCH": ".*"/"GOHOSTARCH": "arm64"/'; exit ;;
install) if [ -n "$GOBIN" ]; then echo "go: cannot install cross-compiled binaries when GOBIN is set" >&2; exit 1; fi ;;
esac
'`+real+`' "$@" || exit
if [ -f "$GOPATH/bin/far" ]; then mkdir "$GOPATH/bin/linux_amd64" && mv "$GOPATH/bin/far" "$GOPATH/bin/linux_amd64"; fi
`), 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// useProxy makes modules, by path@version, what the go command can download, and returns
// how often it has downloaded each, by path.
func useProxy(t *testing.T, modules map[string]map[string]string) map[string]int {
	t.Helper()
	proxy := map[string]string{}
	for module, files := range modules {
		path, version, _ := strings.Cut(module, "@")
		var archive bytes.Buffer
		z := zip.NewWriter(&archive)
		for name, text := range files {
			w, err := z.Create(module + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(w, text)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		at := path + "/@v/"
		proxy[at+"list"] = version + "\n"
		proxy[at+version+".info"] = `{"Version":"` + version + `"}`
		proxy[at+version+".mod"] = files["go.mod"]
		proxy[at+version+".zip"] = archive.String()
	}
	downloads := map[string]int{}
	var mutex sync.Mutex
	files := http.FileServer(http.Dir(tree(t, proxy)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, _, found := strings.Cut(r.URL.Path, "/@v/"); found && strings.HasSuffix(r.URL.Path, ".zip") {
			mutex.Lock()
			downloads[strings.TrimPrefix(path, "/")]++
			mutex.Unlock()
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"GOPROXY": server.URL, "GONOSUMDB": "*", "GOFLAGS": "-trimpath -modcacherw"} {
		t.Setenv(name, value)
	}
	return downloads
}

func TestBuildRefuses(t *testing.T) {
	quiet(t)
	dir := module(t)
	old := tree(t, map[string]string{"go": "#!/bin/sh\necho '{\"GOOS\":\"linux\",\"GOARCH\":\"amd64\",\"GOAMD64\":\"v1\",\"GOVERSION\":\"go1.22.3\"}'\n"})
	if err := os.Chmod(filepath.Join(old, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env    []string
		args   []string
		status int
		want   string
	}{
		"GOAMD64":       {[]string{"GOAMD64=v3"}, nil, 1, "packer: build: GOAMD64=v3 is set, but packer sets it for each level: unset it, and choose levels with -levels\n"},
		"GOOS":          {[]string{"GOOS=windows"}, nil, 1, "packer: build: GOOS=windows GOARCH=amd64: only linux/amd64 has packed files; give --fallback for a plain build on other targets\n"},
		"GOARCH":        {[]string{"GOARCH=arm64"}, nil, 1, "packer: build: GOOS=linux GOARCH=arm64: only linux/amd64"},
		"old toolchain": {[]string{"PATH=" + old}, nil, 1, "packer: build: the go command is go1.22.3: want go1.24 or newer\n"},
		"no toolchain":  {[]string{"PATH="}, nil, 1, "packer: build: no go command on PATH: install Go\n"},
		"c-shared":      {nil, []string{"-buildmode=c-shared"}, 2, "packer: build: -buildmode=c-shared: only exe and pie make executables\n"},
		"-T":            {nil, []string{"-ldflags=-T 1"}, 2, "packer: build: -ldflags=-T 1: sets -T, which packer sets for each level\n"},
		"level":         {nil, []string{"-levels=v9"}, 2, "packer: build: -levels \"v9\": unknown level \"v9\""},
		"parallel":      {[]string{"MGO_PARALLEL_BUILD=x"}, nil, 1, "packer: build: MGO_PARALLEL_BUILD=x: want a positive number\n"},
		"unknown flag":  {nil, []string{"-nonsense"}, 2, "packer: build: flag provided but not defined: -nonsense (packer and go build have no such flag)\nusage: packer build"},
		"no package":    {nil, []string{"./nowhere"}, 1, "packer: build: go list: stat "},
		"no folder":     {nil, []string{"-C", "/missing"}, 1, "packer: build: -C /missing: no such file or directory\n"},
		"library":       {nil, []string{"-o", "x", "./lib"}, 1, "packer: build: -o x: example.com/hello/lib is not a main package: there is no executable to pack\n"},
		"two into one":  {nil, []string{"-o", "x", ".", "./cmd/tool"}, 1, "packer: build: -o x: cannot write 2 packages to what is no directory\n"},
		"no programs":   {nil, []string{"-o", "x/", "./lib"}, 1, "packer: build: -o x/: no main packages to build\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range test.env {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			r := packer(append([]string{"build", "-C", dir}, test.args...)...)
			if r.status != test.status || !strings.HasPrefix(r.stderr, test.want) {
				t.Errorf("status %d, %s", r.status, r.stderr)
			}
			if exists(filepath.Join(dir, "hello")) || exists(filepath.Join(dir, "x")) {
				t.Error("there is an output")
			}
		})
	}
}

// TestBuildWarns has a list with a hole, of which many CPUs do not get what they could run,
// and one that this machine can run.
func TestBuildWarns(t *testing.T) {
	quiet(t)
	dir := module(t)
	r := packer("build", "-C", dir, "-levels=v1,v4", "-o", "out")
	if r.status != 0 || !strings.HasPrefix(r.stderr, "packer: build: warning: the levels have v4 but not v3: ") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	if got := levelsOf(t, filepath.Join(dir, "out")); got != "v1,v4" {
		t.Errorf("has %s", got)
	}
	must(t, "build", "-C", dir, "-levels=native", "-o", "out")
	levels := runnable()
	if got, want := levelsOf(t, filepath.Join(dir, "out")), levels[len(levels)-1]; got != want {
		t.Errorf("native has %s, want %s", got, want)
	}
}

// TestFailingLevel breaks v3 alone; its output comes last.
func TestFailingLevel(t *testing.T) {
	quiet(t)
	dir := module(t)
	write(t, filepath.Join(dir, "broken.go"), []byte("//go:build amd64.v3\n\npackage main\n\nvar broken int = \"text\"\n"), 0o644)
	r := packer("build", "-C", dir, "-levels=v1,v3", "-o", "out")
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	if r.status != 1 || len(lines) < 2 || lines[len(lines)-1] != "packer: build: v3: go build: exit status 1" ||
		!strings.HasPrefix(lines[len(lines)-2], "v3: ./broken.go:5:18: cannot use \"text\"") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	if exists(filepath.Join(dir, "out")) {
		t.Error("there is an output")
	}
}

// TestIdenticalLevels takes from the one package that Go 1.26 compiles otherwise
// for v4 than for v3, of those that this program has, what makes the difference.
func TestIdenticalLevels(t *testing.T) {
	quiet(t)
	dir := tree(t, map[string]string{
		"go.mod":  "module example.com/plain\n\ngo 1.24\n",
		"main.go": "package main\n\nfunc main() { println(1) }\n",
	})
	out := filepath.Join(dir, "out")
	r := packer("build", "-C", dir, "-levels=v3,v4", "-o", "out", "-gcflags=internal/runtime/maps=-d=ssa/intrinsics/off", "-report", "report")
	if want := "packer: build: " + out + ": v4 left out: its code is identical to v3's\n"; r.status != 0 || r.stderr != want {
		t.Fatalf("status %d, %q: want %q", r.status, r.stderr, want)
	}
	if got := levelsOf(t, out); got != "v3" {
		t.Errorf("has %s", got)
	}
	var report buildReport
	if err := json.Unmarshal(contents(t, filepath.Join(dir, "report")), &report); err != nil || report.Outputs[0].Levels[1].IdenticalTo != "v3" {
		t.Errorf("%+v (%v)", report, err)
	}
}

// TestInterrupt ends a build while its compilers hang.
func TestInterrupt(t *testing.T) {
	for name, flags := range map[string][]string{"packed": nil, "plain": {"-fallback"}} {
		t.Run(name, func(t *testing.T) { interrupt(t, flags) })
	}
}

func interrupt(t *testing.T, flags []string) {
	tested := testenv.Packer(t)
	quiet(t)
	if flags != nil {
		t.Setenv("GOARCH", "arm64")
	}
	dir := module(t)
	pids := filepath.Join(dir, "pids")
	tool := write(t, filepath.Join(dir, "tool.sh"), []byte("#!/bin/sh\necho $$ >>"+pids+"\nexec sleep 100\n"), 0o755)
	cmd := exec.Command(tested, append([]string{"build", "-C", dir, "-o", "out", "-toolexec", tool}, flags...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !exists(pids); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no compiler was started")
		}
	}
	began := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 || !strings.HasSuffix(stderr.String(), "packer: build: interrupted\n") || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v, %s", cmd.ProcessState, time.Since(began), stderr.String())
	}
	for _, pid := range strings.Fields(string(contents(t, pids))) {
		var number int
		fmt.Sscan(pid, &number)
		for deadline := time.Now().Add(5 * time.Second); syscall.Kill(number, 0) == nil && !zombie(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("process %d is left", number)
				break
			}
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if exists(filepath.Join(dir, "out")) {
		t.Error("there is an output")
	}
}

// TestTemporaryFolder builds where the go command has its temporary files, and leaves
// nothing there, though nobody may read its messages.
func TestTemporaryFolder(t *testing.T) {
	quiet(t)
	temporary := t.TempDir()
	t.Setenv("GOTMPDIR", temporary)
	t.Setenv("TMPDIR", filepath.Join(temporary, "none"))
	dir := module(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	for name, args := range map[string][]string{
		"packed": {"-levels=v1,v2", "-launcher", testenv.Launcher(t)},
		"plain":  {"-fallback"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "plain" {
				t.Setenv("GOARCH", "arm64")
			}
			args := append([]string{"build", "-C", dir, "-v", "-x", "-o", name}, args...)
			output(t, nil, testenv.Packer(t), args...)
			cmd := exec.Command(testenv.Packer(t), args...)
			cmd.Stderr = write
			cmd.Run()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("%v where nobody reads: want status 1", cmd.ProcessState)
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

// TestBuildWithLinkers links with linkers that take the address under another name than
// GNU's.
func TestBuildWithLinkers(t *testing.T) {
	for _, linker := range []string{"lld", "mold"} {
		t.Run(linker, func(t *testing.T) {
			if _, err := exec.LookPath("ld." + linker); err != nil {
				t.Skip("skipped: no ld." + linker)
			}
			testenv.Tool(t, "gcc")
			quiet(t)
			t.Setenv("CGO_ENABLED", "1")
			buildWith(t, "-ldflags=-linkmode=external '-extldflags=-no-pie -fuse-ld="+linker+"'")
			t.Setenv("CGO_LDFLAGS", "-fuse-ld="+linker)
			buildWith(t, "-ldflags=-linkmode=external -extldflags=-no-pie")
		})
	}
}

func buildWith(t *testing.T, ldflags string) {
	t.Helper()
	dir := module(t)
	out := filepath.Join(dir, "out")
	must(t, "build", "-C", dir, "-o", out, ldflags)
	if got := must(t, "info", out); !strings.Contains(got, "0x3f008000") {
		t.Errorf("%s: v4 is not in its slot:\n%s", ldflags, got)
	}
	for _, level := range runnable() {
		if got := output(t, []string{"GOAMD64=" + level}, out); got != level+" plain\n" {
			t.Errorf("%s: %s printed %q", ldflags, level, got)
		}
	}
	must(t, "verify", out)
}

// zombie reports whether a process has ended and nobody has asked how.
func zombie(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// TestMgoSelfCheck is mgo's: go build makes stage 0, and each stage the next.
// https://github.com/CAFxX/mgo, "Quick sanity check".
func TestMgoSelfCheck(t *testing.T) {
	quiet(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stage := func(n int) string { return filepath.Join(dir, fmt.Sprint("stage", n)) }
	output(t, nil, "go", "build", "-C", root, "-o", stage(0), "./tools/packer")
	for n := 1; n <= 3; n++ {
		output(t, nil, stage(n-1), "build", "-C", root, "-o", stage(n), "./tools/packer")
		if got := output(t, nil, stage(n), "verify", stage(n)); !strings.HasSuffix(got, ": sound: v1 v2 v3 v4\n") {
			t.Errorf("stage %d: %s", n, got)
		}
	}
	same(t, stage(1), stage(2))
	same(t, stage(2), stage(3))
}

// TestNoLauncher packs without -launcher, and without a go command.
func TestNoLauncher(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	must(t, "create", "-o", filepath.Join(dir, "built"), "v1="+probe.Variants[1], "v2="+probe.Variants[2])
	same(t, filepath.Join(dir, "built"), create(t, filepath.Join(dir, "given"), 1, 2))
	t.Setenv("PATH", "")
	if r := packer("create", "-o", filepath.Join(dir, "none"), probe.Variants[1]); r.status != 1 || !strings.HasPrefix(r.stderr, "packer: create: building the launcher takes the go command, and there is none on PATH") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

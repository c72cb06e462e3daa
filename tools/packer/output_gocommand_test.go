//go:build linux

package main

// These tests are about what "packer build" prints and writes beside the packed file.
// They need the go command, as those of gocommand_test.go do.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// TestBuildPrints has the flags of "go help build" that change what go build prints: to
// which stream it goes, how its lines look, and that both levels print it.
func TestBuildPrints(t *testing.T) {
	quiet(t)
	dir := module(t)
	type prints struct {
		args   []string
		stdout func(t *testing.T, text string)
		stderr func(t *testing.T, text string)
	}
	nothing := func(t *testing.T, text string) {
		if text != "" {
			t.Errorf("printed %q: want nothing", text)
		}
	}
	// Each line behind its level, in any order of levels; some lines of each.
	behindLevels := func(want ...string) func(*testing.T, string) {
		return func(t *testing.T, text string) {
			for _, line := range strings.SplitAfter(text, "\n") {
				if line != "" && !strings.HasPrefix(line, "v1: ") && !strings.HasPrefix(line, "v3: ") {
					t.Errorf("a line behind no level: %q", line)
				}
			}
			for _, level := range []string{"v1: ", "v3: "} {
				for _, want := range want {
					if !strings.Contains("\n"+text, "\n"+level+want) {
						t.Errorf("no line begins with %q:\n%s", level+want, text)
					}
				}
			}
		}
	}
	// Events of both levels whose outputs have some text.
	events := func(want string) func(*testing.T, string) {
		return func(t *testing.T, text string) {
			outputs := map[string]string{}
			for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
				var event struct{ ImportPath, Action, Output, GOAMD64 string }
				if err := json.Unmarshal([]byte(line), &event); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				if event.Action == "" {
					t.Errorf("%q has no action", line)
				}
				outputs[event.GOAMD64] += event.Output
			}
			if len(outputs) != 2 || !strings.Contains(outputs["v1"], want) || !strings.Contains(outputs["v3"], want) {
				t.Errorf("%q: want %q of v1 and of v3", outputs, want)
			}
		}
	}
	// What a shell reads, one level behind the other.
	commands := func(t *testing.T, text string) {
		levels := strings.Split(text, "#\n# GOAMD64=")
		if len(levels) != 3 || levels[0] != "" || !strings.HasPrefix(levels[1], "v1\n#\n\n") || !strings.HasPrefix(levels[2], "v3\n#\n\n") {
			t.Fatalf("%d parts:\n%s", len(levels), text)
		}
		for _, level := range levels[1:] {
			if !strings.Contains(level, "\nmkdir -p $WORK/b001/") || strings.Contains(level, "\nv1: ") || strings.Contains(level, "\nv3: ") {
				t.Errorf("no commands as go build prints them:\n%s", level)
			}
		}
	}
	for name, test := range map[string]prints{
		"-n":                   {[]string{"-n"}, nothing, commands},
		"-n by GOFLAGS":        {nil, nothing, commands},
		"-v":                   {[]string{"-v"}, nothing, behindLevels("example.com/hello\n")},
		"-work":                {[]string{"-work"}, nothing, behindLevels("WORK=")},
		"-x":                   {[]string{"-x"}, nothing, behindLevels("WORK=", "mkdir -p $WORK/b001/")},
		"-gcflags":             {[]string{"-gcflags=-m"}, nothing, behindLevels("# example.com/hello\n", "example.com/hello/main.go:5:6: can inline main\n")},
		"-ldflags":             {[]string{"-ldflags=-v"}, nothing, behindLevels("# example.com/hello\n", "build mode: exe,")},
		"-json":                {[]string{"-json", "-gcflags=-m"}, events("example.com/hello/main.go:5:6: can inline main\n"), nothing},
		"-json -v":             {[]string{"-json", "-v"}, events("example.com/hello\n"), nothing},
		"-json -x":             {[]string{"-json", "-x"}, events("mkdir -p $WORK/b001/"), nothing},
		"-json -n":             {[]string{"-json", "-n"}, events("mkdir -p $WORK/b001/"), nothing},
		"-json -work":          {[]string{"-json", "-work"}, events("WORK="), nothing},
		"-n=false by the line": {[]string{"-n=false"}, nothing, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			uncached(t, dir)
			t.Setenv("TMPDIR", t.TempDir()) // what -work leaves
			if name == "-n by GOFLAGS" || name == "-n=false by the line" {
				t.Setenv("GOFLAGS", "-trimpath -n")
			}
			r := packer(append([]string{"build", "-C", dir, "-levels=v1,v3", "-o", "out"}, test.args...)...)
			if r.status != 0 {
				t.Fatalf("status %d, %s", r.status, r.stderr)
			}
			test.stdout(t, r.stdout)
			test.stderr(t, r.stderr)
		})
	}
}

// uncached changes the program in a module, so that the compiler runs for it.
func uncached(t *testing.T, module string) {
	t.Helper()
	write(t, filepath.Join(module, "uncached.go"), []byte("package main\n\n// "+t.TempDir()+"\n"), 0o644)
}

// TestBuildPrintsErrors has an error as events, which go build -json has to say of it.
func TestBuildPrintsErrors(t *testing.T) {
	quiet(t)
	dir := module(t)
	write(t, filepath.Join(dir, "broken.go"), []byte("//go:build amd64.v3\n\npackage main\n\nvar broken int = \"text\"\n"), 0o644)
	r := packer("build", "-C", dir, "-levels=v1,v3", "-json", "-o", "out")
	if r.status != 1 || r.stderr != "packer: build: v3: go build: exit status 1\n" {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
	if want := `{"ImportPath":"example.com/hello","Action":"build-fail","GOAMD64":"v3"}` + "\n"; !strings.HasSuffix(r.stdout, want) {
		t.Errorf("%s: want %s at its end", r.stdout, want)
	}
}

// TestOwnOutputs has what several levels write by the same flag: each writes its own.
func TestOwnOutputs(t *testing.T) {
	testenv.Tool(t, "gcc")
	quiet(t)
	t.Setenv("CGO_ENABLED", "1")
	dir := module(t)
	for _, folder := range []string{"objects", "maps"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	uncached(t, dir)
	must(t, "build", "-C", dir, "-levels=v1,v3", "-o", "out", "-debug-trace=trace", "-gcflags=-memprofile=profiles/",
		"-ldflags=-linkmode=external -tmpdir=objects -cpuprofile cpu -extldflags '-no-pie -Wl,-Map=maps -Wl,--dependency-file,dependencies'")
	var left []string
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasSuffix(path, ".go") {
			left = append(left, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	for _, want := range []string{"trace", "cpu", "dependencies"} {
		for _, name := range []string{want, want + ".v1", want + ".v3"} {
			if found := slices.Contains(left, name); found != (name != want) {
				t.Errorf("%s: there is one: %v", name, found)
			}
		}
	}
	for _, level := range []string{"v1", "v3"} {
		for _, want := range []string{"objects/" + level + "/go.o", "maps/" + level, "profiles/" + level + "/main.memprof"} {
			if !slices.ContainsFunc(left, func(name string) bool { return strings.HasPrefix(name, want) }) {
				t.Errorf("no %s", want)
			}
		}
	}
	if t.Failed() {
		t.Logf("there are %q", left)
	}
	if got := output(t, []string{"GOAMD64=v1"}, filepath.Join(dir, "out")); got != "v1 plain\n" {
		t.Errorf("printed %q", got)
	}
}

// TestToolExecInTurn has a program of -toolexec run for one level after the other.
func TestToolExecInTurn(t *testing.T) {
	quiet(t)
	dir := module(t)
	log := filepath.Join(dir, "log")
	tool := write(t, filepath.Join(dir, "tool.sh"), []byte("#!/bin/sh\ncase $* in *-V=full*) ;; */link*) echo begin $GOAMD64 $GOTMPDIR >>"+log+"; sleep 0.2; echo end $GOAMD64 >>"+log+";; esac\nexec \"$@\"\n"), 0o755)
	for name, args := range map[string][]string{"by flag": {"-toolexec", tool}, "by GOFLAGS": nil} {
		t.Run(name, func(t *testing.T) {
			if args == nil {
				t.Setenv("GOFLAGS", "-trimpath -toolexec="+tool)
			}
			os.Remove(log)
			must(t, append([]string{"build", "-C", dir, "-levels=v1,v3", "-p=2", "-o", "out"}, args...)...)
			words := strings.Fields(string(contents(t, log)))
			if len(words) != 10 {
				t.Fatalf("%q", words)
			}
			first, second := words[2], words[7]
			if want := []string{"begin", "v1", first, "end", "v1", "begin", "v3", second, "end", "v3"}; !slices.Equal(words, want) {
				t.Errorf("%q, want %q", words, want)
			}
			if first == second {
				t.Errorf("both levels have temporary files in %s", first)
			}
		})
	}
}

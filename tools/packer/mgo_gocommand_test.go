//go:build linux

package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// The checklist of what mgo offers, and where it is tested. All are sub-tests of
// the test in front of them.
//
//	go build arguments pass through  TestMgoFlags, TestMgoPassThrough
//	-o in both spellings             TestMgoOutputs: -o FILE, -o=FILE, --o=FILE, -o of a new path, -o /dev/null
//	default output name              TestMgoOutputs: default name, default name of a package, files
//	a directory -o                   TestMgoOutputs: -o DIRECTORY, -o DIRECTORY/
//	several packages, ./...          TestMgoOutputs: several packages, several without -o, ./... without -o
//	module/path@version              TestPackageAtVersion
//	GOFLAGS, -C                      TestMgoFlags: GOFLAGS, -ldflags of GOFLAGS, -C
//	-ldflags, -extldflags merged     TestMgoFlags: -ldflags, -ldflags by pattern, -extldflags; TestMgoRace
//	-tags, -pgo, -race               TestMgoFlags: -tags, -pgo; TestMgoPassThrough: -pgo=FILE; TestMgoRace
//	-buildmode                       TestMgoFlags: -buildmode=exe; TestMgoPIE; TestBuildRefuses: c-shared
//	other GOOS and GOARCH            TestBuildRefuses: GOOS, GOARCH; TestMgoFallback
//	GOAMD64 while building           TestBuildRefuses: GOAMD64
//	old toolchains                   TestBuildRefuses: old toolchain
//	parallelism                      TestMgoParallel; TestBuildRefuses: parallel
//	GOAMD64 at run time              TestMgoAtRunTime: GOAMD64
//	MGODEBUG=log, MGODEBUG=extract   TestMgoAtRunTime: MGODEBUG=log, MGODEBUG=extract
//	the self-check                   TestMgoSelfCheck

// TestMgoPassThrough asks the go command what it would run.
func TestMgoPassThrough(t *testing.T) {
	quiet(t)
	dir := module(t)
	profile := write(t, filepath.Join(dir, "cpu.pprof"), nil, 0o644)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"-pgo=FILE": {[]string{"-pgo=" + profile}, "-pgoprofile"},
		"-gcflags":  {[]string{"-gcflags=-N -l"}, "-N -l"},
		"-asmflags": {[]string{"-asmflags=all=-D=SOMETHING"}, "-D=SOMETHING"},
		"-trimpath": {[]string{"-trimpath"}, "-trimpath"},
		"-race":     {[]string{"-race"}, "-race"},
		"-v":        {[]string{"-v"}, "example.com/hello"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "-race" {
				t.Setenv("CGO_ENABLED", "1")
			}
			r := packer(append([]string{"build", "-C", dir, "-levels=v1,v3", "-n", "-a"}, test.args...)...)
			if r.status != 0 {
				t.Fatalf("status %d, %s", r.status, r.stderr)
			}
			levels := strings.Split(r.stderr, "# GOAMD64=")
			if len(levels) != 3 {
				t.Fatalf("%d levels", len(levels)-1)
			}
			for _, level := range levels[1:] {
				if !strings.Contains(level, test.want) {
					t.Errorf("%s: no %q", level[:2], test.want)
				}
			}
		})
	}
}

// TestMgoParallel counts the builds that run at once.
func TestMgoParallel(t *testing.T) {
	quiet(t)
	dir := module(t)
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = build ] || exec %[1]s \"$@\"\necho begin >>%[2]s\nsleep 0.3\n%[1]s \"$@\"\nstatus=$?\necho end >>%[2]s\nexit $status\n", real, log)
	counting := tree(t, map[string]string{"go": script})
	if err := os.Chmod(filepath.Join(counting, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", counting+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, test := range map[string]struct {
		variable string
		args     []string
		want     int
	}{
		"-p 1":                             {"", []string{"-p", "1"}, 1},
		"-p=2":                             {"", []string{"-p=2"}, 2},
		"MGO_PARALLEL_BUILD=1":             {"1", nil, 1},
		"MGO_PARALLEL_BUILD=3":             {"3", nil, 3},
		"-p counts, not the variable":      {"3", []string{"-p=1"}, 1},
		"no more at once than levels (-p)": {"", []string{"-p=16", "-levels=v1,v2"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("MGO_PARALLEL_BUILD", test.variable)
			os.Remove(log)
			must(t, append([]string{"build", "-C", dir, "-o", os.DevNull, "-levels=v1,v2,v3"}, test.args...)...)
			running, most := 0, 0
			for line := range strings.Lines(string(contents(t, log))) {
				if line == "begin\n" {
					running++
				} else {
					running--
				}
				most = max(most, running)
			}
			if most != test.want || running != 0 {
				t.Errorf("%d builds at once, want %d", most, test.want)
			}
		})
	}
}

// TestMgoFallback builds for another architecture, where there are no levels.
func TestMgoFallback(t *testing.T) {
	quiet(t)
	t.Setenv("GOARCH", "arm64")
	dir := module(t)
	write(t, filepath.Join(dir, "level_arm64.go"), []byte("package main\n\nconst level = \"none\"\n"), 0o644)
	if err := os.Remove(filepath.Join(dir, "level_v1.go")); err != nil {
		t.Fatal(err)
	}
	r := packer("build", "-C", dir, "--fallback", "-o", "app", "-strip=all", ".")
	if r.status != 0 || r.stderr != "packer: build: no packed file for this target: a plain go build\n" {
		t.Fatalf("status %d, %s", r.status, r.stderr)
	}
	file, err := elf.Open(filepath.Join(dir, "app"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 || file.Section(".symtab") != nil {
		t.Errorf("%v with symbols %v", file.Machine, file.Section(".symtab"))
	}
}

// TestBuildOutputs has outputs that cannot be written, or must not be.
func TestBuildOutputs(t *testing.T) {
	other := testenv.Packer(t) // before TMPDIR is a folder that has to be empty in the end
	quiet(t)
	dir := module(t)
	source := filepath.Join(dir, "main.go")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a source file":     {[]string{"-o", "main.go"}, source + ": exists and is no executable: remove it, or want another -o\n"},
		"unwritable":        {[]string{"-o", "/sys/out"}, "/sys/out: permission denied\n"},
		"below a file":      {[]string{"-o", "main.go/out"}, source + "/out: not a directory\n"},
		"missing launcher":  {[]string{"-o", "out", "-launcher", "/missing"}, "/missing: no such file or directory\n"},
		"other launcher":    {[]string{"-o", "out", "-launcher", other}, other + ": no function of"},
		"unwritable report": {[]string{"-o", os.DevNull, "-report", "/sys/report"}, "/sys/report: permission denied\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := packer(append([]string{"build", "-C", dir, "-levels=v1"}, test.args...)...)
			if r.status != 1 || !strings.HasPrefix(r.stderr, "packer: build: "+test.want) {
				t.Errorf("status %d, %s", r.status, r.stderr)
			}
			if exists(filepath.Join(dir, "out")) {
				t.Error("there is an output")
			}
		})
	}
	if got := string(contents(t, source)); got != printLevel {
		t.Errorf("%s is now %q", source, got)
	}
	noneLeft(t, dir)
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestBuildOnFullDisk(t *testing.T) {
	onSmallDisk(t, func(small string) {
		quiet(t)
		r := packer("build", "-C", module(t), "-levels=v1", "-o", filepath.Join(small, "out"))
		if want := "packer: build: " + filepath.Join(small, "out") + ": no space left on device\n"; r.status != 1 || r.stderr != want {
			t.Errorf("status %d, %s: want %s", r.status, r.stderr, want)
		}
		if left, err := os.ReadDir(small); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	})
}

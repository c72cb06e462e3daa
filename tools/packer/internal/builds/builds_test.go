package builds

import (
	"debug/buildinfo"
	"runtime/debug"
	"strings"
	"testing"
)

// sample is build information as the go command writes it.
const sample = "go\tgo1.26.1\npath\texample.com/app/cmd/app\nmod\texample.com/app\tv1.2.0\th1:app=\n" +
	"dep\texample.com/dep\tv1.0.0\th1:dep=\ndep\texample.com/old\tv1.0.0\n=>\texample.com/fork\tv1.0.1\th1:fork=\n" +
	"build\t-ldflags=-s\nbuild\tCGO_CFLAGS=-O2\nbuild\tGOAMD64=v1\n" +
	"build\tvcs.revision=abc\nbuild\tvcs.time=2026-01-01T00:00:00Z\nbuild\tvcs.modified=false\n"

func parse(t *testing.T, text string) *buildinfo.BuildInfo {
	t.Helper()
	info, err := debug.ParseBuildInfo(text)
	if err != nil {
		t.Fatal(err)
	}
	// It is beside the rest in a file.
	line, _, _ := strings.Cut(text, "\n")
	info.GoVersion = strings.TrimPrefix(line, "go\t")
	return info
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		old, new string
		want     string
	}{
		{"", "", ""},
		{"GOAMD64=v1", "GOAMD64=v3", ""},
		{"-ldflags=-s", `-ldflags="-s -T=0x2a009000 -extldflags=-Wl,-Ttext-segment=0x2a000000"`, ""},
		{"CGO_CFLAGS=-O2", `CGO_CFLAGS="-O2 -march=x86-64-v3"`, ""},
		{"2026-01-01", "2026-01-02", ""},
		{"v1.2.0\th1:app=", "v1.2.0+dirty\th1:app=", ""},
		{"cmd/app", "cmd/other", `program: "example.com/app/cmd/app" (v1), "example.com/app/cmd/other" (v3)`},
		{"go1.26.1", "go1.26.2", `Go version: "go1.26.1" (v1), "go1.26.2" (v3)`},
		{"v1.2.0", "v1.3.0", `module example.com/app: "v1.2.0 h1:app=" (v1), "v1.3.0 h1:app=" (v3)`},
		{"h1:dep=", "h1:other=", `module example.com/dep: "v1.0.0 h1:dep=" (v1), "v1.0.0 h1:other=" (v3)`},
		{"dep\texample.com/dep\tv1.0.0\th1:dep=\n", "", `module example.com/dep: "v1.0.0 h1:dep=" (v1), none (v3)`},
		{"v1.0.1", "v1.0.2", `module example.com/old: "v1.0.0 => example.com/fork v1.0.1 h1:fork=" (v1), "v1.0.0 => example.com/fork v1.0.2 h1:fork=" (v3)`},
		{"-ldflags=-s", "-ldflags=-w", `-ldflags: "-s" (v1), "-w" (v3)`},
		{"-ldflags=-s", `-ldflags="-s -X main.level=v3"`, `-ldflags=-X: none (v1), "-X main.level=v3" (v3)`},
		{"v1.2.0\th1:app=", "v1.2.0+incompatible.dirty\th1:app=", `module example.com/app: "v1.2.0 h1:app=" (v1), "v1.2.0+incompatible h1:app=" (v3)`},
		{"CGO_CFLAGS=-O2", "CGO_CFLAGS=-O3", `CGO_CFLAGS: "-O2" (v1), "-O3" (v3)`},
		{"build\tGOAMD64", "build\t-tags=\x1b[31m\nbuild\tGOAMD64", `-tags: none (v1), "\x1b[31m" (v3)`},
		{"=abc", "=def", `vcs.revision: "abc" (v1), "def" (v3)`},
		{"modified=false", "modified=true", `vcs.modified: "false" (v1), "true" (v3)`},
	} {
		differences := Compare([]Build{{1, parse(t, sample)}, {3, parse(t, strings.Replace(sample, test.old, test.new, 1))}})
		var got []string
		for _, d := range differences {
			got = append(got, d.String())
		}
		if strings.Join(got, "\n") != test.want {
			t.Errorf("%q for %q: %q: want %q", test.new, test.old, got, test.want)
		}
		if only := strings.HasPrefix(test.want, "vcs.modified") || strings.HasPrefix(test.want, "-ldflags=-X"); OnlyMarks(differences) != only {
			t.Errorf("%q for %q: OnlyMarks: want %v", test.new, test.old, only)
		}
	}
}

// TestCompareMany compares more than two, of which some say nothing.
func TestCompareMany(t *testing.T) {
	other := parse(t, strings.NewReplacer("=abc", "=def", "modified=false", "modified=true").Replace(sample))
	differences := Compare([]Build{{1, nil}, {2, parse(t, sample)}, {3, other}, {4, parse(t, sample)}, {4, &buildinfo.BuildInfo{GoVersion: "go1.20"}}})
	if len(differences) != 2 || differences[0].String() != `vcs.revision: "abc" (v2, v4), "def" (v3)` || OnlyMarks(differences) {
		t.Errorf("%v", differences)
	}
}

package gobuild

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/tools/packer/internal/strip"
)

var all = []goamd64.Level{1, 2, 3, 4}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args, goflags string // separated by |, and as GOFLAGS has them
		want          Args
	}{
		{"", "", Args{Levels: all}},
		{"-o|app|.", "", Args{Levels: all, Out: "app", Packages: []string{"."}}},
		{"-o=app|--|-odd", "", Args{Levels: all, Out: "app", Packages: []string{"-odd"}}},
		{"--o|app|./a|./b", "", Args{Levels: all, Out: "app", Packages: []string{"./a", "./b"}}},
		{"-C|dir|-v|-tags|a,b|-p|3|-race|-pgo=off", "", Args{Levels: all, Dir: "dir", Parallel: 3, Flags: []string{"-v", "-tags=a,b", "-race", "-pgo=off"}}},
		{"-ldflags|-s -w|-ldflags=all=-X a=b", "", Args{Levels: all, LDFlags: []string{"-s -w", "all=-X a=b"}}},
		{"-buildmode|pie", "-buildmode=exe", Args{Levels: all, Mode: "pie"}},
		{"", "-buildmode=pie '-ldflags=-s -w' -trimpath", Args{Levels: all, Mode: "pie", LDFlags: []string{"-s -w"}}},
		{"-ldflags=-w", "-ldflags=-s", Args{Levels: all, LDFlags: []string{"-w"}}},
		{"-levels|v3,v1|--report=r|-fallback|--force|-no-environment|-isolate|-launcher|l|-strip|all", "", Args{
			Levels: []goamd64.Level{1, 3}, Report: "r", Fallback: true, Force: true, NoEnvironment: true, Isolate: true, Launcher: "l", Strip: strip.All}},
		{"-json", "-n=true", Args{Levels: all, DryRun: true, JSON: true, Flags: []string{"-json"}}},
		{"-n=false|-json=0", "-n -json", Args{Levels: all, Flags: []string{"-n=false", "-json=0"}}},
		{"-gcflags=-m", "--gcflags=-cpuprofile=f -toolexec=t -work -race", Args{Levels: all, Flags: []string{"-gcflags=-cpuprofile=f", "-toolexec=t", "-work", "-gcflags=-m"}}},
		{"-n|x.go", "", Args{Levels: all, DryRun: true, Flags: []string{"-n"}, Packages: []string{"x.go"}}},
		{"-somenew=flag|-other|pkg", "", Args{Levels: all, Flags: []string{"-somenew=flag", "-other"}, Packages: []string{"pkg"}}},
	} {
		var args []string
		if test.args != "" {
			args = strings.Split(test.args, "|")
		}
		got, err := Parse(args, test.goflags)
		if err != nil {
			t.Errorf("%q: %v", args, err)
			continue
		}
		if len(got.Packages) == 0 {
			got.Packages = nil
		}
		if !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%q, GOFLAGS=%q:\n%+v, want\n%+v", args, test.goflags, *got, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"-o":             "-o: no value",
		"-levels=v1,v5":  "-levels \"v1,v5\": unknown level \"v5\": want v1, v2, v3 or v4, or native",
		"-levels|v1,v1":  "-levels \"v1,v1\": v1 twice",
		"-p=x":           "-p \"x\": want a positive number",
		"-p=0":           "-p \"0\": want a positive number",
		"-fallback=what": "-fallback \"what\"",
		"-strip=some":    "-strip \"some\": \"some\": want all, debug or none",
		"-h":             "help",
	} {
		if _, err := Parse(strings.Split(args, "|"), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v: want %q", args, err, want)
		}
	}
	if _, err := Parse(nil, "'-ldflags=-s"); err == nil || err.Error() != "GOFLAGS: unterminated '" {
		t.Errorf("error %v", err)
	}
}

// TestNative builds for a machine of ours.
func TestNative(t *testing.T) {
	real := processor
	defer func() { processor = real }()
	for _, test := range []struct {
		machine goamd64.Level
		value   string
		want    []goamd64.Level
	}{
		{3, "native", []goamd64.Level{3}},
		{2, "v4,native", []goamd64.Level{2, 4}},
		{1, "v1,native", []goamd64.Level{1}}, // twice, but nobody wrote it twice
		{1, "native,v1", []goamd64.Level{1}},
	} {
		processor = func() goamd64.Level { return test.machine }
		a, err := Parse([]string{"-levels", test.value}, "")
		if err != nil || !slices.Equal(a.Levels, test.want) {
			t.Errorf("%v: %s: %v (%v), want %v", test.machine, test.value, a.Levels, err, test.want)
		}
	}
	processor = func() goamd64.Level { return 0 }
	if _, err := Parse([]string{"-levels=native"}, ""); err == nil || err.Error() != `-levels "native": native is the best level that this machine runs, but this machine is no amd64: name levels` {
		t.Errorf("error %v", err)
	}
}

func TestHole(t *testing.T) {
	for _, test := range []struct {
		levels []goamd64.Level
		starts string // what a machine with v3 starts because of a hole
	}{
		{all, ""},
		{[]goamd64.Level{1}, ""},
		{[]goamd64.Level{4}, ""},
		{[]goamd64.Level{1, 2}, ""},
		{[]goamd64.Level{1, 3, 4}, ""},
		{[]goamd64.Level{3, 4}, ""},
		{[]goamd64.Level{1, 4}, "v1"},
		{[]goamd64.Level{2, 4}, "v2"},
		{[]goamd64.Level{1, 2, 4}, "v2"},
	} {
		got := Hole(test.levels)
		if test.starts == "" && got != "" || test.starts != "" && !strings.Contains(got, "starts "+test.starts+": add v3") {
			t.Errorf("%v: %q", test.levels, got)
		}
	}
}

// TestPlain has what is left out where no file is packed.
func TestPlain(t *testing.T) {
	for mode, want := range map[strip.Mode][]string{
		"":          {"-ldflags=all=-X a=b"},
		strip.None:  {"-ldflags=all=-X a=b"},
		strip.Debug: {"-ldflags=-w", "-ldflags=all=-X a=b -w"},
		strip.All:   {"-ldflags=-s -w", "-ldflags=all=-X a=b -s -w"},
	} {
		a := &Args{Strip: mode, LDFlags: []string{"all=-X a=b"}, Packages: []string{"."}}
		got, err := a.Plain()
		if want := slices.Concat([]string{"build"}, want, []string{"--", "."}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q (%v), want %q", mode, got, err, want)
		}
	}
}

func TestLinkAt(t *testing.T) {
	const at = "-T=0x2a009000"
	for _, test := range []struct {
		level goamd64.Level
		mode  string
		user  []string
		want  []string
	}{
		{3, "", []string{"-extldflags=-fuse-ld=lld", "-extldflags '-static --ld-path=/opt/bin/mold'", "-extldflags=-fuse-ld=gold"}, []string{
			at + " -extldflags=-Wl,-Ttext-segment=0x2a008000",
			at + " '-extldflags=-fuse-ld=lld -Wl,--image-base=0x2a008000'",
			at + " '-extldflags=-static --ld-path=/opt/bin/mold -Wl,--image-base=0x2a008000'",
			at + " '-extldflags=-fuse-ld=gold -Wl,-Ttext-segment=0x2a008000'"}},
		{3, "", []string{"-extld=/opt/zig cc"}, []string{
			at + " -extldflags=-Wl,-Ttext-segment=0x2a008000",
			at + " -extld=/opt/zig cc -extldflags=-Wl,--image-base=0x2a008000"}},
		// A value that begins with a quote is one that the go command refuses.
		{3, "", []string{"-extldflags=-static '-X=a.b=c d'"}, []string{
			at + " -extldflags=-Wl,-Ttext-segment=0x2a008000",
			at + " '-X=a.b=c d' '-extldflags=-static -Wl,-Ttext-segment=0x2a008000'"}},
		{1, "", nil, nil},
		{1, "exe", []string{"-s"}, []string{"-s"}},
		{3, "pie", []string{"-s"}, []string{"-s"}},
		{3, "", nil, []string{at + " -extldflags=-Wl,-Ttext-segment=0x2a008000"}},
		{3, "exe", []string{"-s -X 'a.b=c d'"}, []string{
			at + " -extldflags=-Wl,-Ttext-segment=0x2a008000",
			at + " -s -X 'a.b=c d' -extldflags=-Wl,-Ttext-segment=0x2a008000"}},
		{3, "", []string{"-extldflags '-static -lm' -w"}, []string{
			at + " -extldflags=-Wl,-Ttext-segment=0x2a008000",
			at + " -w '-extldflags=-static -lm -Wl,-Ttext-segment=0x2a008000'"}},
		{3, "", []string{"-w '-extldflags=-static'", "./x=-extldflags=-g"}, []string{
			at + " -extldflags=-Wl,-Ttext-segment=0x2a008000",
			at + " -w '-extldflags=-static -Wl,-Ttext-segment=0x2a008000'",
			"./x=" + at + " '-extldflags=-g -Wl,-Ttext-segment=0x2a008000'"}},
	} {
		got, err := linkAt(test.level, test.mode, test.user, "gcc -O2 -g")
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%v %s %q:\n%q (%v), want\n%q", test.level, test.mode, test.user, got, err, test.want)
		}
	}
	for value, want := range map[string]string{
		"-T 0x1000": "-ldflags=-T 0x1000: sets -T, which packer sets for each level",
		"all=--T=1": "-ldflags=all=--T=1: sets -T, which packer sets for each level",
		"-X 'a":     "-ldflags=-X 'a: unterminated '",
		"pattern":   "-ldflags=pattern: want flags, or pattern=flags",
	} {
		_, err := linkAt(3, "", []string{value}, "")
		if err == nil || err.Error() != want {
			t.Errorf("%s: error %v: want %q", value, err, want)
		}
	}
	for _, system := range []string{"zig cc -target x86_64-linux-musl ", "gcc -fuse-ld=lld"} {
		got, err := linkAt(3, "", nil, system)
		if want := []string{at + " -extldflags=-Wl,--image-base=0x2a008000"}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q (%v), want %q", system, got, err, want)
		}
	}
}

// TestQuoted splits and joins words as cmd/internal/quoted does: a quote counts at the
// start of a word alone.
func TestQuoted(t *testing.T) {
	for value, want := range map[string][]string{
		"":                          nil,
		"a  b\tc":                   {"a", "b", "c"},
		`'a b' "c d"`:               {"a b", "c d"},
		`''`:                        {""},
		`-X a.b={"name":"it's"} -w`: {"-X", `a.b={"name":"it's"}`, "-w"},
		`a'b c'd`:                   {"a'b", "c'd"},
		`'a'b`:                      {"a", "b"},
		`'"a' "'b"`:                 {`"a`, "'b"},
		`"it's a"`:                  {"it's a"},
	} {
		got, err := splitQuoted(value)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q (%v), want %q", value, got, err, want)
			continue
		}
		joined, err := joinQuoted(got)
		if err != nil {
			t.Errorf("%q: %v", got, err)
			continue
		}
		if again, err := splitQuoted(joined); err != nil || !slices.Equal(again, want) {
			t.Errorf("%q: joined to %s, which is %q (%v)", want, joined, again, err)
		}
	}
	if _, err := joinQuoted([]string{`a' b"c`}); err == nil || !strings.Contains(err.Error(), "spaces and both kinds of quotes") {
		t.Errorf("error %v", err)
	}
}

func TestCheck(t *testing.T) {
	for mode, want := range map[string]string{
		"": "", "default": "", "exe": "", "pie": "",
		"c-shared": "-buildmode=c-shared: only exe and pie make executables",
		"archive":  "-buildmode=archive: only exe and pie make executables",
		"plugin":   "-buildmode=plugin: only exe and pie make executables",
	} {
		if err := (&Args{Mode: mode, Levels: all}).Check(); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: error %v: want %q", mode, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("GOAMD64", "")
	for _, test := range []struct {
		env  Environment
		want string
	}{
		{Environment{GOOS: "linux", GOARCH: "amd64", GOAMD64: "v1", GOVERSION: "go1.24"}, ""},
		{Environment{GOOS: "linux", GOARCH: "amd64", GOAMD64: "v1", GOVERSION: "go1.27rc1"}, ""},
		{Environment{GOOS: "linux", GOARCH: "amd64", GOAMD64: "v1", GOVERSION: "devel go1.28-abc"}, ""},
		{Environment{GOOS: "linux", GOARCH: "amd64", GOAMD64: "v1", GOVERSION: "go1.23.12"}, "the go command is go1.23.12: want go1.24 or newer"},
		{Environment{GOOS: "linux", GOARCH: "amd64", GOAMD64: "v1", GOVERSION: "go1.9"}, "the go command is go1.9: want go1.24 or newer"},
		{Environment{GOOS: "linux", GOARCH: "amd64", GOAMD64: "v3", GOVERSION: "go1.26"}, "the go command's configuration has GOAMD64=v3, but packer sets it for each level: go env -u GOAMD64, and choose levels with -levels"},
		{Environment{GOOS: "linux", GOARCH: "arm64", GOVERSION: "go1.26"}, "GOOS=linux GOARCH=arm64: only linux/amd64 has packed files; give --fallback for a plain build on other targets"},
	} {
		if err := test.env.Check(); test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%+v: error %v: want %q", test.env, err, test.want)
		}
	}
}

func TestConcurrency(t *testing.T) {
	for _, test := range []struct {
		levels, parallel, processors int
		variable                     string
		builds, each                 int
	}{
		{4, 0, 2, "", 2, 1},
		{4, 0, 16, "", 4, 4},
		{2, 0, 16, "", 2, 8},
		{4, 1, 16, "", 1, 1},
		{4, 6, 2, "", 4, 2},
		{4, 0, 8, "2", 2, 4},
		{4, 0, 2, "3", 3, 1},
		{4, 1, 8, "3", 1, 1}, // the flag counts
	} {
		t.Setenv("MGO_PARALLEL_BUILD", test.variable)
		builds, each, err := Concurrency(test.levels, test.parallel, test.processors)
		if err != nil || builds != test.builds || each != test.each {
			t.Errorf("%+v: %d builds with -p %d (%v)", test, builds, each, err)
		}
	}
	t.Setenv("MGO_PARALLEL_BUILD", "many")
	if _, _, err := Concurrency(4, 0, 2); err == nil || err.Error() != "MGO_PARALLEL_BUILD=many: want a positive number" {
		t.Errorf("error %v", err)
	}
}

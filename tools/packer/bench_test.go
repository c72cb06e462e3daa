package main

import (
	"encoding/json"
	"encoding/xml"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/cpuid/v2"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/levelbench"
)

// runnable returns the levels that this machine can run.
func runnable() []string { return []string{"v1", "v2", "v3", "v4"}[:cpuid.CPU.X64Level()] }

func TestBench(t *testing.T) {
	probe := testenv.Probe(t)
	dir := t.TempDir()
	svg, picture := filepath.Join(dir, "a.svg"), filepath.Join(dir, "a.png")
	var info benchInfo
	text := must(t, "bench", "--json", "--rounds", "6", "--max-rounds", "6", "--picture", svg, probe.Packed, "--", "one", "--json")
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if want := []string{"one", "--json"}; !slices.Equal(info.Arguments, want) {
		t.Errorf("arguments are %q, want %q", info.Arguments, want)
	}
	var levels []string
	for i, l := range info.Levels {
		levels = append(levels, l.Level)
		if l.Median <= 0 || l.Low > l.Median || l.High < l.Median || l.Size < 1e5 || (l.Verdict == levelbench.Baseline) != (i == 0) {
			t.Errorf("%s: %+v", l.Level, l)
		}
	}
	if !slices.Equal(levels, runnable()) || info.Rounds != 6 || info.MinGain != 0.02 {
		t.Errorf("levels %v, %d rounds, least gain %v; want %v, 6, 0.02", levels, info.Rounds, info.MinGain, runnable())
	}
	checkPicture(t, svg, func(r io.Reader) error {
		for decoder := xml.NewDecoder(r); ; {
			if _, err := decoder.Token(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	})

	// As somebody would name them who is in their folder.
	write(t, filepath.Join(dir, "one"), contents(t, probe.Variants[1]), 0o755)
	write(t, filepath.Join(dir, "two"), contents(t, probe.Variants[2]), 0o755)
	t.Chdir(dir)
	text = must(t, "bench", "--rounds", "6", "--max-rounds", "6", "--min-gain", "99%", "--picture", picture, "v2=two", "v1=one")
	for _, want := range []string{"RATIO TO V1", "baseline", "drop: "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	checkPicture(t, picture, func(r io.Reader) error {
		_, err := png.Decode(r)
		return err
	})
}

func checkPicture(t *testing.T, path string, decode func(io.Reader) error) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := decode(file); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

// TestBenchCheck has a gain that no level reaches.
func TestBenchCheck(t *testing.T) {
	probe := testenv.Probe(t)
	r := packer("bench", "-check", "--rounds", "6", "--max-rounds", "6", "--min-gain", "99%", probe.Packed)
	if r.status != exitFailure || !strings.Contains(r.stderr, "not worth their size, as they do not gain 99.0 %: v2 (") {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
	info := benchInfo{Levels: []benchLevel{
		{Level: "v1", Judgement: levelbench.Judgement{Verdict: levelbench.Baseline}},
		{Level: "v2", Judgement: levelbench.Judgement{Verdict: levelbench.Undecided}},
		{Level: "v3", Judgement: levelbench.Judgement{Verdict: levelbench.Keep}},
	}}
	if err := info.failed(); err != nil {
		t.Errorf("fails for a level that is undecided: %v", err)
	}
}

func TestBenchErrors(t *testing.T) {
	probe := testenv.Probe(t)
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, exitUsage, "no file: want FILE, or vN=FILE for each level"},
		{[]string{"--min-gain", "2", "app"}, exitUsage, `-min-gain "2": want a percentage, such as 2%`},
		{[]string{"--min-gain", "-1%", "app"}, exitUsage, `-min-gain "-1%": want a percentage, such as 2%`},
		{[]string{"--rounds", "5", "app"}, exitUsage, "-rounds 5: want at least 6"},
		{[]string{"--picture", "a.jpg", "app"}, exitUsage, `-picture "a.jpg": want a name that ends in .svg or .png`},
		{[]string{"v1=a", "v5=b"}, exitUsage, `unknown level "v5"`},
		{[]string{"v1=" + probe.Variants[1], "v1=" + probe.Variants[1]}, exitUsage, "v1 twice"},
		{[]string{"v1=" + probe.Variants[1], "app"}, exitUsage, `"app": want one packed FILE, or vN=FILE for each level`},
		{[]string{"v1=" + probe.Variants[1]}, exitFailure, "this machine runs 1 of the levels, want at least two"},
		{[]string{probe.Variants[1]}, exitFailure, "not a packed file"},
		{[]string{"/nowhere"}, exitFailure, "/nowhere: no such file or directory"},
		{[]string{"-bench", ".", probe.Packed}, exitFailure, "flag provided but not defined: -test.run"},
	} {
		r := packer(append([]string{"bench"}, c.args...)...)
		if r.status != c.status || !strings.Contains(r.stderr, c.want) {
			t.Errorf("bench %q: status %d, %q; want %d, %q", c.args, r.status, r.stderr, c.status, c.want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for value, want := range map[float64]string{
		1.23456789: "1.235s", 0.0123456789: "12.35ms", 812.3e-6: "812.3µs", 3.5e-9: "3.5 ns", 123.45e-9: "123.5 ns", 75.25: "1m15.25s",
	} {
		if got := seconds(value); got != want {
			t.Errorf("seconds(%v) = %q, want %q", value, got, want)
		}
	}
	if _, err := parseShare("nan%"); err == nil {
		t.Error("nan% is a share")
	}
}

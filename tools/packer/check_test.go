package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
)

// TestCheck asks about CPUs of every level, so that the answer is the same on every
// machine.
func TestCheck(t *testing.T) {
	probe := testenv.Probe(t)
	upper := create(t, filepath.Join(t.TempDir(), "upper"), 2, 4)
	script := write(t, filepath.Join(t.TempDir(), "script"), []byte("#!/bin/sh\n"), 0o755)
	for _, test := range []struct {
		cpu    string
		files  []string
		status int
		want   []string // of each file's line, in order, what is in it
	}{
		{"v1", []string{probe.Variants[1]}, 0, []string{"for linux/amd64, needs v1: runs on an amd64 CPU of v1"}},
		{"v2", []string{probe.Variants[3]}, 1, []string{"needs v3: does not run on an amd64 CPU of v2; it lacks AVX, AVX2, "}},
		{"v3", []string{probe.Variants[4], probe.Variants[3]}, 1, []string{"it lacks AVX512F, ", "runs"}},
		{"v4", []string{probe.Variants[4]}, 0, []string{"runs"}},
		{"v1", []string{probe.Packed}, 0, []string{"packed with v1, v2, v3, v4: starts v1 on an amd64 CPU of v1"}},
		{"v3", []string{probe.Packed, upper}, 0, []string{"starts v3", "packed with v2, v4: starts v2"}},
		{"v1", []string{upper}, 1, []string{"packed with v2, v4: does not run on an amd64 CPU of v1; it lacks CMPXCHG16B"}},
		// What cannot be told counts for more than what does not run.
		{"v2", []string{probe.Variants[3], script}, 2, []string{"does not run", "cannot tell: not a Go executable"}},
		{"v2", []string{filepath.Dir(script)}, 2, []string{"cannot tell: not a regular file"}},
	} {
		r := packer(append([]string{"check", "--cpu", test.cpu}, test.files...)...)
		lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
		if r.status != test.status || r.stderr != "" || len(lines) != len(test.want) {
			t.Errorf("CPU of %s, %s: status %d, %q%s: want status %d and %d lines", test.cpu, test.files, r.status, lines, r.stderr, test.status, len(test.want))
			continue
		}
		for i, want := range test.want {
			if !strings.HasPrefix(lines[i], test.files[i]+": ") || !strings.Contains(lines[i], want) {
				t.Errorf("CPU of %s: %q, want %q in it", test.cpu, lines[i], want)
			}
		}
	}
}

// TestCheckHere asks about this machine, and starts what it says of.
func TestCheckHere(t *testing.T) {
	probe := testenv.Probe(t)
	var results []checked
	r := packer("check", "--json", probe.Variants[1], probe.Variants[2], probe.Variants[3], probe.Variants[4], probe.Packed)
	if err := json.Unmarshal([]byte(r.stdout), &results); err != nil || len(results) != 5 {
		t.Fatalf("%v\n%s%s", err, r.stdout, r.stderr)
	}
	on := thisMachine()
	for i, level := range []goamd64.Level{1, 2, 3, 4, 1} {
		c := results[i]
		if c.Runs == nil || *c.Runs != (level <= on.level) || (len(c.Missing) == 0) != *c.Runs {
			t.Errorf("%+v on a CPU of %v", c, on.level)
		}
		if c.CPU != on.level.String() || c.OS != "linux" || c.Arch != "amd64" {
			t.Errorf("%+v, want a CPU of %v and linux/amd64", c, on.level)
		}
	}
	if c := results[4]; !c.Packed || c.Starts != on.level.String() {
		t.Errorf("%+v, want a packed file that starts %v", c, on.level)
	}
	want := exitOK
	if on.level < goamd64.Max {
		want = exitFailure
	}
	if r.status != want {
		t.Errorf("status %d, want %d", r.status, want)
	}
}

// TestCheckStripped asks about an executable without symbols.
func TestCheckStripped(t *testing.T) {
	stripped := filepath.Join(t.TempDir(), "stripped")
	if out, err := exec.Command(testenv.Tool(t, "strip"), "-o", stripped, testenv.Probe(t).Variants[3]).CombinedOutput(); err != nil {
		t.Fatalf("strip: %v\n%s", err, out)
	}
	if r := packer("check", "--cpu", "v2", stripped); r.status != exitFailure || !strings.Contains(r.stdout, "needs v3: does not run on an amd64 CPU of v2") {
		t.Errorf("check: status %d, %s%s", r.status, r.stdout, r.stderr)
	}
	if got, want := must(t, "info", stripped), "not packed: a Go executable for linux/amd64, level v3\n"; !strings.Contains(got, want) {
		t.Errorf("%q, want %q in it", got, want)
	}
}

func TestCheckRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"no file: want FILE":  {"check"},
		`unknown level "v5"`:  {"check", "--cpu", "v5", "x"},
		"unknown flag -level": {"check", "--level", "v5", "x"},
	} {
		if r := packer(args...); r.status != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%q: status %d, %q: want %q", args, r.status, r.stderr, want)
		}
	}
}

func TestInfoOfPlain(t *testing.T) {
	plain := testenv.Probe(t).Variants[3]
	if got, want := must(t, "info", plain), "not packed: a Go executable for linux/amd64, level v3\n"; !strings.Contains(got, want) {
		t.Errorf("%q, want %q in it", got, want)
	}
	var info plainInfo
	if err := json.Unmarshal([]byte(must(t, "info", "--json", plain)), &info); err != nil {
		t.Fatal(err)
	}
	if info.Packed || info.Level != "v3" || info.OS != "linux" || info.Arch != "amd64" || info.Size == 0 {
		t.Errorf("%+v", info)
	}
}

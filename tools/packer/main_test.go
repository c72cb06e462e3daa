package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// TestErrors reads the messages as a user would: status, verb, file, reason.
func TestErrors(t *testing.T) {
	probe := testenv.Probe(t)
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho this is a script\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	nowhere := filepath.Join(dir, "no", "out")
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no verb":             {nil, 2, "usage: packer VERB"},
		"unknown verb":        {[]string{"merge"}, 2, "packer: unknown verb \"merge\": see packer help\n"},
		"unknown flag":        {[]string{"create", "-x"}, 2, "packer: create: unknown flag -x\nusage: packer create"},
		"no output":           {[]string{"create", "-launcher", launcher, probe.Variants[1]}, 2, "packer: create: no output: want -o OUT\n"},
		"no executables":      {[]string{"create", "-launcher", launcher, "-o", out}, 2, "packer: create: no executables: want at least one vN=FILE\n"},
		"unknown level":       {[]string{"create", "-launcher", launcher, "-o", out, "v5=x"}, 2, "packer: create: \"v5=x\": unknown level \"v5\": want v1, v2, v3 or v4\n"},
		"level without file":  {[]string{"create", "-launcher", launcher, "-o", out, "v1="}, 2, "packer: create: \"v1=\": no file: want v1=FILE\n"},
		"missing variant":     {[]string{"create", "-launcher", launcher, "-o", out, "v1=" + missing}, 1, "packer: create: " + missing + ": no such file or directory\n"},
		"missing launcher":    {[]string{"create", "-launcher", missing, "-o", out, probe.Variants[1]}, 1, "packer: create: " + missing + ": no such file or directory\n"},
		"no launcher but ELF": {[]string{"create", "-launcher", probe.Variants[1], "-o", out, probe.Variants[1]}, 1, "packer: create: " + probe.Variants[1] + ": no function of rules_go_multiarch/launcher/boot in it: want the launcher\n"},
		"script":              {[]string{"create", "-launcher", launcher, "-o", out, "v1=" + script}, 1, "packer: create: " + script + ": not an ELF file (begins with \"#!/b\")"},
		"another level":       {[]string{"create", "-launcher", launcher, "-o", out, "v2=" + probe.Variants[3]}, 1, "packer: create: " + probe.Variants[3] + ": given as v2, but its Go build information says GOAMD64=v3\n"},
		"packed already":      {[]string{"create", "-launcher", launcher, "-o", out, probe.Packed}, 1, "packer: create: " + probe.Packed + ": is a packed file already: give its variants one by one\n"},
		"output in no folder": {[]string{"create", "-launcher", launcher, "-o", nowhere, probe.Variants[1]}, 1, "packer: create: " + nowhere + ": no such file or directory\n"},
		"output is a folder":  {[]string{"create", "-launcher", launcher, "-o", dir, probe.Variants[1]}, 1, "packer: create: " + dir + ": is a directory\n"},
		"parameter file":      {[]string{"create", "@" + missing}, 1, "packer: create: argument \"@" + missing + "\": no such file or directory\n"},
		"help for no verb":    {[]string{"help", "merge"}, 2, "packer: help: unknown verb \"merge\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(context.Background(), test.args, &stdout, &stderr)
			if status != test.status || !strings.HasPrefix(stderr.String(), test.want) {
				if !(test.args == nil && strings.Contains(stderr.String(), test.want)) {
					t.Errorf("status %d, standard error %q: want %d, %q", status, stderr.String(), test.status, test.want)
				}
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("there is an output")
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestCreate(t *testing.T) {
	probe := testenv.Probe(t)
	launcher := testenv.Launcher(t)
	dir := t.TempDir()
	params := filepath.Join(dir, "params")
	if err := os.WriteFile(params, []byte("-variant\nv2="+probe.Variants[2]+"\n-launcher\n"+launcher+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var first []byte
	v1, v2 := probe.Variants[1], probe.Variants[2]
	for name, args := range map[string][]string{
		"flags first":    {"create", "-launcher", launcher, "-o", "OUT", "v1=" + v1, "v2=" + v2},
		"flags last":     {"create", "v2=" + v2, v1, "-launcher", launcher, "-o=OUT"},
		"end of flags":   {"create", "-launcher", launcher, "-o", "OUT", v1, "--", v2},
		"parameter file": {"create", "v1=" + v1, "@" + params, "-o", "OUT"},
	} {
		out := filepath.Join(dir, name)
		for i := range args {
			args[i] = strings.Replace(args[i], "OUT", out, 1)
		}
		var stdout, stderr bytes.Buffer
		if status := run(context.Background(), args, &stdout, &stderr); status != 0 || stdout.Len()+stderr.Len() > 0 {
			t.Fatalf("%s: status %d, %q, %q", name, status, stdout.String(), stderr.String())
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if !bytes.Equal(first, data) {
			t.Errorf("%s: other bytes", name)
		}
		if info, err := os.Stat(out); err != nil || info.Mode().Perm()&0o100 == 0 {
			t.Errorf("%s: mode %v: want it executable (%v)", name, info.Mode(), err)
		}
	}
}

// TestHelp wants help in every spelling, with an example that is a command line
// as its verb takes it.
func TestHelp(t *testing.T) {
	for _, v := range verbs() {
		text := must(t, "help", v.name)
		_, example, found := strings.Cut(text, "example: packer "+v.name+" ")
		if !found {
			t.Errorf("help %s: no example in %q", v.name, text)
			continue
		}
		for _, args := range [][]string{{v.name, "-h"}, {v.name, "--help"}} {
			if must(t, args...) != text {
				t.Errorf("%q: not what help %s prints", args, v.name)
			}
		}
		// Its files do not exist, but that is all that is wrong with it.
		words := strings.Fields(strings.NewReplacer("> ~/.local/share/bash-completion/completions/packer", "", "./cmd/app", "./cmd/none", "4711", "2147483647").Replace(example))
		t.Chdir(t.TempDir())
		if r := packer(append([]string{v.name}, words...)...); strings.Contains(r.stderr, "usage: packer") {
			t.Errorf("packer %s %q: %s", v.name, words, r.stderr)
		}
	}
	all := must(t, "help")
	for _, args := range [][]string{{"-h"}, {"--help"}, {"-help"}} {
		if must(t, args...) != all {
			t.Errorf("%q: not what help prints", args)
		}
	}
}

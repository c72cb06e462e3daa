package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	defaults := options{rounds: 2000, blocks: 20, warmup: 5, cpu: lastCPU()}
	for _, test := range []struct {
		args   string
		change func(*options)
	}{
		{"", func(*options) {}},
		{"-rounds 10 -blocks 2 -warmup 0 -cpu -1 -keep-cache -json out.json", func(o *options) {
			o.rounds, o.blocks, o.warmup, o.cpu, o.keepCache, o.json = 10, 2, 0, -1, true, "out.json"
		}},
		{"-read-ahead 128", func(o *options) { o.readAhead = 128 }},
		{"-strip -size-mb 60 -keep dir", func(o *options) { o.strip, o.sizeMB, o.keep = true, 60, "dir" }},
		{"-cpu-level v3", func(o *options) { o.cpuLevel = 3 }},
		{"-cmd a=./a -cmd b=./b -- version -v", func(o *options) {
			o.commands = []command{{name: "a", path: "./a", args: []string{}}, {name: "b", path: "./b", args: []string{}}}
			o.args = []string{"version", "-v"}
		}},
	} {
		want := defaults
		want.args = []string{}
		test.change(&want)
		got, err := parseOptions(strings.Fields(test.args))
		if err != nil {
			t.Errorf("parseOptions(%q): %v", test.args, err)
		} else if !reflect.DeepEqual(*got, want) {
			t.Errorf("parseOptions(%q) = %+v, want %+v", test.args, *got, want)
		}
	}
}

func TestParseOptionsErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-rounds 0", "-rounds 0"},
		{"-rounds 10 -blocks 11", "-blocks 11"},
		{"-blocks 0", "-blocks 0"},
		{"-warmup -1", "-warmup -1"},
		{"-cpu -2", "-cpu -2"},
		{"-read-ahead -1", "-read-ahead -1"},
		{"-read-ahead 128 -keep-cache", "-keep-cache"},
		{"-size-mb -1", "-size-mb -1"},
		{"-cmd a", `"a"`},
		{"-cmd =./a", `"=./a"`},
		{"-cmd a=", `"a="`},
		{"-cmd a=./a -strip", "-strip"},
		{"-cmd a=./a -cpu-level v3", "-cpu-level"},
		{"-cpu-level 3", `"3"`},
		{"-nonsense", "nonsense"},
	} {
		_, err := parseOptions(strings.Fields(test.args))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("parseOptions(%q): error %v, want one with %q", test.args, err, test.want)
		}
	}
	if _, err := parseOptions([]string{"-h"}); !errors.Is(err, errHelp) {
		t.Errorf("parseOptions(-h): error %v, want help", err)
	}
}

func TestParseCommand(t *testing.T) {
	for _, test := range []struct {
		text string
		want command
	}{
		{"plain=./app", command{name: "plain", path: "./app", args: []string{}}},
		{"a=/dir/x=y/app -v", command{name: "a", path: "/dir/x=y/app", args: []string{"-v"}}},
		{"a=GOAMD64=v3 X= ./app b=c", command{name: "a", path: "./app", args: []string{"b=c"}, env: []string{"GOAMD64=v3", "X="}}},
	} {
		got, err := parseCommand(test.text)
		if err != nil {
			t.Errorf("parseCommand(%q): %v", test.text, err)
		} else if !reflect.DeepEqual(got, test.want) {
			t.Errorf("parseCommand(%q) = %+v, want %+v", test.text, got, test.want)
		}
	}
}

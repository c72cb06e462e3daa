package main

import (
	"strings"
	"testing"
)

func TestStart(t *testing.T) {
	s, err := newStarter()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	m, err := s.start(&command{name: "ok", path: "/bin/sh", args: []string{"-c", `test "$A" = b`}, env: []string{"A=b"}})
	if err != nil {
		t.Fatal(err)
	}
	if m.wall <= 0 || m.faults <= 0 {
		t.Errorf("measured %+v, want wall time and page faults above 0", m)
	}
	for _, test := range []struct {
		command command
		want    string
	}{
		{command{name: "status", path: "/bin/sh", args: []string{"-c", "exit 3"}}, "running status: exit status 3"},
		{command{name: "signal", path: "/bin/sh", args: []string{"-c", "kill -9 $$"}}, "running signal: killed by signal killed"},
		{command{name: "missing", path: "/nonexistent"}, "starting missing: no such file"},
	} {
		if _, err := s.start(&test.command); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.command.name, err, test.want)
		}
	}
}

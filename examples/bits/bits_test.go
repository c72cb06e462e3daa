package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

var report = regexp.MustCompile(`^level (.*)\ndistance ([0-9a-f]{16}) .*\npolynomial ([0-9a-f]{16}) .*\n$`)

// Every level that the CPU can run computes the same.
func TestSameResults(t *testing.T) {
	_, distance, polynomial := run(t)
	if distance == polynomial {
		t.Errorf("both computations gave %s", distance)
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("nothing is packed on this platform")
	}
	for _, test := range []struct {
		max  string
		want []string
	}{
		{"v1", []string{"v1"}},
		{"v2", []string{"v1"}},
		{"v3", []string{"v1", "v3"}}, // Depends on the CPU.
		{"v4", []string{"v1", "v3"}},
	} {
		level, d, p := run(t, "GOAMD64="+test.max)
		if level != test.want[0] && level != test.want[len(test.want)-1] {
			t.Errorf("under GOAMD64=%s it runs as %s, want one of %q", test.max, level, test.want)
		}
		if d != distance || p != polynomial {
			t.Errorf("as %s it computes %s and %s, want %s and %s", level, d, p, distance, polynomial)
		}
		t.Logf("under GOAMD64=%s it runs as %s", test.max, level)
	}
}

// run returns the level and both results.
func run(t *testing.T, env ...string) (level, distance, polynomial string) {
	t.Helper()
	path, err := runfiles.Rlocation(os.Getenv("BITS"))
	if err != nil {
		t.Fatalf("looking for $BITS: %v", err)
	}
	cmd := exec.Command(path, "-size=1000", "-rounds=20")
	cmd.Env = append([]string{}, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	said := report.FindStringSubmatch(string(out))
	if said == nil {
		t.Fatalf("%s says %q, want something like %q", cmd, out, report)
	}
	return said[1], said[2], said[3]
}

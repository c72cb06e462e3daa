package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

// The site of :where is that of --platforms, the site of :where_edge is fixed.
func TestSite(t *testing.T) {
	for _, test := range []struct{ program, site string }{
		{"WHERE", os.Getenv("SITE")},
		{"WHERE_EDGE", "edge"},
	} {
		path, err := runfiles.Rlocation(os.Getenv(test.program))
		if err != nil {
			t.Fatalf("looking for $%s: %v", test.program, err)
		}
		cmd := exec.Command(path)
		cmd.Env = []string{"GOAMD64=v1"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v, output %q", path, err, out)
		}
		if got, want := string(out), fmt.Sprintf("built for the %s, GOAMD64=v1\n", test.site); got != want {
			t.Errorf("$%s says %q, want %q", test.program, got, want)
		}
	}
}

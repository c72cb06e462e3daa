package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

func TestBothLevels(t *testing.T) {
	path, err := runfiles.Rlocation(os.Getenv("CGO"))
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range []string{"GOMULTIARCH=max=v1", "GOMULTIARCH="} {
		cmd := exec.Command(path)
		cmd.Env = append(os.Environ(), variable)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "GOAMD64=v") || !strings.HasSuffix(string(out), ", sum 55\n") {
			t.Errorf("%s: %v, %q", variable, err, out)
		}
		if strings.Contains(variable, "v1") && !strings.HasPrefix(string(out), "GOAMD64=v1,") {
			t.Errorf("%s: %q", variable, out)
		}
	}
}

package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

var greeting = regexp.MustCompile(`^(Hello, .*!) This is (.*), GOAMD64=(.*)\.\n$`)

func TestArguments(t *testing.T) {
	for _, program := range []string{"HELLO", "HELLO_MULTI"} {
		if got, want := run(t, program, nil, "Ada", "Grace")[1], "Hello, Ada and Grace!"; got != want {
			t.Errorf("$%s says %q, want %q", program, got, want)
		}
	}
}

// A plain binary is for v1, unless the build says otherwise. The packed one is
// for the CPU that it meets, or for what GOAMD64 says if that is less.
func TestLevel(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("nothing is packed on this platform")
	}
	if got, want := run(t, "HELLO_MULTI", []string{"GOAMD64=v1"})[3], "v1"; got != want {
		t.Errorf("under GOAMD64=v1 the packed program runs as %s, want %s", got, want)
	}
	best := run(t, "HELLO_MULTI", nil)[3]
	if got := run(t, "HELLO_MULTI", []string{"GOAMD64=v4"})[3]; got != best {
		t.Errorf("under GOAMD64=v4 the packed program runs as %s, want %s, the best that the CPU can run", got, best)
	}
	t.Logf("without GOAMD64 it runs as %s", best)
}

// run starts the program whose runfiles path an environment variable has, and
// returns what it says: the whole line, the greeting, the platform, the level.
func run(t *testing.T, variable string, env []string, args ...string) []string {
	t.Helper()
	path, err := runfiles.Rlocation(os.Getenv(variable))
	if err != nil {
		t.Fatalf("looking for $%s: %v", variable, err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = env
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	said := greeting.FindStringSubmatch(string(out))
	if said == nil {
		t.Fatalf("%s says %q, want something like %q", cmd, out, greeting)
	}
	return said
}

package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

func TestSourceFile(t *testing.T) {
	want := rivers(t)
	if got := run(t, "ALMANAC", nil, "-rivers", os.Getenv("RIVERS"), "list"); got != want {
		t.Errorf("list prints %q, want %q", got, want)
	}
}

func TestGeneratedFile(t *testing.T) {
	lines := strings.SplitAfter(strings.TrimSuffix(rivers(t), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	slices.Sort(lines)
	if got, want := run(t, "ALMANAC", nil, "sorted"), strings.Join(lines, ""); got != want {
		t.Errorf("sorted prints %q, want %q", got, want)
	}
}

func TestPrograms(t *testing.T) {
	if got, want := run(t, "ALMANAC", nil, "total"), "32397\n"; got != want {
		t.Errorf("the Go program in data prints %q, want %q", got, want)
	}
	// Tests set the environment themselves: `env` of the program is for `bazel run`.
	env := []string{"ALMANAC_UPPER=rules_go_multiarch_examples/runfiles/upper"}
	if got, want := run(t, "ALMANAC", env, "shout", "ahoy"), "AHOY"; got != want {
		t.Errorf("the script in data prints %q, want %q", got, want)
	}
}

func TestEnvironment(t *testing.T) {
	got := run(t, "ALMANAC", []string{"ALMANAC_TITLE=Long rivers"}, "-rivers", os.Getenv("RIVERS"), "list")
	if want := "Long rivers\n" + rivers(t); got != want {
		t.Errorf("list prints %q, want %q", got, want)
	}
}

func TestVersion(t *testing.T) {
	want := regexp.MustCompile(`^version 1\.2\.3\nrelease unstamped\nbuilt unstamped\n$`)
	if os.Getenv("STAMPED") != "" {
		want = regexp.MustCompile(`^version 1\.2\.3\nrelease \S+\nbuilt \d+\n$`)
	}
	if got := run(t, "ALMANAC", nil, "version"); !want.MatchString(got) || strings.Contains(got, "unset") {
		t.Errorf("version prints %q, want something like %q", got, want)
	}
}

func TestBuildTags(t *testing.T) {
	if got, want := run(t, "ALMANAC_FROZEN", nil, "version"), "version unset\nrelease none\nbuilt never\n"; got != want {
		t.Errorf("version prints %q, want %q", got, want)
	}
}

func rivers(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(locate(t, "RIVERS"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// run starts the program whose runfiles path an environment variable has, and
// returns its output.
func run(t *testing.T, variable string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(locate(t, variable), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}

func locate(t *testing.T, variable string) string {
	t.Helper()
	path, err := runfiles.Rlocation(os.Getenv(variable))
	if err != nil {
		t.Fatalf("looking for $%s: %v", variable, err)
	}
	return path
}

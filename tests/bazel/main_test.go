// Package bazel_test builds tests/bazel/programs the way users build theirs.
// What it needs for that, package bazeltest says.
package bazel_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if copied.Dir != "" {
		copied.Remove()
	}
	os.Exit(status)
}

// What every workspace builds first: packed files with all that is in them.
var packed = []string{
	"//tests/bazel/programs:four_levels",
	"//tests/bazel/programs:other_two_levels",
	"//tests/bazel/programs:two_levels",
}

const withGroups = "--output_groups=+v1,+v2,+v3,+v4,+manifest"

// uncached makes Bazel run every action of ours itself. What is large and
// rules_go's own may come from a cache.
const uncached = `build "--modify_execution_info=^(?!GoStdlib$|GoToolchainBinaryBuild$).*$=+no-cache"` + "\n"

// copied is made by the first test that needs it.
var copied struct {
	bazeltest.Workspace
	outputs map[string][]byte // of packed
	built   bazeltest.Built   // what it took to build packed from nothing
	plain   bazeltest.Built   // what it took, after that, to build plain_v3
}

// elsewhere returns a copy of the checkout that somebody else builds: another
// user with other folders, another umask, language and time zone, on a machine
// with one core.
func elsewhere(t *testing.T) bazeltest.Workspace {
	t.Helper()
	if copied.plain.Actions != nil {
		return copied.Workspace
	}
	w := bazeltest.Checkout(t).Copy(t, "nested-tests", uncached+"build --jobs=3\n")
	// bazelw and go find what they keep in the folders that they use now.
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	goCaches := strings.Split(string(settings), "\n")
	w.Env = []string{
		"XDG_CACHE_HOME=" + caches, "GOCACHE=" + goCaches[0], "GOMODCACHE=" + goCaches[1],
		"HOME=" + filepath.Join(w.Folder(), "home"), "TMPDIR=" + filepath.Join(w.Folder(), "tmp"),
		"USER=someone", "LOGNAME=someone",
		"TZ=Asia/Kathmandu", "LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8",
	}
	for _, folder := range []string{"home", "tmp"} {
		if err := os.Mkdir(filepath.Join(w.Folder(), folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	w.Prefix = []string{
		"unshare", "--user", "--map-user=4321", "--map-group=4321", "--", "sh", "-euc", `
			umask 077
			core=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
			exec taskset --cpu-list "$core" "$@"`, "sh",
	}
	copied.Workspace = w
	copied.built = w.Build(t, append(packed, withGroups)...)
	copied.outputs = w.Files(t, packed, withGroups)
	copied.plain = w.Build(t, "//tests/bazel/programs:plain_v3")
	return w
}

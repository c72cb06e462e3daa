//go:build servers

package remote_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rules_go_multiarch/internal/bazeltest"
)

// bazelRemote is a running bazel-remote.
type bazelRemote struct{ dir, address string }

func (b bazelRemote) flag() string { return "--remote_cache=grpc://" + b.address }

func startBazelRemote(t *testing.T) *bazelRemote {
	t.Helper()
	program := goBuild(t, "github.com/buchgr/bazel-remote/v2")
	b := &bazelRemote{dir: kept(t, "bazel-remote"), address: freeAddress(t)}
	// Entries are left as they are, so that a test can damage one.
	start(t, program, "--dir="+b.dir, "--max_size=3", "--storage_mode=uncompressed",
		"--grpc_address="+b.address, "--http_address="+freeAddress(t))
	waitFor(t, b.address)
	return b
}

// startBuildBox returns the address of an engine that speaks with Bazel.
func startBuildBox(t *testing.T) string {
	t.Helper()
	find := exec.Command("../../bazelw", "--print-tool", "buildbox-casd")
	path, err := find.Output()
	if err != nil {
		bazeltest.Unavailable(t, "no buildbox-casd; Debian has it from forky on, as package buildbox")
	}
	address := freeAddress(t)
	start(t, strings.TrimSpace(string(path)), "--bind="+address,
		"--buildbox-run=/usr/bin/buildbox-run-hosttools", "--runner-arg=--staging-mode=copy-or-link",
		// It would remove what it has just been given when 2 GB of the disk, which is its default, are all that is free.
		"--jobs=2", "--quota-high=5G", "--reserved=256M", kept(t, "buildbox"))
	waitFor(t, address)

	forBazel := freeAddress(t)
	start(t, goBuild(t, "./reapi"), "-listen="+forBazel, "-to="+address)
	waitFor(t, forBazel)
	return forBazel
}

// goBuild builds a program of the module in servers.
func goBuild(t *testing.T, pkg string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "remote_test")
	if err != nil {
		t.Fatal(err)
	}
	atEnd = append(atEnd, func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-o", program, pkg)
	cmd.Dir = "servers"
	if output, err := cmd.CombinedOutput(); err != nil {
		bazeltest.Unavailable(t, fmt.Sprintf("cannot build %s: %v\n%s", pkg, err, output))
	}
	return program
}

// inUse has what kept was called with.
var inUse = map[string]bool{}

// kept returns a folder that stays. It waits for tests of another checkout that
// use it: servers do not share their storage.
func kept(t *testing.T, name string) string {
	t.Helper()
	if inUse[name] {
		t.Fatalf("the test that started a server with the storage %s failed", name)
	}
	inUse[name] = true
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(caches, "rules_go_multiarch", "tests-remote", name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(dir + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("locking %s: %v", lock.Name(), err)
	}
	atEnd = append(atEnd, func() { lock.Close() }) // after the server has stopped
	return dir
}

// start starts a server that runs until the end of the tests.
func start(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	// What a worker's environment has, its actions have too: a real one knows
	// nothing of this test.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	atEnd = append(atEnd, func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var conn net.Conn
		if conn, err = net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
	}
	t.Fatalf("waiting for the server at %s: %v", address, err)
}

package environments_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: needs root")
	}
}

// confined returns a command that runs the packed probe under tests/environments/confine.
func confined(t *testing.T, flags string, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(testenv.Confine(t), append(strings.Fields(flags), args...)...)
}

// starts runs a command and checks that it is the probe at this machine's level.
func starts(t *testing.T, cmd *exec.Cmd, env ...string) probetest.Report {
	t.Helper()
	got := probetest.Start(t, cmd, env...).Report(t)
	if want := probetest.MachineLevel(t).String(); got.Level != want {
		t.Errorf("started %s: want %s", got.Level, want)
	}
	return got
}

// folder makes a folder that every user may enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "environments")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// installed copies the packed probe to a folder that every user may enter.
func installed(t *testing.T, mode os.FileMode) string {
	t.Helper()
	return install(t, testenv.Probe(t).Packed, mode)
}

// install copies a file to such a folder, as "probe".
func install(t *testing.T, file string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(folder(t), "probe")
	if err := os.WriteFile(path, probetest.Read(t, file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// asNobody makes a command run as another user.
func asNobody(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return cmd
}

// users are the flags of confine for root, and for an ordinary user.
func users() []string {
	if os.Geteuid() != 0 {
		return []string{""}
	}
	return []string{"", " -user=65534"}
}

func TestConfined(t *testing.T) { startConfined(t, testenv.Probe(t).Packed, true) }

// startConfined starts a packed probe in every way that confine has; inPlace says
// that its levels are not moved, which takes munmap and mremap.
func startConfined(t *testing.T, packed string, inPlace bool) {
	path := install(t, packed, 0o755)
	flags := []string{
		"",
		"-no-new-privs",
		"-mdwe",
		"-refuse=memfd_create",
		"-refuse=mprotect-exec",
		"-refuse=memfd_create,mprotect-exec -mdwe -no-new-privs",
		"-block-signals",
		"-ignore-signals",
		"-by-fd",
		"-no-arguments",
		"-limit-as=1099511627776",
		"-limit-data=1099511627776",
		// What neither Go's runtime nor today's C library needs: filters are recorded from plain programs.
		"-kill=open,getrlimit,writev -refuse=access,madvise,prlimit64",
	}
	if inPlace {
		flags = append(flags, "-refuse=munmap", "-refuse=mremap", "-refuse=memfd_create,mremap,mprotect-exec -mdwe -no-new-privs")
	}
	for _, user := range users() {
		for _, flags := range flags {
			t.Run(flags+user, func(t *testing.T) { starts(t, confined(t, flags+user, path)) })
		}
		// Without output the exit status says that the probe ran.
		t.Run("-close-files"+user, func(t *testing.T) {
			if got := probetest.Start(t, confined(t, "-close-files"+user, path, "-quiet", "-exit=9")); got.Status != 9 {
				t.Errorf("status %d: want 9", got.Status)
			}
		})
	}
}

// TestExecutableButNotReadable starts a file of mode 0111 as a user who may not
// read it.
func TestExecutableButNotReadable(t *testing.T) {
	needRoot(t)
	path := installed(t, 0o111)
	starts(t, asNobody(exec.Command(path)))

	got := probetest.Start(t, asNobody(exec.Command(path)), "GOMULTIARCH=extract")
	if want := "probe: cannot read this program's own file through /proc/self/exe: error 13\n"; got.Status != 127 || got.Stderr != want {
		t.Errorf("extract: status %d, %q: want 127, %q", got.Status, got.Stderr, want)
	}
}

// TestAloneInRoot has no /proc, no /dev, nothing but the file.
func TestAloneInRoot(t *testing.T) {
	needRoot(t)
	path := installed(t, 0o755)
	for _, user := range users() {
		got := starts(t, confined(t, "-chroot="+filepath.Dir(path)+user, "/probe", "x"))
		if len(got.Args) != 2 || got.Args[1] != "x" {
			t.Errorf("arguments %q", got.Args)
		}
	}
}

// inNamespaces runs a shell script as root of new mount and PID namespaces, where
// $1 is the packed probe, $2 an empty folder, and $3 a command that executes its
// arguments: as root the first time, as an ordinary user the second.
func inNamespaces(t *testing.T, script string) (found []probetest.Report) {
	t.Helper()
	needRoot(t)
	for _, as := range []string{"env", "setpriv --reuid=65534 --regid=65534 --clear-groups"} {
		found = append(found, starts(t, exec.Command("unshare", "--mount", "--pid", "--fork", "--mount-proc",
			"sh", "-euc", script, "sh", installed(t, 0o755), folder(t), as), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin"))
	}
	return found
}

func TestReadOnlyFileSystem(t *testing.T) {
	inNamespaces(t, `mount -t tmpfs tmpfs "$2"; cp "$1" "$2/probe"; mount -o remount,ro "$2"; $3 "$2/probe"`)
}

// TestNoExecElsewhere leaves no file system from which anything else could be
// executed.
func TestNoExecElsewhere(t *testing.T) {
	inNamespaces(t, `
		mount -t tmpfs tmpfs "$2"; cp "$1" "$2/probe"
		mkdir "$2/tmp" "$2/dev"; mount -t tmpfs -o noexec tmpfs "$2/tmp"; mount -t tmpfs -o noexec tmpfs "$2/dev"
		case $3 in env) user=0;; *) user=65534; esac
		exec chroot --userspec=$user:$user "$2" /probe`)
}

func TestMemfdForbidden(t *testing.T) {
	if _, err := os.Stat("/proc/sys/vm/memfd_noexec"); err != nil {
		t.Skip("skipped: this kernel has no vm.memfd_noexec")
	}
	inNamespaces(t, `echo 2 >/proc/sys/vm/memfd_noexec; $3 "$1"`)
}

func TestPID1(t *testing.T) {
	for _, got := range inNamespaces(t, `exec $3 "$1"`) {
		if got.PID != 1 {
			t.Errorf("process %d: want 1", got.PID)
		}
	}
}

func TestFileCapabilities(t *testing.T) {
	needRoot(t)
	path := installed(t, 0o755)
	// struct vfs_cap_data, revision 2, effective: CAP_NET_BIND_SERVICE (10).
	data := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		t.Skip("skipped: this file system keeps no capabilities:", err)
	}
	got := starts(t, asNobody(exec.Command(path)), "GOAMD64=v1", "GOMULTIARCH=bad")
	if got.Capabilities != "0000000000000400" {
		t.Errorf("effective capabilities %s: want CAP_NET_BIND_SERVICE, 0000000000000400", got.Capabilities)
	}
}

func TestNoArguments(t *testing.T) {
	// Kernels from 5.18 on make one empty argument of none.
	got := starts(t, confined(t, "-no-arguments", testenv.Probe(t).Packed))
	if len(got.Args) > 1 || len(got.Args) == 1 && got.Args[0] != "" {
		t.Errorf("arguments %q: want none", got.Args)
	}
}

func TestManyArguments(t *testing.T) {
	args := make([]string, 100_000)
	for i := range args {
		args[i] = "a"
	}
	if got := starts(t, exec.Command(testenv.Probe(t).Packed, args...)); len(got.Args) != 1+len(args) {
		t.Errorf("%d arguments: want %d", len(got.Args), 1+len(args))
	}
}

func TestLargeEnvironment(t *testing.T) {
	var env []string
	for i := range 16 {
		env = append(env, fmt.Sprintf("G%d=%s", i, strings.Repeat("x", 64<<10)))
	}
	if got := starts(t, exec.Command(testenv.Probe(t).Packed), env...); len(got.Env) != len(env) {
		t.Errorf("%d variables: want %d", len(got.Env), len(env))
	}
}

func TestPaths(t *testing.T) {
	packed := testenv.Probe(t).Packed
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(packed, link); err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(packed)
	if err != nil {
		t.Fatal(err)
	}
	relative := exec.Command("./link")
	relative.Dir = dir
	for name, cmd := range map[string]*exec.Cmd{"through a symbolic link": exec.Command(link), "by a relative path": relative} {
		if got := starts(t, cmd); got.Executable != want {
			t.Errorf("%s: os.Executable() is %s: want %s", name, got.Executable, want)
		}
	}
}

// TestTraced has strace follow the process from its first system call on. TestInstructions
// in tests/launcher goes instruction by instruction.
func TestTraced(t *testing.T) {
	cmd := exec.Command(cmp.Or(os.Getenv("TOOL_STRACE"), "strace"), "-f", "-o", filepath.Join(t.TempDir(), "trace"), testenv.Probe(t).Packed)
	if cmd.Err != nil {
		t.Skip("skipped: no strace")
	}
	starts(t, cmd, "PATH="+os.Getenv("PATH"))
}

func TestManyAtOnce(t *testing.T) {
	packed := testenv.Probe(t).Packed
	const total, atOnce = 2000, 100
	failures := make(chan string, total)
	slots := make(chan bool, atOnce)
	for range total {
		slots <- true
		go func() {
			defer func() { <-slots }()
			if out, err := exec.Command(packed, "-quiet", "-exit=0").CombinedOutput(); err != nil {
				failures <- fmt.Sprint(err, string(out))
			}
		}()
	}
	for range atOnce {
		slots <- true
	}
	if n := len(failures); n > 0 {
		t.Errorf("%d of %d starts failed: %s", n, total, <-failures)
	}
}

// TestUnlinkedWhileRunning removes the file under a running process.
func TestUnlinkedWhileRunning(t *testing.T) {
	path := installed(t, 0o755)
	cmd := exec.Command(path, "-forever", "-echo")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	buffer := make([]byte, 64<<10)
	if _, err := out.Read(buffer); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("another file"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(buffer); err != nil || string(buffer[:n]) != "hello\n" {
		t.Errorf("%q, %v: want hello", buffer[:n], err)
	}
}

func TestValgrind(t *testing.T) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		t.Skip("skipped: no valgrind")
	}
	probe := testenv.Probe(t)
	run := func(path string) probetest.Result {
		return probetest.Start(t, exec.Command(valgrind, "-q", "--tool=none", path), "PATH="+os.Getenv("PATH"))
	}
	if plain := run(probe.Variants[1]); plain.Status != 0 {
		t.Skipf("skipped: this valgrind does not run the plain program: %s", plain.Stderr)
	}
	if got := run(probe.Packed).Report(t); got.Level == "" || got.Level == "v4" {
		t.Errorf("started %q: valgrind has no AVX-512", got.Level)
	}
}

// TestRR records every level and replays it. rr needs the CPU's performance
// counters, which few virtual machines show.
func TestRR(t *testing.T) {
	rr, err := exec.LookPath("rr")
	if err != nil {
		t.Skip("skipped: no rr")
	}
	probe := testenv.Probe(t)
	record := func(path, trace string, env ...string) probetest.Result {
		env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir())
		return probetest.Start(t, exec.Command(rr, "record", "-o", trace, path), env...)
	}
	if plain := record(probe.Variants[1], filepath.Join(t.TempDir(), "plain")); plain.Status != 0 {
		t.Skipf("skipped: this machine's rr does not record the plain program: %s", plain.Stderr)
	}
	probetest.EachLevel(t, func(t *testing.T, force string) {
		trace := filepath.Join(t.TempDir(), "trace")
		recorded := record(probe.Packed, trace, force).Report(t)
		if !strings.HasSuffix(force, "="+recorded.Level) {
			t.Errorf("%s: recorded %q", force, recorded.Level)
		}
		replayed := probetest.Start(t, exec.Command(rr, "replay", "-a", trace), "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir()).Report(t)
		if !reflect.DeepEqual(replayed, recorded) {
			t.Errorf("replayed %+v, recorded %+v", replayed, recorded)
		}
	})
}

// TestStrictOvercommit changes a setting of the whole machine for a moment. It
// runs when it is asked for, on machines that are made for tests, and alone.
func TestStrictOvercommit(t *testing.T) {
	const setting = "/proc/sys/vm/overcommit_memory"
	if os.Getenv("RULES_GO_MULTIARCH_OVERCOMMIT") == "" {
		t.Skip("skipped: changes a setting of the machine; set RULES_GO_MULTIARCH_OVERCOMMIT")
	}
	needRoot(t)
	packed := testenv.Probe(t).Packed
	before := probetest.Read(t, setting)
	if err := os.WriteFile(setting, []byte("2"), 0); err != nil {
		t.Skip("skipped: cannot change the setting:", err)
	}
	defer os.WriteFile(setting, before, 0)
	starts(t, exec.Command(packed))
}

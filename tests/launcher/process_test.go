package launcher_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func TestProcessIsThePlainOne(t *testing.T) {
	probe := testenv.Probe(t)
	probetest.EachLevel(t, func(t *testing.T, force string) {
		cmd := exec.Command(probe.Packed, "-stdin", "-exit=42", "--", "one", "", "two words")
		cmd.Stdin = strings.NewReader("input\n")
		result := probetest.Start(t, cmd, force, "A=1", "EMPTY=")
		got := result.Report(t)
		if result.Status != 42 {
			t.Errorf("exit status %d: want 42", result.Status)
		}
		if want := []string{probe.Packed, "-stdin", "-exit=42", "--", "one", "", "two words"}; !reflect.DeepEqual(got.Args, want) {
			t.Errorf("arguments %q: want %q", got.Args, want)
		}
		if want := []string{force, "A=1", "EMPTY="}; !reflect.DeepEqual(got.Env, want) {
			t.Errorf("environment %q: want %q", got.Env, want)
		}
		if got.Stdin != "input\n" {
			t.Errorf("standard input %q: want %q", got.Stdin, "input\n")
		}
		if want, err := filepath.EvalSymlinks(probe.Packed); err != nil || got.Executable != want {
			t.Errorf("os.Executable() is %q: want %q (%v)", got.Executable, want, err)
		}
		if got.Level != force[len(force)-2:] {
			t.Errorf("started %s with %s", got.Level, force)
		}
	})
}

// TestLevelsAgree compares a computation that is compiled differently.
func TestLevelsAgree(t *testing.T) {
	probe := testenv.Probe(t)
	want := probetest.Start(t, exec.Command(probe.Variants[1])).Report(t).Sum
	probetest.EachLevel(t, func(t *testing.T, force string) {
		if got := probetest.Start(t, exec.Command(probe.Packed), force).Report(t).Sum; got != want {
			t.Errorf("sum %d: want %d", got, want)
		}
	})
}

func TestSignalDispositionsAndLimitsSurvive(t *testing.T) {
	probe := testenv.Probe(t)
	probetest.EachLevel(t, func(t *testing.T, force string) {
		// The shell ignores the signals whose being ignored Go keeps, lowers a
		// limit, and becomes the probe.
		script := "trap '' HUP INT; ulimit -S -c 1; exec " + probe.Packed
		got := probetest.Start(t, exec.Command("/bin/sh", "-c", script), force).Report(t)
		if want := []int{int(syscall.SIGHUP), int(syscall.SIGINT)}; !slices.Equal(got.Ignored, want) {
			t.Errorf("ignored signals %v: want %v", got.Ignored, want)
		}
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
			t.Fatal(err)
		}
		want := min(limit.Max, 512) // dash and bash count blocks of 512 or 1024 bytes
		if got.CoreLimit != want && got.CoreLimit != 2*want {
			t.Errorf("core file limit %d: want %d or %d", got.CoreLimit, want, 2*want)
		}
	})
}

func TestEndsBySignal(t *testing.T) {
	probe := testenv.Probe(t)
	cmd := exec.Command(probe.Packed, "-forever")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v: want SIGTERM", cmd.ProcessState)
	}
}

// TestMemoryIsLikeThePlainOnes compares the protection of the running
// variant's pages with the plain program's, byte range by byte range.
func TestMemoryIsLikeThePlainOnes(t *testing.T) {
	probe := testenv.Probe(t)
	for _, level := range probetest.Runnable(t) {
		t.Run(level.String(), func(t *testing.T) {
			plain := mappingsOf(t, probe.Variants[level], "")
			packed := mappingsOf(t, probe.Packed, "GOMULTIARCH=level="+level.String())
			low, high := plain[0].start, plain[0].end
			for _, m := range plain {
				if m.start < 1<<31 {
					high = m.end
				}
			}
			for at := low; at < high; at += uint64(os.Getpagesize()) {
				if want, got := protectionAt(plain, at), protectionAt(packed, at); got != want {
					t.Fatalf("page %#x is %q: want %q as in the plain program", at, got, want)
				}
			}
		})
	}
}

func TestNoPageIsWritableAndExecutable(t *testing.T) {
	probe := testenv.Probe(t)
	for _, m := range mappingsOf(t, probe.Packed, "") {
		if strings.Contains(m.protection, "w") && strings.Contains(m.protection, "x") {
			t.Errorf("%#x to %#x is %s", m.start, m.end, m.protection)
		}
	}
}

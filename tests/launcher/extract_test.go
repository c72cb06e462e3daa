package launcher_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func TestExtract(t *testing.T) {
	probe := testenv.Probe(t)
	for _, level := range probetest.Runnable(t) {
		for _, env := range [][]string{
			{"GOMULTIARCH=extract,level=" + level.String()},
			{"MGODEBUG=extract", "GOAMD64=" + level.String()},
		} {
			got := probetest.Start(t, exec.Command(probe.Packed), env...)
			if got.Status != 0 || !bytes.Equal([]byte(got.Stdout), probetest.Read(t, probe.Variants[level])) {
				t.Errorf("%v: status %d, %d bytes, %q: want the %v variant", env, got.Status, len(got.Stdout), got.Stderr, level)
			}
		}
	}
}

func TestExtractRefuses(t *testing.T) {
	probe := testenv.Probe(t)

	grown := filepath.Join(t.TempDir(), "grown")
	if err := os.WriteFile(grown, append(probetest.Read(t, probe.Packed), 0), 0o755); err != nil {
		t.Fatal(err)
	}
	got := probetest.Start(t, exec.Command(grown), "GOMULTIARCH=extract")
	if want := "grown: cannot extract: this program's file is not as it was packed (was it stripped?)\n"; got.Status != 127 || got.Stderr != want || got.Stdout != "" {
		t.Errorf("changed file: status %d, %q: want 127, %q", got.Status, got.Stderr, want)
	}

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := exec.Command(probe.Packed)
	cmd.Stdout = full
	got = probetest.Start(t, cmd, "GOMULTIARCH=extract,level=v1")
	if want := "cannot write GOAMD64=v1 to standard output: error 28\n"; got.Status != 127 || !strings.HasSuffix(got.Stderr, want) {
		t.Errorf("full device: status %d, %q: want 127, %q", got.Status, got.Stderr, want)
	}
}

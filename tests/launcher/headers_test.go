package launcher_test

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestDamagedProgramHeaders changes every bit of every PT_LOAD in turn. A level runs as
// it should, or not at all: the kernel or the launcher refuses it, or a signal ends it
// before it has done anything.
func TestDamagedProgramHeaders(t *testing.T) {
	const headerSize, entrySize = 64, 56
	probe := testenv.Probe(t)
	data := probetest.Read(t, probe.Packed)
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "changed")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(at int, b byte) {
		out, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteAt([]byte{b}, int64(at)); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
	}
	refused := regexp.MustCompile(`^changed: (damaged launcher table|damaged: GOAMD64=v. is not where it was packed|cannot map GOAMD64=v. into memory: error \d+)\n$`)
	ends, found := map[string]int{}, 0
	for i, p := range file.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		for at := range entrySize {
			for bit := range 8 {
				offset := headerSize + i*entrySize + at
				write(offset, data[offset]^1<<bit)
				for _, level := range probetest.Runnable(t) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					cmd := exec.CommandContext(ctx, path, "-quiet", "-exit=9")
					cmd.Env = []string{"GOMULTIARCH=level=" + level.String()}
					var stdout, stderr bytes.Buffer
					cmd.Stdout, cmd.Stderr = &stdout, &stderr
					err := cmd.Run()
					cancel()
					end := "no start"
					if cmd.ProcessState != nil {
						end = cmd.ProcessState.String()
					}
					ends[end]++
					if end == "exit status 9" && stderr.Len() == 0 {
						continue
					}
					if strings.Contains(stderr.String(), "is not where it was packed") {
						found++
					}
					if message := stderr.String(); err == nil || stdout.Len() > 0 || message != "" && !refused.MatchString(message) {
						t.Errorf("segment %d, byte %d, bit %d, %v: %v, printed %q, %.200q", i, at, bit, level, err, stdout.String(), message)
					}
				}
				write(offset, data[offset])
			}
		}
	}
	t.Log(fmt.Sprint(ends), found, "found by checks")
	if found == 0 {
		t.Error("no check has found anything")
	}
}

package launcher_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"rules_go_multiarch/tests/probetest"
)

// mapping is a line of /proc/PID/maps.
type mapping struct {
	start, end uint64
	protection string // r, w, x, p
}

// mappingsOf starts the probe and reads its memory map once it has reported.
func mappingsOf(t *testing.T, path, env string) []mapping {
	t.Helper()
	cmd := exec.Command(path, "-forever")
	cmd.Env = []string{env}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	var mappings []mapping
	for _, line := range strings.Split(string(probetest.Read(t, fmt.Sprintf("/proc/%d/maps", cmd.Process.Pid))), "\n") {
		var m mapping
		if _, err := fmt.Sscanf(line, "%x-%x %s", &m.start, &m.end, &m.protection); err == nil {
			mappings = append(mappings, m)
		}
	}
	if len(mappings) == 0 {
		t.Fatal("no mappings")
	}
	return mappings
}

// protectionAt returns the protection of the page at an address, or "".
func protectionAt(mappings []mapping, at uint64) string {
	for _, m := range mappings {
		if m.start <= at && at < m.end {
			return m.protection
		}
	}
	return ""
}

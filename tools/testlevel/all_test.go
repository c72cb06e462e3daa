package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
)

func TestBest(t *testing.T) {
	for _, test := range []struct {
		levels []goamd64.Level
		cpu    goamd64.Level
		want   goamd64.Level
	}{
		{[]goamd64.Level{1, 2, 3, 4}, 3, 3},
		{[]goamd64.Level{4, 1, 2}, 3, 2},
		{[]goamd64.Level{3, 1}, 4, 3},
		{[]goamd64.Level{4, 3}, 1, 3}, // which an emulator may run
		{[]goamd64.Level{3, 4}, 1, 3},
	} {
		if got := best(test.levels, test.cpu); got != test.want {
			t.Errorf("best(%v, %v) = %v, want %v", test.levels, test.cpu, got, test.want)
		}
	}
}

// TestAll wants the test of every level to run, with folders and a report of its own, and one
// failure to be a failure of all.
func TestAll(t *testing.T) {
	self := write(t, `{"label": "//some:test", "levels": ["v1", "v3"]}`)
	for level, status := range map[string]string{"v1": "1", "v3": "0"} {
		script := `#!/bin/sh
echo "$TEST_TMPDIR $TEST_UNDECLARED_OUTPUTS_DIR $COVERAGE_DIR $*"
echo '<testsuites><testsuite name="` + level + `"></testsuite></testsuites>' >"$XML_OUTPUT_FILE"
exit ` + status + "\n"
		if err := os.WriteFile(self+"_"+level, []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	report := filepath.Join(dir, "test.xml")
	t.Setenv("BUILD_WORKSPACE_DIRECTORY", "")
	t.Setenv("COVERAGE_DIR", filepath.Join(dir, "coverage"))
	t.Setenv("TEST_TMPDIR", filepath.Join(dir, "tmp"))
	t.Setenv("TEST_UNDECLARED_OUTPUTS_DIR", filepath.Join(dir, "outputs"))
	t.Setenv("XML_OUTPUT_FILE", report)

	var stdout, stderr bytes.Buffer
	if status := run([]string{self, "-test.v"}, &stdout, &stderr); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	want := strings.ReplaceAll("D/tmp/v1 D/outputs/v1 D/coverage/v1 -test.v\nD/tmp/v3 D/outputs/v3 D/coverage/v3 -test.v\n", "D", dir)
	if stdout.String() != want {
		t.Errorf("prints %q, want %q", &stdout, want)
	}
	if !strings.Contains(stderr.String(), "//some:test fails at v1; to run one level alone, use //some:test_v1\n") {
		t.Errorf("says %q", &stderr)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range []string{`<testsuites><testsuite name="v1">`, `<testsuite name="v3"></testsuite></testsuites>`} {
		if strings.Count(string(text), suite) != 1 {
			t.Errorf("test.xml has not %s once:\n%s", suite, text)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, "outputs")); err != nil || len(left) > 0 {
		t.Errorf("empty folders are left among the outputs: %v, %v", left, err)
	}
	if others, err := filepath.Glob(report + ".*"); err != nil || len(others) > 0 {
		t.Errorf("left behind: %q, %v", others, err)
	}
}

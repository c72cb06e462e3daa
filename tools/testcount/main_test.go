package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const bazelEvents = `{"id":{"testSummary":{"label":"//a:a_test"}},"testSummary":{"overallStatus":"PASSED"}}
{"id":{"testSummary":{"label":"//b:b_test"}},"testSummary":{"overallStatus":"FAILED"}}
{"id":{"testSummary":{"label":"//c:c_test"}},"testSummary":{"overallStatus":"TIMEOUT"}}
{"id":{"targetCompleted":{"label":"//d:d_test"}},"aborted":{"reason":"SKIPPED"}}
{"id":{"targetCompleted":{"label":"//a:a_test"}},"completed":{"success":true}}
`

const goEvents = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p"}
{"Action":"skip","Package":"none"}
`

const goSkippedSubtest = `{"Action":"skip","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`

const goFailures = `{"Action":"output","Package":"q","Test":"TestC/sub","Output":"no such thing\n"}
{"Action":"fail","Package":"q","Test":"TestC"}
{"Action":"fail","Package":"q"}
not an event
{"ImportPath":"broken [broken.test]","Action":"build-output","Output":"syntax error\n"}
{"Action":"fail","Package":"broken","FailedBuild":"broken [broken.test]"}
`

func TestCounts(t *testing.T) {
	for name, test := range map[string]struct {
		flags  []string
		inputs []string
		status int
		want   string
	}{
		"nothing":            {inputs: []string{""}, status: 1, want: "0 passed, 0 failed, 0 skipped\n"},
		"Bazel":              {inputs: []string{bazelEvents}, status: 1, want: "1 passed, 2 failed, 1 skipped\n"},
		"Go":                 {inputs: []string{goEvents}, status: 1, want: "1 passed, 0 failed, 1 skipped\n"},
		"Go, may skip":       {flags: []string{"-may-skip", `^p\.TestB$`}, inputs: []string{goEvents}, want: "1 passed, 0 failed, 1 skipped\n"},
		"Go, may skip other": {flags: []string{"-may-skip", `^p\.TestX$`}, inputs: []string{goEvents}, status: 1, want: "1 passed, 0 failed, 1 skipped\n"},
		"a skipped subtest":  {inputs: []string{goSkippedSubtest}, status: 1, want: "1 passed, 0 failed, 0 skipped\n"},
		"a broken package":   {inputs: []string{goFailures}, status: 1, want: "0 passed, 2 failed, 0 skipped\n"},
		"both":               {inputs: []string{bazelEvents, goEvents}, status: 1, want: "2 passed, 2 failed, 2 skipped\n"},
	} {
		t.Run(name, func(t *testing.T) {
			args := test.flags
			for i, input := range test.inputs {
				path := filepath.Join(t.TempDir(), string(rune('a'+i)))
				if err := os.WriteFile(path, []byte(input), 0o644); err != nil {
					t.Fatal(err)
				}
				args = append(args, path)
			}
			var stdout, stderr bytes.Buffer
			if status := run(args, &stdout, &stderr); status != test.status || stdout.String() != test.want {
				t.Errorf("status %d, %q (%q): want %d, %q", status, stdout.String(), stderr.String(), test.status, test.want)
			}
		})
	}
}

func TestOutputOfFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(path, []byte(goFailures), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	run([]string{path}, &stdout, &stderr)
	const want = "failed: broken\nsyntax error\nfailed: q.TestC\nno such thing\n"
	if stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}

func TestReasonOfSkippedSubtest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	events := `{"Action":"output","Package":"p","Test":"TestA/sub","Output":"no compiler\n"}` + "\n" + goSkippedSubtest
	if err := os.WriteFile(path, []byte(events), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	run([]string{path}, &stdout, &stderr)
	const want = "skipped: p.TestA/sub\nno compiler\n"
	if stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}

func TestSlowest(t *testing.T) {
	const events = `{"Action":"pass","Package":"p","Test":"TestA/sub","Elapsed":30}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":2.4}
{"Action":"pass","Package":"p","Test":"TestB","Elapsed":12}
{"Action":"pass","Package":"q","Test":"TestA","Elapsed":1}
{"Action":"pass","Package":"p","Elapsed":14}
`
	path := filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(path, []byte(events), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	run([]string{"-slowest", "2", path}, &stdout, &stderr)
	const want = "   12 s p.TestB\n    2 s p.TestA\n"
	if stderr.String() != want {
		t.Errorf("%q, want %q", stderr.String(), want)
	}
}

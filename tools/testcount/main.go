// Testcount adds up what Bazel and "go test" ran and prints one line:
//
//	N passed, N failed, N skipped
//
// It reads files of "bazel test --build_event_json_file" and of "go test -json"
// and tells them apart itself. Tests that did not pass are named on standard
// error. The exit status is 1 when a test failed, none ran, or one was skipped
// that -may-skip does not match.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("testcount", flag.ContinueOnError)
	flags.SetOutput(stderr)
	maySkip := flags.String("may-skip", "^$", "regular expression of tests that may be skipped")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	allowed, err := regexp.Compile(*maySkip)
	if err != nil {
		fmt.Fprintln(stderr, "testcount: -may-skip:", err)
		return 2
	}
	results := map[string]outcome{}
	for _, path := range flags.Args() {
		file, err := os.Open(path)
		if err == nil {
			err = read(file, results)
			file.Close()
		}
		if err != nil {
			fmt.Fprintf(stderr, "testcount: %s: %v\n", path, err)
			return 2
		}
	}

	var names []string
	for name := range results {
		names = append(names, name)
	}
	slices.Sort(names)
	count := map[outcome]int{}
	status := 0
	for _, name := range names {
		o := results[name]
		count[o]++
		if o != passed {
			fmt.Fprintf(stderr, "%s: %s\n", o, name)
		}
		if o == failed || o == skipped && !allowed.MatchString(name) {
			status = 1
		}
	}
	if count[passed] == 0 {
		status = 1
	}
	fmt.Fprintf(stdout, "%d passed, %d failed, %d skipped\n", count[passed], count[failed], count[skipped])
	return status
}

// outcome is how a test ended.
type outcome string

const (
	passed  outcome = "passed"
	failed  outcome = "failed"
	skipped outcome = "skipped"
)

// event is what is needed of a line of either format: Bazel's BuildEvent
// (build_event_stream.proto) and go test's TestEvent ("go doc test2json").
type event struct {
	// Bazel
	ID struct {
		TestSummary     *struct{ Label string }
		TargetCompleted *struct{ Label string }
	}
	TestSummary struct{ OverallStatus string }
	Aborted     *struct{ Reason string }

	// go test
	Action, Package, Test string
	FailedBuild           string
}

// read adds the tests in r to results.
func read(r io.Reader, results map[string]outcome) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && line[0] == '{' {
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				return err
			}
			e.add(results)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (e *event) add(results map[string]outcome) {
	switch {
	case e.ID.TestSummary != nil && e.TestSummary.OverallStatus == "PASSED":
		results[e.ID.TestSummary.Label] = passed
	case e.ID.TestSummary != nil:
		results[e.ID.TestSummary.Label] = failed
	case e.ID.TargetCompleted != nil && e.Aborted != nil && e.Aborted.Reason == "SKIPPED":
		results[e.ID.TargetCompleted.Label] = skipped

	case e.Test == "" && e.Action == "fail":
		// A package fails with one of its tests, or on its own: it does not
		// compile, or TestMain fails.
		if !anyFailed(results, e.Package) {
			results[e.Package] = failed
		}
	case e.Test == "" || strings.Contains(e.Test, "/"):
	case e.Action == "pass":
		results[e.Package+"."+e.Test] = passed
	case e.Action == "fail":
		results[e.Package+"."+e.Test] = failed
	case e.Action == "skip":
		results[e.Package+"."+e.Test] = skipped
	}
}

func anyFailed(results map[string]outcome, pkg string) bool {
	for name, o := range results {
		if o == failed && strings.HasPrefix(name, pkg+".") {
			return true
		}
	}
	return false
}

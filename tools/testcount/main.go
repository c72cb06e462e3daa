// Testcount adds up what Bazel and "go test" ran and prints one line:
//
//	N passed, N failed, N skipped
//
// It reads files of "bazel test --build_event_json_file" and of "go test -json"
// and tells them apart itself. Tests that did not pass are named on standard
// error, with what Go ones printed, and so are the -slowest ones of Go with their
// seconds. The exit status is 1 when a test failed, none ran, or one was skipped
// that -may-skip does not match. Subtests are not counted, but may not be skipped
// either.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
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
	slowest := flags.Int("slowest", 0, "name so many of the slowest Go tests")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	allowed, err := regexp.Compile(*maySkip)
	if err != nil {
		fmt.Fprintln(stderr, "testcount: -may-skip:", err)
		return 2
	}
	results := &results{outcomes: map[string]outcome{}, subtests: map[string]bool{}, output: map[string]string{}, seconds: map[string]float64{}}
	for _, path := range flags.Args() {
		file, err := os.Open(path)
		if err == nil {
			err = results.read(file)
			file.Close()
		}
		if err != nil {
			fmt.Fprintf(stderr, "testcount: %s: %v\n", path, err)
			return 2
		}
	}

	var names []string
	for name := range results.outcomes {
		names = append(names, name)
	}
	slices.Sort(names)
	results.writeSlowest(stderr, *slowest)
	count := map[outcome]int{}
	status := 0
	for _, name := range names {
		o := results.outcomes[name]
		if !results.subtests[name] {
			count[o]++
		}
		if o != passed {
			fmt.Fprintf(stderr, "%s: %s\n%s", o, name, results.output[name])
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
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
	// Of a build that failed: the package, in its own events and in the test's.
	ImportPath, FailedBuild string
}

// results has what is known of tests by name: Bazel's label, or package and
// name joined by a dot.
type results struct {
	outcomes map[string]outcome
	subtests map[string]bool
	// output is what a test and its subtests printed.
	output map[string]string
	// seconds is how long Go tests took.
	seconds map[string]float64
}

// writeSlowest names the n slowest tests.
func (s *results) writeSlowest(w io.Writer, n int) {
	names := slices.SortedFunc(maps.Keys(s.seconds), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.seconds[b], s.seconds[a]), cmp.Compare(a, b))
	})
	for _, name := range names[:min(n, len(names))] {
		fmt.Fprintf(w, "%5.0f s %s\n", s.seconds[name], name)
	}
}

// read adds the tests in r.
func (s *results) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && line[0] == '{' {
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				return err
			}
			s.add(&e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *results) add(e *event) {
	if e.Package != "" || e.ImportPath != "" {
		s.addGo(e)
		return
	}
	switch {
	case e.ID.TestSummary != nil && e.TestSummary.OverallStatus == "PASSED":
		s.outcomes[e.ID.TestSummary.Label] = passed
	case e.ID.TestSummary != nil:
		s.outcomes[e.ID.TestSummary.Label] = failed
	case e.ID.TargetCompleted != nil && e.Aborted != nil && e.Aborted.Reason == "SKIPPED":
		s.outcomes[e.ID.TargetCompleted.Label] = skipped
	}
}

func (s *results) addGo(e *event) {
	test, _, isSubtest := strings.Cut(e.Test, "/")
	name := e.Package + "." + test
	if test == "" {
		name = cmp.Or(e.Package, e.ImportPath)
	}
	if e.Elapsed > 0 && test != "" && !isSubtest {
		s.seconds[name] = e.Elapsed
	}
	switch {
	case e.Action == "output" || e.Action == "build-output":
		s.output[name] += e.Output
		if isSubtest { // as that alone is named when it is skipped
			s.output[e.Package+"."+e.Test] += e.Output
		}
	case e.Action == "skip" && isSubtest:
		s.outcomes[e.Package+"."+e.Test] = skipped
		s.subtests[e.Package+"."+e.Test] = true
	case isSubtest:
	case e.Action == "fail" && test == "":
		// A package fails with one of its tests, or on its own: it does not
		// compile, or TestMain fails.
		if !s.anyFailed(e.Package) {
			s.outcomes[e.Package] = failed
			s.output[e.Package] += s.output[e.FailedBuild]
		}
	case test == "":
	case e.Action == "pass":
		s.outcomes[name] = passed
	case e.Action == "fail":
		s.outcomes[name] = failed
	case e.Action == "skip":
		s.outcomes[name] = skipped
	}
}

func (s *results) anyFailed(pkg string) bool {
	for name, o := range s.outcomes {
		if o == failed && strings.HasPrefix(name, pkg+".") {
			return true
		}
	}
	return false
}

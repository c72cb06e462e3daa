package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"rules_go_multiarch/internal/goamd64"
)

// startAll tests all levels of s in turn. Under "bazel run" it starts the best one alone.
func startAll(s *settings, self string, args []string, stdout, stderr io.Writer) error {
	// Bazel sets it for "bazel run" alone.
	if os.Getenv("BUILD_WORKSPACE_DIRECTORY") != "" {
		test := self + "_" + best(s.levels, cpu()).String()
		if err := syscall.Exec(test, append([]string{test}, args...), os.Environ()); err != nil {
			return fmt.Errorf("starting %s: %w", test, err)
		}
	}

	var failed []string
	var merged reports
	for _, level := range s.levels {
		test := self + "_" + level.String()
		env, report, folders, err := own(level)
		if err != nil {
			return fmt.Errorf("preparing %s: %w", test, err)
		}
		fmt.Fprintf(stderr, "testlevel: %s at %v\n", s.Label, level)
		c := exec.Command(test, args...)
		c.Env, c.Stdout, c.Stderr = env, stdout, stderr
		var status *exec.ExitError
		if err := c.Run(); errors.As(err, &status) {
			failed = append(failed, level.String())
		} else if err != nil {
			return fmt.Errorf("starting %s: %w", test, err)
		}
		for _, folder := range folders {
			os.Remove(folder) // only if it is empty: Bazel archives outputs where there are any
		}
		if err := merged.add(report); err != nil {
			return fmt.Errorf("reading what %s reports: %w", test, err)
		}
	}
	if err := merged.write(os.Getenv("XML_OUTPUT_FILE")); err != nil {
		return fmt.Errorf("reporting the tests of all levels: %w", err)
	}
	if len(failed) > 0 {
		return fmt.Errorf("%s fails at %s; to run one level alone, use %[1]s_%[3]s", s.Label, strings.Join(failed, ", "), failed[0])
	}
	return nil
}

// best returns the highest level that the CPU runs, or the lowest one.
func best(levels []goamd64.Level, cpu goamd64.Level) goamd64.Level {
	best := levels[0]
	for _, level := range levels {
		if level < best && best > cpu || level > best && level <= cpu {
			best = level
		}
	}
	return best
}

// own returns the environment of the test of a level, which has folders and a report of its own
// wherever Bazel has one for the test; the name of that report, or ""; and those folders.
func own(level goamd64.Level) (env []string, report string, folders []string, err error) {
	env = os.Environ()
	for _, name := range []string{"COVERAGE_DIR", "TEST_TMPDIR", "TEST_UNDECLARED_OUTPUTS_DIR"} {
		if folder := os.Getenv(name); folder != "" {
			folder = filepath.Join(folder, level.String())
			if err := os.MkdirAll(folder, 0o777); err != nil {
				return nil, "", nil, err
			}
			folders = append(folders, folder)
			env = append(env, name+"="+folder)
		}
	}
	if report = os.Getenv("XML_OUTPUT_FILE"); report != "" {
		report += "." + level.String()
		env = append(env, "XML_OUTPUT_FILE="+report)
	}
	return env, report, folders, nil
}

// reports has the suites of several reports, as they stand there.
type reports []string

// add takes the suites of a report, if there is one, and removes it.
func (r *reports) add(report string) error {
	text, err := os.ReadFile(report)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Text    string   `xml:",innerxml"`
	}
	if err := xml.Unmarshal(text, &suites); err != nil {
		return err
	}
	*r = append(*r, suites.Text)
	return os.Remove(report)
}

func (r reports) write(path string) error {
	if path == "" || len(r) == 0 {
		return nil
	}
	return os.WriteFile(path, []byte(xml.Header+"<testsuites>"+strings.Join(r, "")+"</testsuites>\n"), 0o666)
}

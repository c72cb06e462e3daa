package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
)

// suites is test.xml in the form that rules_go writes.
type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suite   suite    `xml:"testsuite"`
}

type suite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
	Case     struct {
		Class   string `xml:"classname,attr"`
		Name    string `xml:"name,attr"`
		Time    string `xml:"time,attr"`
		Skipped struct {
			Message string `xml:"message,attr"`
		} `xml:"skipped"`
	} `xml:"testcase"`
}

// skip reports the test as skipped, everywhere Bazel lets a test report.
func skip(s *settings, reason string, stdout io.Writer) error {
	fmt.Fprintf(stdout, "--- SKIP: %s\n    %s\n", s.Label, reason)
	if path := os.Getenv("XML_OUTPUT_FILE"); path != "" {
		report := suites{Suite: suite{Name: s.Label, Tests: 1, Skipped: 1, Time: "0"}}
		_, name, _ := strings.Cut(s.Label, ":")
		report.Suite.Case.Class, report.Suite.Case.Name, report.Suite.Case.Time = s.Label, name, "0"
		report.Suite.Case.Skipped.Message = reason
		text, err := xml.MarshalIndent(report, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o666); err != nil {
			return fmt.Errorf("reporting that the test is skipped: %w", err)
		}
	}
	// Bazel fails tests that do not say that they know of shards.
	if path := os.Getenv("TEST_SHARD_STATUS_FILE"); path != "" {
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			return fmt.Errorf("saying that the test knows of shards: %w", err)
		}
	}
	return nil
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rules_go_multiarch/bench/internal/figures"
)

// metrics is what a build of the first phases took.
type metrics struct {
	seconds   float64 // by a new server
	processor float64 // seconds that all processors gave that server
	again     float64 // by the same, with nothing changed
	heap      float64 // of the server after a collection, MiB
	targets   int     // configured ones
	actions   int     // made, whether or not they would run

	runs, processes int // see countRuns

	noop float64 // seconds of a build with nothing to do, or 0
}

type bazel struct{ dir, program string }

// measure loads and analyses targets.
func (b bazel) measure(targets string) (metrics, error) {
	if _, err := b.run("shutdown"); err != nil {
		return metrics{}, err
	}
	// The server is there when time begins.
	pid, err := b.run("info", "server_pid")
	if err != nil {
		return metrics{}, err
	}
	before, err := processorTime(pid)
	if err != nil {
		return metrics{}, err
	}
	events := filepath.Join(b.dir, "events.json")
	begin := time.Now()
	if _, err := b.run("build", "--nobuild", "--build_event_json_file="+events, targets); err != nil {
		return metrics{}, err
	}
	m := metrics{seconds: time.Since(begin).Seconds()}
	after, err := processorTime(pid)
	if err != nil {
		return metrics{}, err
	}
	m.processor = (after - before).Seconds()
	begin = time.Now()
	if _, err := b.run("build", "--nobuild", targets); err != nil {
		return metrics{}, err
	}
	m.again = time.Since(begin).Seconds()
	heap, err := b.run("info", "used-heap-size-after-gc")
	if err != nil {
		return metrics{}, err
	}
	mib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(heap), "MB"))
	if err != nil {
		return metrics{}, fmt.Errorf("reading the heap's size: %w", err)
	}
	m.heap = float64(mib)
	return m, m.read(events)
}

// processorTime returns the time that a process has had of all processors.
func processorTime(pid string) (time.Duration, error) {
	path := filepath.Join("/proc", strings.TrimSpace(pid), "stat")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading the processor time of Bazel's server: %w", err)
	}
	// proc_pid_stat(5): utime and stime are fields 14 and 15, in ticks of 10 ms; the name, field 2, may contain spaces.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s: %d fields behind the name, want 13 or more", path, len(fields))
	}
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// measureNoop builds targets, and then so many times again. It returns the median
// of the latter in seconds.
func (b bazel) measureNoop(targets string, times int) (float64, error) {
	if _, err := b.run("build", targets); err != nil {
		return 0, err
	}
	var seconds []float64
	for range times {
		begin := time.Now()
		if _, err := b.run("build", targets); err != nil {
			return 0, err
		}
		seconds = append(seconds, time.Since(begin).Seconds())
	}
	return figures.Median(seconds), nil
}

// read takes what Bazel counted from the file of its events.
func (m *metrics) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	// Names of build_event_stream.proto.
	for decoder := json.NewDecoder(file); ; {
		var event struct {
			BuildMetrics *struct {
				ActionSummary struct{ ActionsCreated string }
				TargetMetrics struct{ TargetsConfigured string }
			}
		}
		if err := decoder.Decode(&event); err == io.EOF {
			return fmt.Errorf("%s: no metrics in it", path)
		} else if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if event.BuildMetrics == nil {
			continue
		}
		if m.actions, err = strconv.Atoi(event.BuildMetrics.ActionSummary.ActionsCreated); err != nil {
			return fmt.Errorf("%s: number of actions: %w", path, err)
		}
		if m.targets, err = strconv.Atoi(event.BuildMetrics.TargetMetrics.TargetsConfigured); err != nil {
			return fmt.Errorf("%s: number of configured targets: %w", path, err)
		}
		return nil
	}
}

// run returns standard output.
func (b bazel) run(args ...string) (string, error) {
	cmd := exec.Command(b.program, args...)
	cmd.Dir = b.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("bazel %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// kind is what processes are made of.
type kind struct{ name, path string }

// Fields of smaps_rollup, in KiB: proc(5).
const (
	pss          = "Pss"
	pssAnonymous = "Pss_Anon"
	pssFile      = "Pss_File"
	pssShmem     = "Pss_Shmem"
)

var fields = []string{pss, pssAnonymous, pssFile, pssShmem}

// measure starts n processes of a kind, lets them come to rest, and returns the
// sums of their fields.
func measure(k kind, n int) (map[string]float64, error) {
	var running []*process
	defer func() {
		for _, p := range running {
			p.stop()
		}
	}()
	for range n {
		p, err := start(k)
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", k.name, err)
		}
		running = append(running, p)
	}
	for _, p := range running {
		if _, err := io.Copy(io.Discard, p.stdout); err != nil {
			return nil, fmt.Errorf("waiting for %s: %w", k.name, err)
		}
	}
	sum := make(map[string]float64)
	for _, p := range running {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
		if err != nil {
			return nil, fmt.Errorf("measuring %s: %w", k.name, err)
		}
		if err := add(sum, string(text)); err != nil {
			return nil, fmt.Errorf("measuring %s: %w", k.name, err)
		}
	}
	return sum, nil
}

// add adds the fields of a smaps_rollup to sum.
func add(sum map[string]float64, text string) error {
	found := make(map[string]float64)
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		value, isSize := strings.CutSuffix(strings.TrimSpace(rest), " kB")
		if number, err := strconv.ParseFloat(value, 64); isSize && err == nil {
			found[name] = number
		}
	}
	for _, field := range fields {
		value, ok := found[field]
		if !ok {
			return fmt.Errorf("smaps_rollup has no %s: want Linux 5.4 or later", field)
		}
		sum[field] += value
	}
	return nil
}

// process is one that closes its standard output when it rests, and ends with
// its standard input.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout io.Reader
}

func start(k kind) (*process, error) {
	cmd := exec.Command(k.path, "rest")
	cmd.Env = []string{}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	return &process{cmd, stdin, stdout}, cmd.Start()
}

func (p *process) stop() {
	p.stdin.Close()
	p.cmd.Wait()
}

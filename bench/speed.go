package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// program is a program of others.
type program struct {
	name, pkg string
	args      []string
	input     bool // give it the list of paths
}

// Versions are in bench/real/go.mod.
var programs = []program{
	{"fzf", "github.com/junegunn/fzf", []string{"--filter", "mod9 ile1 go$"}, true},
	{"s2c", "github.com/klauspost/compress/s2/cmd/s2c", []string{"-q", "-c", "-slower", "-cpu", "1", "-"}, true},
	{"gofmt", "cmd/gofmt", []string{"-l", filepath.Join(runtime.GOROOT(), "src", "net", "http"), filepath.Join(runtime.GOROOT(), "src", "runtime")}, false},
}

// speed compares the levels of real programs.
func speed(c *collection) ([]Figure, error) {
	packer, list := filepath.Join(c.dir, "packer"), filepath.Join(c.dir, "list")
	if err := command("", "go", "build", "-o", packer, "./tools/packer"); err != nil {
		return nil, err
	}
	if err := writeList(list); err != nil {
		return nil, err
	}
	var found []Figure
	for _, p := range programs {
		out := filepath.Join(c.dir, p.name)
		if err := command("bench/real", packer, "build", "-o", out, p.pkg); err != nil {
			return nil, err
		}
		args := []string{"bench", "--json", "--rounds", c.rounds(20, 6), "--max-rounds", c.rounds(60, 6)}
		if p.input {
			args = append(args, "-stdin", list)
		}
		args = append(append(args, out, "--"), p.args...)
		bench := exec.Command(packer, args...)
		bench.Stderr = os.Stderr
		text, err := bench.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", bench, err)
		}
		var report struct {
			Levels []struct {
				Level, Verdict                     string
				Median, Ratio, RatioLow, RatioHigh float64
			}
		}
		if err := json.Unmarshal(text, &report); err != nil {
			return nil, err
		}
		f := Figure{Name: "speed-" + p.name, Title: "Speed of " + p.name + " by level", Command: "packer bench " + p.name}
		for _, l := range report.Levels {
			f.Rows = append(f.Rows, Row{l.Level + ", " + l.Verdict, l.Median * 1e3, "ms", l.Ratio, l.RatioLow, l.RatioHigh})
		}
		found = append(found, f)
	}
	return found, nil
}

// writeList writes paths such as a large checkout has.
func writeList(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	for i := range 400000 {
		fmt.Fprintf(w, "src/module%d/package_%x/file%d.go\n", i%97, i*2654435761%65521, i)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// command runs a command in a directory.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// tool runs a program of this module and reads the JSON that it writes to the
// file behind -json.
func (c *collection) tool(into any, name string, args ...string) (command string, err error) {
	report := filepath.Join(c.dir, "report.json")
	cmd := exec.Command("go", append([]string{"run", "./bench/" + name, "-json", report}, args...)...)
	cmd.Stderr = os.Stderr
	if out, err := cmd.Output(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return "", err
	}
	return strings.Join(append([]string{"go run ./bench/" + name}, args...), " "), json.Unmarshal(text, into)
}

// rounds returns a number of rounds.
func (c *collection) rounds(all, quick int) string {
	if c.quick {
		all = quick
	}
	return strconv.Itoa(all)
}

// cpuidRow is what the launcher's CPUID instructions add to a program that exits
// at once.
const cpuidRow = "CPUID alone"

// startup measures the time from start to exit, and the sizes of the files.
func startup(c *collection) ([]Figure, error) {
	var found []Figure
	programs := []int{0, 15, 60} // megabytes, 0 for the small one
	if c.quick {
		programs = programs[:1] // The others take minutes to build.
	}
	for _, size := range programs {
		var report struct {
			Commands []struct {
				Name         string
				Bytes        float64
				Wall         struct{ Median float64 }
				Ratio, Error float64
			}
			CPUID float64
		}
		rounds, blocks := c.rounds(2000, 40), c.rounds(20, 20)
		if size > 0 {
			// Large programs differ more from one reading of their file to the next.
			rounds, blocks = c.rounds(1000, 20), c.rounds(50, 20)
		}
		command, err := c.tool(&report, "startup", "-rounds", rounds, "-blocks", blocks, "-size-mb", strconv.Itoa(size))
		if err != nil {
			return nil, err
		}
		name := "small"
		if size > 0 {
			name = fmt.Sprintf("%dmb", size)
		}
		first := report.Commands[0]
		megabytes := first.Bytes / 1e6
		times := Figure{Name: "startup-" + name, Title: fmt.Sprintf("Start to exit, program of %.1f MB", megabytes), Command: command}
		sizes := Figure{Name: "size-" + name, Title: fmt.Sprintf("Size of the file, program of %.1f MB", megabytes), Command: command}
		for _, row := range report.Commands {
			spread := row.Error / first.Wall.Median
			times.Rows = append(times.Rows, Row{row.Name, row.Wall.Median, "µs", row.Ratio, row.Ratio - spread, row.Ratio + spread})
			if row.Name == "packed" || row.Name == "memfd" || len(sizes.Rows) == 0 {
				sizes.Rows = append(sizes.Rows, Row{Name: row.Name, Value: row.Bytes / 1e6, Unit: "MB", Ratio: row.Bytes / first.Bytes})
			}
		}
		times.Rows = append(times.Rows, Row{Name: cpuidRow, Value: report.CPUID, Unit: "µs", Ratio: report.CPUID / first.Wall.Median})
		found = append(found, times, sizes)
	}
	return found, nil
}

// memory measures what processes of one program take.
func memory(c *collection) ([]Figure, error) {
	var found []Figure
	size, title := "60", "60 MB"
	if c.quick {
		size, title = "0", "2.5 MB"
	}
	for _, processes := range []string{"1", "8"} {
		var report struct {
			Commands []struct {
				Name string
				PSS  float64
			}
		}
		command, err := c.tool(&report, "memory", "-processes", processes, "-rounds", c.rounds(21, 3), "-size-mb", size)
		if err != nil {
			return nil, err
		}
		f := Figure{
			Name: "memory-" + processes, Title: "Memory (PSS) a process, of " + processes + " at a time, program of " + title, Command: command,
		}
		for _, row := range report.Commands {
			f.Rows = append(f.Rows, Row{Name: row.Name, Value: row.PSS / 1024, Unit: "MiB", Ratio: row.PSS / report.Commands[0].PSS})
		}
		found = append(found, f)
	}
	return found, nil
}

// pack measures packing against copying the same bytes.
func pack(c *collection) ([]Figure, error) {
	var report struct {
		Bytes, Copy, Pack, Memory float64
	}
	command, err := c.tool(&report, "pack", "-runs", c.rounds(11, 3))
	if err != nil {
		return nil, err
	}
	megabytes := report.Bytes / 1e6
	return []Figure{
		{
			Name: "pack-time", Title: fmt.Sprintf("Packing %.0f MB in four variants", megabytes), Command: command,
			Rows: []Row{
				{Name: "copying them", Value: report.Copy, Unit: "s", Ratio: 1},
				{Name: "packed", Value: report.Pack, Unit: "s", Ratio: report.Pack / report.Copy},
			},
		},
		{
			Name: "pack-memory", Title: "Largest resident memory of the packer", Command: command,
			Rows: []Row{
				{Name: "the files' size", Value: megabytes, Unit: "MB", Ratio: 1},
				{Name: "packed", Value: report.Memory, Unit: "MB", Ratio: report.Memory / megabytes},
			},
		},
	}, nil
}

// commit returns the commit that is checked out.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty=+", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"rules_go_multiarch/bench/internal/figures"
	"rules_go_multiarch/bench/probe"
)

// packedName is the command whose addition is told apart into CPUID and rest.
const packedName = "packed"

// report is what was measured, as -json writes it. Times are in microseconds.
type report struct {
	Machine figures.Machine `json:"machine"`
	Rounds  int             `json:"rounds"`
	Blocks  int             `json:"blocks"`
	CPU     int             `json:"cpu"`       // that everything ran on, or -1
	Ahead   int             `json:"readAhead"` // KiB, of the first command's file system, or 0
	Exit    float64         `json:"exit"`      // median of a program that exits at once
	CPUID   float64         `json:"cpuid"`     // what the launcher's CPUID instructions add to it
	Again   float64         `json:"again"`     // what executing them once more adds to that
	Rows    []row           `json:"commands"`
}

// row is one command. Ratio and Difference compare its median with that of the
// first command; Error is half the width of the difference's 95 % confidence
// interval.
type row struct {
	Name       string          `json:"name"`
	Bytes      int64           `json:"bytes"` // of its file
	Wall       figures.Summary `json:"wall"`
	CPUTime    figures.Summary `json:"cpuTime"`
	Faults     figures.Summary `json:"faults"`
	Ratio      float64         `json:"ratio"`
	Difference float64         `json:"difference"`
	Error      float64         `json:"error"`
}

// newReport describes the results of the commands, which those of the probes
// follow.
func newReport(o *options, commands []command, results []samples) *report {
	n := len(commands)
	exit, cpuid, again := figures.Median(results[n].wall), figures.Median(results[n+1].wall), figures.Median(results[n+2].wall)
	r := &report{
		Machine: figures.ThisMachine(), Rounds: o.rounds, Blocks: o.blocks, CPU: o.cpu, Ahead: readAhead(commands[0].path),
		Exit: exit, CPUID: cpuid - exit, Again: again - cpuid,
	}
	first := &results[0]
	for i, c := range commands {
		s := &results[i]
		next := row{
			Name:       c.name,
			Wall:       figures.Summarize(s.wall),
			CPUTime:    figures.Summarize(s.cpu),
			Faults:     figures.Summarize(s.faults),
			Ratio:      figures.Median(s.wall) / figures.Median(first.wall),
			Difference: figures.Median(s.wall) - figures.Median(first.wall),
			Error:      uncertainty(s.wall, first.wall, o.blocks),
		}
		if info, err := os.Stat(c.path); err == nil {
			next.Bytes = info.Size()
		}
		r.Rows = append(r.Rows, next)
	}
	return r
}

func (r *report) writeJSON(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the figures: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

func (r *report) writeText(w io.Writer) error {
	where := "any CPU"
	if r.CPU >= 0 {
		where = fmt.Sprintf("CPU %d", r.CPU)
	}
	fmt.Fprintf(w, "%v\n%d rounds in %d blocks on %s, read-ahead %d KiB; microseconds\n\n", r.Machine, r.Rounds, r.Blocks, where, r.Ahead)

	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tMB\tmin\tq1\tmedian\tq3\tcpu\tfaults\tratio\tdiff\t±\t")
	for _, c := range r.Rows {
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%.3f\t%+.1f\t%.1f\t\n",
			c.Name, float64(c.Bytes)/1e6, c.Wall.Min, c.Wall.Q1, c.Wall.Median, c.Wall.Q3, c.CPUTime.Median, c.Faults.Median,
			c.Ratio, c.Difference, c.Error)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nA program that exits at once takes %.1f, with the launcher's %d CPUID instructions %.1f more, with the same again %.1f.\n",
		r.Exit, probe.Instructions, r.CPUID, r.Again)
	for i, c := range r.Rows {
		if c.Name == packedName && i > 0 {
			_, err = fmt.Fprintf(w, "%s adds %.1f to %s: CPUID %.1f, the rest %.1f.\n",
				c.Name, c.Difference, r.Rows[0].Name, r.CPUID, c.Difference-r.CPUID)
		}
	}
	return err
}

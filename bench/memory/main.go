// Memory measures how much memory processes of a program take, plain, packed and
// in the memory file of the baseline.
//
//	go run ./bench/memory [-processes N] [-rounds N] [-size-mb N] [-keep DIR] [-json FILE]
//
// It starts N processes of one kind, waits until all have used what they have
// and rest, and adds up what /proc/PID/smaps_rollup says of each: proportional
// set size (PSS) divides a page among the processes that map it, so that the sum
// is what the machine has to give. Then come the N of the next kind. The figures
// are medians over the rounds, per process.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"text/tabwriter"

	"rules_go_multiarch/bench/internal/figures"
	"rules_go_multiarch/bench/internal/programs"
)

func main() {
	processes := flag.Int("processes", 8, "processes of one kind at a time")
	rounds := flag.Int("rounds", 21, "rounds, each with every kind once")
	sizeMB := flag.Int("size-mb", 60, "build a program of about this size; 0 for the small one")
	keep := flag.String("keep", "", "build in this directory and leave everything there")
	jsonPath := flag.String("json", "", "also write the figures to this file")
	flag.Parse()
	if flag.NArg() > 0 || *processes < 1 || *rounds < 1 || *sizeMB < 0 {
		fmt.Fprintln(os.Stderr, "memory: want no arguments, and -processes and -rounds of at least 1")
		os.Exit(2)
	}
	err := run(programs.Options{Dir: *keep, SizeMB: *sizeMB, Log: os.Stderr}, *processes, *rounds, *jsonPath)
	if err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

// report is what was measured, as -json writes it.
type report struct {
	Machine   figures.Machine `json:"machine"`
	Processes int             `json:"processes"`
	Rounds    int             `json:"rounds"`
	Rows      []row           `json:"commands"`
}

// row is one kind of process. Sizes are medians in KiB for each process.
type row struct {
	Name string `json:"name"`
	// PSS is the sum of pages of no file, of files, and of memory files.
	PSS        float64 `json:"pss"`
	Anonymous  float64 `json:"anonymous"`
	File       float64 `json:"file"`
	Shmem      float64 `json:"shmem"`
	Difference float64 `json:"difference"` // of PSS, to the first row
}

func run(o programs.Options, processes, rounds int, jsonPath string) error {
	set, err := programs.Build(o)
	if err != nil {
		return err
	}
	defer set.Close()
	kinds := []kind{
		{"plain " + set.Best.String(), set.Path(programs.Plain)},
		{"again", set.Path(programs.Again)},
		{"packed", set.Path(programs.Packed)},
		{"memfd", set.Path(programs.Memfd)},
	}
	for _, k := range kinds {
		if err := programs.Settle(k.path); err != nil {
			return err
		}
	}

	samples := make([]map[string][]float64, len(kinds))
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		for _, i := range random.Perm(len(kinds)) {
			sum, err := measure(kinds[i], processes)
			if err != nil {
				return err
			}
			if samples[i] == nil {
				samples[i] = make(map[string][]float64)
			}
			for _, field := range fields {
				samples[i][field] = append(samples[i][field], sum[field]/float64(processes))
			}
		}
	}

	r := report{Machine: figures.ThisMachine(), Processes: processes, Rounds: rounds}
	for i, k := range kinds {
		next := row{
			Name:      k.name,
			PSS:       figures.Median(samples[i][pss]),
			Anonymous: figures.Median(samples[i][pssAnonymous]),
			File:      figures.Median(samples[i][pssFile]),
			Shmem:     figures.Median(samples[i][pssShmem]),
		}
		if i > 0 {
			next.Difference = next.PSS - r.Rows[0].PSS
		}
		r.Rows = append(r.Rows, next)
	}
	if jsonPath != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return fmt.Errorf("encoding the figures: %w", err)
		}
		if err := os.WriteFile(jsonPath, append(text, '\n'), 0o666); err != nil {
			return err
		}
	}
	return r.write(os.Stdout)
}

func (r *report) write(w io.Writer) error {
	fmt.Fprintf(w, "%v\n%d processes at a time, %d rounds; KiB for each process\n\n", r.Machine, r.Processes, r.Rounds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tPSS\tanonymous\tfile\tmemory file\tdiff\t")
	for _, c := range r.Rows {
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%+.0f\t\n", c.Name, c.PSS, c.Anonymous, c.File, c.Shmem, c.Difference)
	}
	return table.Flush()
}

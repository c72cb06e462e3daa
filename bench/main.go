// Bench collects every figure of this repository: one command, one machine, one
// file.
//
//	go run ./bench [-out DIR] [-only NAME,...] [-quick] [-redraw]
//
// It writes DIR/results.json and a picture of each figure. All rows of a figure
// are measured in one run, in turns where that is possible, and are ratios to its
// first row. Figures of an earlier run stay when -only names others; each says on
// which machine and commit it was measured. bench/README.md tells what they mean.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rules_go_multiarch/bench/internal/figures"
	"rules_go_multiarch/internal/chart"
)

// Results is what results.json has.
type Results struct {
	Figures []Figure `json:"figures"`
}

// Figure is one comparison.
type Figure struct {
	Name    string          `json:"name"` // of its picture
	Title   string          `json:"title"`
	Command string          `json:"command"` // that measures it alone
	Commit  string          `json:"commit"`  // with "+" where files were changed since
	Machine figures.Machine `json:"machine"`
	Rows    []Row           `json:"rows"`
}

// Row is one thing that is compared. Value is in Unit; the first row's Ratio is 1.
// Low and High are ends of the ratio's interval, or 0 where one is not known.
type Row struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
}

// step measures figures.
type step struct {
	name    string
	measure func(c *collection) ([]Figure, error)
}

var steps = []step{
	{"startup", startup},
	{"memory", memory},
	{"pack", pack},
	{"speed", speed},
	{"build", build},
}

// collection is what steps work with.
type collection struct {
	dir   string // for their files
	quick bool
}

func main() {
	out := flag.String("out", "bench/results", "write results.json and pictures here")
	only := flag.String("only", "", "measure just these, separated by commas: "+names())
	redraw := flag.Bool("redraw", false, "measure nothing: draw what results.json has")
	quick := flag.Bool("quick", false, "few rounds, of a small program: to see that it works, not for figures")
	flag.Parse()
	measure := func() error { return run(*out, *only, *quick) }
	if *redraw {
		measure = func() error { return drawAgain(*out) }
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() string {
	var all []string
	for _, s := range steps {
		all = append(all, s.name)
	}
	return strings.Join(all, ", ")
}

func run(out, only string, quick bool) error {
	wanted := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, name := range wanted {
		if !slices.ContainsFunc(steps, func(s step) bool { return s.name == name }) {
			return fmt.Errorf("-only %q: want some of %s", name, names())
		}
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	path := filepath.Join(out, "results.json")
	results, err := read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	machine, commit := figures.ThisMachine(), commit()
	for _, s := range steps {
		if len(wanted) > 0 && !slices.Contains(wanted, s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "=== %s\n", s.name)
		c := &collection{filepath.Join(dir, s.name), quick}
		if err := os.Mkdir(c.dir, 0o777); err != nil {
			return err
		}
		found, err := s.measure(c)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for i := range found {
			found[i].Machine, found[i].Commit = machine, commit
			results.put(found[i])
		}
		// After every step, as all of them take long.
		if err := results.write(path); err != nil {
			return err
		}
		for _, f := range found {
			if err := f.draw(filepath.Join(out, f.Name+".svg")); err != nil {
				return fmt.Errorf("drawing %s: %w", f.Name, err)
			}
			f.print()
		}
	}
	return nil
}

// drawAgain draws the pictures of results.json.
func drawAgain(out string) error {
	results, err := read(filepath.Join(out, "results.json"))
	if err != nil {
		return err
	}
	for _, f := range results.Figures {
		if err := f.draw(filepath.Join(out, f.Name+".svg")); err != nil {
			return fmt.Errorf("drawing %s: %w", f.Name, err)
		}
	}
	return nil
}

func read(path string) (*Results, error) {
	results := &Results{}
	text, err := os.ReadFile(path)
	if err != nil {
		return results, err
	}
	if err := json.Unmarshal(text, results); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return results, nil
}

// put adds a figure, in place of an earlier one of its name.
func (r *Results) put(f Figure) {
	for i := range r.Figures {
		if r.Figures[i].Name == f.Name {
			r.Figures[i] = f
			return
		}
	}
	r.Figures = append(r.Figures, f)
}

func (r *Results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

func (f *Figure) print() {
	fmt.Printf("%s (%s)\n", f.Title, f.Command)
	for _, r := range f.Rows {
		fmt.Printf("  %-24s %10s %-5s %7.3f x\n", r.Name, digits(r.Value), r.Unit, r.Ratio)
	}
}

// digits formats a number with three digits or more.
func digits(value float64) string {
	for decimals := 0; ; decimals++ {
		if decimals == 3 || value*math.Pow10(decimals) >= 100 {
			return strconv.FormatFloat(value, 'f', decimals, 64)
		}
	}
}

func (f *Figure) draw(path string) error {
	c := &chart.Chart{
		Title: f.Title,
		Notes: []string{f.Machine.String()},
		Axis:  "ratio to " + f.Rows[0].Name + " (less is better)",
	}
	for i, r := range f.Rows {
		bar := chart.Bar{
			Name: r.Name, Label: fmt.Sprintf("%.3g  (%s %s)", r.Ratio, digits(r.Value), r.Unit),
			Value: r.Ratio, Low: r.Low, High: r.High, Tone: chart.Plain,
		}
		if i > 0 && strings.Contains(r.Name, "packed") {
			bar.Tone = chart.Good
		}
		c.Bars = append(c.Bars, bar)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	err = c.Write(file, path)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

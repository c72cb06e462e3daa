package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"rules_go_multiarch/internal/chart"
	"rules_go_multiarch/tools/packer/internal/levelbench"
)

func (b *benchInfo) print(w io.Writer, name string) error {
	fmt.Fprintf(w, "%s on %s, which runs %s; %d rounds\n%s, medians with %.0f %% confidence intervals\n\n",
		commandLine(name, b.Arguments), b.Machine.Model, b.Machine.Level, b.Rounds, b.Measured, 100*levelbench.Confidence)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	base := b.Levels[0].Level
	fmt.Fprintf(table, "LEVEL\tMEDIAN\tINTERVAL\tRATIO TO %s\tP\tADDS\tDIFFERENCE\tVERDICT\n", strings.ToUpper(base))
	for _, l := range b.Levels {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.Level, times(l.Judgement), compared(l.Judgement), megabytes(l.Size), verdict(l.Judgement))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(b.NotRun) > 0 {
		fmt.Fprintf(w, "\nThis CPU cannot run %s.\n", strings.Join(b.NotRun, ", "))
	}
	if len(b.Benchmarks) == 0 {
		return nil
	}
	fmt.Fprintf(table, "\nBENCHMARK\tLEVEL\tMEDIAN\tINTERVAL\tRATIO TO %s\tP\tDIFFERENCE\n", strings.ToUpper(base))
	for _, benchmark := range b.Benchmarks {
		for i, j := range benchmark.Levels {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", benchmark.Name, b.Levels[i].Level, times(j), compared(j), j.Difference)
		}
	}
	return table.Flush()
}

func times(j levelbench.Judgement) string {
	return fmt.Sprintf("%s\t%s to %s", seconds(j.Median), seconds(j.Low), seconds(j.High))
}

func compared(j levelbench.Judgement) string {
	if j.Difference == "" {
		return "1\t"
	}
	return fmt.Sprintf("%.3f\t%.3f", j.Ratio, j.P)
}

func verdict(j levelbench.Judgement) string {
	if j.Reason == "" {
		return fmt.Sprintf("\t%s", j.Verdict)
	}
	return fmt.Sprintf("%s\t%s: %s", j.Difference, j.Verdict, j.Reason)
}

// seconds formats a time with four digits.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 10000*unit {
			if d < 10*time.Microsecond {
				return fmt.Sprintf("%.4g ns", s*1e9)
			}
			return d.Round(unit).String()
		}
	}
}

func megabytes(size int64) string { return fmt.Sprintf("%.1f MB", float64(size)/1e6) }

func commandLine(name string, arguments []string) string {
	return strings.Join(append([]string{name}, arguments...), " ")
}

var tones = map[levelbench.Verdict]chart.Tone{
	levelbench.Baseline:  chart.Plain,
	levelbench.Keep:      chart.Good,
	levelbench.Drop:      chart.Bad,
	levelbench.Undecided: chart.Unclear,
}

// chart draws the ratios.
func (b *benchInfo) chart(name string) *chart.Chart {
	base := b.Levels[0].Level
	c := &chart.Chart{
		Title: commandLine(name, b.Arguments),
		Notes: []string{fmt.Sprintf("%s, %d rounds, %s", b.Machine.Model, b.Rounds, b.Measured)},
		Axis:  "time, as a ratio to " + base + " (less is better), with intervals",
		Lines: []chart.Line{{Value: 1 - b.MinGain, Label: "has to gain " + levelbench.Percent(b.MinGain)}},
	}
	for _, l := range b.Levels {
		label := fmt.Sprintf("%.3f  %s", l.Ratio, l.Verdict)
		if l.Verdict == levelbench.Baseline {
			label = seconds(l.Median)
		}
		c.Bars = append(c.Bars, chart.Bar{
			Name: fmt.Sprintf("%s, %s", l.Level, megabytes(l.Size)), Label: label,
			Value: l.Ratio, Low: l.RatioLow, High: l.RatioHigh, Tone: tones[l.Verdict],
		})
	}
	return c
}

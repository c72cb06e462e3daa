// Package levelbench measures the levels of one program against each other and
// judges which of them pay. Statistics are benchstat's: golang.org/x/perf/benchmath.
package levelbench

import (
	"fmt"
	"math"

	"golang.org/x/perf/benchmath"
)

const (
	// Confidence is that of the intervals.
	Confidence = 0.95
	// falseAlarms is how often, at most, any of the levels of a program may come
	// out as different when none is.
	falseAlarms = 0.01
	// negligible is a difference that is not told from none: two copies of one
	// file differ by as much, from where their pages lie in memory.
	negligible = 0.005
)

// Difference says how a level compares with the baseline.
type Difference string

// The differences.
const (
	Same   Difference = "no difference"
	Faster Difference = "faster"
	Slower Difference = "slower"
)

// Verdict says what to do with a level.
type Verdict string

// The verdicts. Undecided is for want of rounds, or of a quiet machine.
const (
	Baseline  Verdict = "baseline"
	Keep      Verdict = "keep"
	Drop      Verdict = "drop"
	Undecided Verdict = "undecided"
)

// Judgement is what a sample says. Median, Low and High are in the sample's
// unit, of which less is better. Ratios are to the baseline; they are 1 in the
// baseline's own.
type Judgement struct {
	Median     float64    `json:"median"`
	Low        float64    `json:"low"`
	High       float64    `json:"high"`
	Ratio      float64    `json:"ratio"`
	RatioLow   float64    `json:"ratioLow"`
	RatioHigh  float64    `json:"ratioHigh"`
	P          float64    `json:"p"`
	Difference Difference `json:"difference,omitempty"`
	Verdict    Verdict    `json:"verdict"`
	Reason     string     `json:"reason,omitempty"`
}

// Judge compares samples with the first of them, which is the baseline. A level
// pays when it gains minGain, a share of the baseline's median.
func Judge(samples [][]float64, minGain float64) []Judgement {
	// Bonferroni's correction for that many comparisons.
	thresholds := benchmath.Thresholds{CompareAlpha: falseAlarms / float64(max(1, len(samples)-1))}
	var base *benchmath.Sample
	var judgements []Judgement
	for i, values := range samples {
		sample := benchmath.NewSample(values, &thresholds)
		summary := benchmath.AssumeNothing.Summary(sample, Confidence)
		j := Judgement{
			Median: summary.Center, Low: summary.Lo, High: summary.Hi,
			Ratio: 1, RatioLow: 1, RatioHigh: 1, P: 1, Verdict: Baseline,
		}
		if i == 0 {
			base = sample
		} else {
			j.compare(judgements[0], benchmath.AssumeNothing.Compare(base, sample), minGain)
		}
		judgements = append(judgements, j)
	}
	return judgements
}

func (j *Judgement) compare(base Judgement, c benchmath.Comparison, minGain float64) {
	j.P = c.P
	j.Ratio = j.Median / base.Median
	// Both intervals at their worst, which is wider than it would have to be.
	j.RatioLow, j.RatioHigh = j.Low/base.High, j.High/base.Low
	switch {
	case c.P >= c.Alpha || math.Abs(1-j.Ratio) < negligible:
		j.Difference = Same
	case j.Ratio < 1:
		j.Difference = Faster
	default:
		j.Difference = Slower
	}
	gain, least, most := 1-j.Ratio, 1-j.RatioHigh, 1-j.RatioLow
	switch {
	case j.Difference == Faster && least >= minGain:
		j.Verdict, j.Reason = Keep, fmt.Sprintf("gains %s, at least %s", Percent(gain), Percent(least))
	case most < minGain && j.Difference == Slower:
		j.Verdict, j.Reason = Drop, fmt.Sprintf("costs %s", Percent(-gain))
	case most < minGain && j.Difference == Same:
		j.Verdict, j.Reason = Drop, fmt.Sprintf("gains nothing that can be told, %s at most", Percent(max(0, most)))
	case most < minGain:
		j.Verdict, j.Reason = Drop, fmt.Sprintf("gains %s, %s at most", Percent(gain), Percent(most))
	default:
		j.Verdict, j.Reason = Undecided, fmt.Sprintf("gains between %s and %s, so that %s cannot be told", Percent(least), Percent(most), Percent(minGain))
	}
}

// Percent formats a share.
func Percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// undecided reports whether more rounds may change a verdict.
func undecided(judgements []Judgement) bool {
	for _, j := range judgements {
		if j.Verdict == Undecided {
			return true
		}
	}
	return false
}

package main

import (
	"math"
	"slices"
)

// summary describes a sample of measurements.
type summary struct {
	Min    float64 `json:"min"`
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
}

// summarize describes a sample, which must not be empty.
func summarize(sample []float64) summary {
	sorted := slices.Sorted(slices.Values(sample))
	return summary{
		Min:    sorted[0],
		Q1:     quantile(sorted, 0.25),
		Median: quantile(sorted, 0.5),
		Q3:     quantile(sorted, 0.75),
	}
}

func median(sample []float64) float64 { return summarize(sample).Median }

// quantile interpolates between the two nearest values of a sorted sample, as
// R and NumPy do by default (type 7 of Hyndman and Fan, "Sample Quantiles in
// Statistical Packages", 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// uncertainty returns half the width of the 95 % confidence interval of the
// difference of two samples' medians, when both were taken in the given number
// of blocks. The medians of single blocks differ by more than their rounds
// explain, because each block finds the files elsewhere in physical memory; so
// it is blocks that count as independent, not rounds. Their spread is taken from
// the quartiles, which a few blocks on a busy machine do not move. With fewer
// than two blocks nothing is known, and it returns 0.
func uncertainty(a, b []float64, blocks int) float64 {
	if blocks < 2 {
		return 0
	}
	differences := make([]float64, blocks)
	for i := range differences {
		low, high := blockBounds(i, blocks, len(a))
		differences[i] = median(a[low:high]) - median(b[low:high])
	}
	// The quartiles of a normal distribution are 1.349 standard deviations apart;
	// a median varies 1.253 times as much as a mean.
	s := summarize(differences)
	return 1.96 * 1.253 * (s.Q3 - s.Q1) / 1.349 / math.Sqrt(float64(blocks))
}

// blockBounds returns the rounds of block i: from low up to, not including, high.
func blockBounds(i, blocks, rounds int) (low, high int) {
	return i * rounds / blocks, (i + 1) * rounds / blocks
}

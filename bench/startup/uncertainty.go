package main

import (
	"math"

	"rules_go_multiarch/bench/internal/figures"
)

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
		differences[i] = figures.Median(a[low:high]) - figures.Median(b[low:high])
	}
	// The quartiles of a normal distribution are 1.349 standard deviations apart;
	// a median varies 1.253 times as much as a mean.
	s := figures.Summarize(differences)
	return 1.96 * 1.253 * (s.Q3 - s.Q1) / 1.349 / math.Sqrt(float64(blocks))
}

// blockBounds returns the rounds of block i: from low up to, not including, high.
func blockBounds(i, blocks, rounds int) (low, high int) {
	return i * rounds / blocks, (i + 1) * rounds / blocks
}

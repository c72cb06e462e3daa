package main

import (
	"math"
	"testing"
)

func TestUncertainty(t *testing.T) {
	a := []float64{1, 1, 2, 2, 3, 3, 4, 4, 500, 500}
	b := make([]float64, len(a))
	for _, test := range []struct {
		blocks int
		want   float64
	}{
		{1, 0},
		{5, 1.96 * 1.253 * 2 / 1.349 / math.Sqrt(5)}, // medians 1, 2, 3, 4, 500
	} {
		if got := uncertainty(a, b, test.blocks); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("uncertainty in %d blocks = %v, want %v", test.blocks, got, test.want)
		}
	}
	if got := uncertainty(a, a, 2); got != 0 {
		t.Errorf("uncertainty of a sample against itself = %v, want 0", got)
	}
}

func TestBlockBounds(t *testing.T) {
	const blocks, rounds = 3, 10
	next := 0
	for i := range blocks {
		low, high := blockBounds(i, blocks, rounds)
		if low != next || high <= low {
			t.Errorf("block %d is rounds %d to %d, want it to begin at %d and not be empty", i, low, high, next)
		}
		next = high
	}
	if next != rounds {
		t.Errorf("blocks end at round %d, want %d", next, rounds)
	}
}

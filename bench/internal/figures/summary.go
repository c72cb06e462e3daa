package figures

import "slices"

// Summary describes a sample of measurements.
type Summary struct {
	Min    float64 `json:"min"`
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
}

// Summarize describes a sample, which must not be empty.
func Summarize(sample []float64) Summary {
	sorted := slices.Sorted(slices.Values(sample))
	return Summary{
		Min:    sorted[0],
		Q1:     quantile(sorted, 0.25),
		Median: quantile(sorted, 0.5),
		Q3:     quantile(sorted, 0.75),
	}
}

// Median returns the median of a sample, which must not be empty.
func Median(sample []float64) float64 { return Summarize(sample).Median }

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

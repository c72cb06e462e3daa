package figures

import "testing"

func TestSummarize(t *testing.T) {
	for _, test := range []struct {
		name   string
		sample []float64
		want   Summary
	}{
		{"one", []float64{7}, Summary{7, 7, 7, 7}},
		{"two", []float64{4, 2}, Summary{2, 2.5, 3, 3.5}},
		{"odd", []float64{5, 1, 4, 2, 3}, Summary{1, 2, 3, 4}},
		{"even", []float64{4, 3, 2, 1}, Summary{1, 1.75, 2.5, 3.25}},
		{"tail", []float64{1, 1, 1, 1, 1000}, Summary{1, 1, 1, 1}},
	} {
		if got := Summarize(test.sample); got != test.want {
			t.Errorf("%s: Summarize(%v) = %v, want %v", test.name, test.sample, got, test.want)
		}
	}
}

func TestSummarizeKeepsOrder(t *testing.T) {
	sample := []float64{3, 1, 2}
	Summarize(sample)
	if sample[0] != 3 || sample[1] != 1 || sample[2] != 2 {
		t.Errorf("Summarize changed its argument to %v", sample)
	}
}

package levelbench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// noise draws times of a program that takes a second, in different weather.
var noise = map[string]func(r *rand.Rand, round int) float64{
	"quiet":  func(r *rand.Rand, _ int) float64 { return 1 + 0.002*r.NormFloat64() },
	"normal": func(r *rand.Rand, _ int) float64 { return 1 + 0.03*r.NormFloat64() },
	// A virtual machine whose neighbours are busy now and then.
	"tail": func(r *rand.Rand, _ int) float64 { return 1 + 0.02*math.Exp(1.5*r.NormFloat64()) },
	// A CPU that gets warm, and slow.
	"drift": func(r *rand.Rand, round int) float64 { return 1 + 0.004*float64(round) + 0.02*r.NormFloat64() },
	"waves": func(r *rand.Rand, round int) float64 {
		return 1 + 0.1*math.Sin(float64(round)/5) + 0.02*r.NormFloat64()
	},
}

// draw makes samples of programs that take as long as speeds say.
func draw(r *rand.Rand, rounds int, weather func(*rand.Rand, int) float64, speeds ...float64) [][]float64 {
	samples := make([][]float64, len(speeds))
	for round := range rounds {
		for i, speed := range speeds {
			samples[i] = append(samples[i], speed*weather(r, round))
		}
	}
	return samples
}

// TestIdenticalLevels compares four levels that are the same, a thousand times in
// every weather. At least 95 of 100 runs have to find no difference, and to keep
// none of them.
func TestIdenticalLevels(t *testing.T) {
	const runs = 1000
	for name, weather := range noise {
		r := rand.New(rand.NewPCG(3, 4))
		same := 0
		for range runs {
			judgements := Judge(draw(r, 20, weather, 1, 1, 1, 1), 0.02)
			if !slices.ContainsFunc(judgements[1:], func(j Judgement) bool { return j.Difference != Same || j.Verdict == Keep }) {
				same++
			}
		}
		t.Logf("%s: no difference in %d of %d runs", name, same, runs)
		if same < runs*95/100 {
			t.Errorf("%s: no difference in %d of %d runs, want at least 95 %%", name, same, runs)
		}
	}
}

// TestDifferentLevels has levels that gain 10 %, gain 1 %, and cost 5 %.
func TestDifferentLevels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	quiet := noise["quiet"]
	got := Judge(draw(r, 20, quiet, 1, 0.9, 0.99, 1.05), 0.02)
	for i, want := range []struct {
		difference Difference
		verdict    Verdict
	}{{"", Baseline}, {Faster, Keep}, {Faster, Drop}, {Slower, Drop}} {
		if got[i].Difference != want.difference || got[i].Verdict != want.verdict {
			t.Errorf("level %d: %s, %s (%s); want %s, %s", i, got[i].Difference, got[i].Verdict, got[i].Reason, want.difference, want.verdict)
		}
	}
	if j := got[1]; j.RatioLow > 0.9 || j.RatioHigh < 0.9 || j.RatioHigh > 0.92 {
		t.Errorf("a level of 0.9 has the ratio %.4f, between %.4f and %.4f", j.Ratio, j.RatioLow, j.RatioHigh)
	}
}

// TestFindsGains looks how often a real gain is found, at a real machine's noise.
func TestFindsGains(t *testing.T) {
	const runs = 200
	r := rand.New(rand.NewPCG(7, 8))
	kept := 0
	for range runs {
		if Judge(draw(r, 40, noise["normal"], 1, 0.9), 0.02)[1].Verdict == Keep {
			kept++
		}
	}
	if kept < runs*95/100 {
		t.Errorf("a gain of 10 %% is kept in %d of %d runs, want at least 95 %%", kept, runs)
	}
}

// TestNeverOnNoise has two rounds too few to tell anything.
func TestNeverOnNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	got := Judge(draw(r, 6, noise["normal"], 1, 1), 0.02)[1]
	if got.Difference != Same || got.Verdict != Undecided {
		t.Errorf("after six noisy rounds: %s, %s (%s)", got.Difference, got.Verdict, got.Reason)
	}
}

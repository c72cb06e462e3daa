package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	o := &options{rounds: 2, blocks: 2, cpu: 3}
	commands := []command{{name: "plain"}, {name: packedName}}
	sample := func(wall float64) samples {
		return samples{wall: []float64{wall, wall}, cpu: []float64{9, 9}, faults: []float64{1, 1}}
	}
	r := newReport(o, commands, []samples{sample(100), sample(130), sample(50), sample(74), sample(90)})
	packed := r.Rows[1]
	if packed.Ratio != 1.3 || packed.Difference != 30 || packed.Error != 0 {
		t.Errorf("packed: ratio %v, difference %v ± %v, want 1.3, 30 ± 0", packed.Ratio, packed.Difference, packed.Error)
	}
	var out bytes.Buffer
	if err := r.writeText(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 rounds in 2 blocks on CPU 3", "packed adds 30.0 to plain: CPUID 24.0, the rest 6.0.", "CPUID instructions 24.0 more, with the same again 16.0."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("report has no %q:\n%s", want, &out)
		}
	}
}

package main

import (
	"strings"
	"testing"
)

const rollup = `00400000-7ffe14cf7000 ---p 00000000 00:00 0                              [rollup]
Rss:                2444 kB
Pss:                 812 kB
Pss_Anon:            100 kB
Pss_File:            712 kB
Pss_Shmem:             0 kB
`

func TestAdd(t *testing.T) {
	sum := make(map[string]float64)
	for range 2 {
		if err := add(sum, rollup); err != nil {
			t.Fatal(err)
		}
	}
	if sum[pss] != 1624 || sum[pssAnonymous] != 200 || sum[pssFile] != 1424 || sum[pssShmem] != 0 {
		t.Errorf("twice the sizes are %v", sum)
	}
	err := add(sum, strings.Replace(rollup, "Pss_File", "Other", 1))
	if err == nil || !strings.Contains(err.Error(), "no Pss_File") {
		t.Errorf("without a field: error %v", err)
	}
}

func TestMeasure(t *testing.T) {
	sum, err := measure(kind{"sh", "testdata/rest.sh"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if sum[pss] <= 0 || sum[pssAnonymous] <= 0 {
		t.Errorf("two shells take %v, want something", sum)
	}
	if _, err := measure(kind{"none", "testdata/none"}, 1); err == nil {
		t.Error("no error for a program that is not there")
	}
}

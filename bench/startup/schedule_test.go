package main

import (
	"reflect"
	"testing"
)

func TestSchedule(t *testing.T) {
	const count, rounds = 4, 4000
	order := schedule(count, rounds)
	if !reflect.DeepEqual(order, schedule(count, rounds)) {
		t.Error("two schedules differ")
	}
	var first [count]int
	for i, round := range order {
		seen := make(map[int]bool)
		for _, c := range round {
			seen[c] = true
		}
		if len(round) != count || len(seen) != count {
			t.Fatalf("round %d is %v, want each of %d commands once", i, round, count)
		}
		first[round[0]]++
	}
	for c, n := range first {
		if n < rounds/count*9/10 || n > rounds/count*11/10 {
			t.Errorf("command %d comes first in %d of %d rounds, want about %d", c, n, rounds, rounds/count)
		}
	}
}

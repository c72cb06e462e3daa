// Package pays_test has benchmarks for go_multiarch_bench.
package pays_test

import (
	"math/bits"
	"testing"
)

var sink int

func BenchmarkOnes(b *testing.B) {
	for b.Loop() {
		n := 0
		for i := range uint64(1000) {
			n += bits.OnesCount64(i * 0x9e3779b97f4a7c15)
		}
		sink = n
	}
}

func BenchmarkAdd(b *testing.B) {
	for b.Loop() {
		n := 0
		for i := range 1000 {
			n += i
		}
		sink = n
	}
}

// Bits does two computations whose speed depends on GOAMD64, and says how fast
// they were and what came out.
//
// Below v2 every bits.OnesCount64, and below v3 every math.FMA, first looks at a
// variable that says whether the CPU has the instruction. From then on it is the
// instruction and nothing else. Results are the same at every level: neither
// counting bits nor FMA, which rounds once, leaves the compiler a choice.
package main

import (
	"flag"
	"fmt"
	"math"
	"math/bits"
	"os"
	"time"

	"rules_go_multiarch_examples/level"
)

func main() {
	size := flag.Int("size", 1<<12, "number of words to compute with")
	rounds := flag.Int("rounds", 20000, "how often to go over them")
	flag.Parse()
	if *size < 0 || *rounds < 0 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "bits: want -size and -rounds of 0 or more, and no arguments")
		os.Exit(2)
	}

	words := sequence(*size)
	fmt.Println("level", level.Compiled)
	measure("distance", *size, *rounds, func(round uint64) uint64 { return distance(words, round) })
	measure("polynomial", *size, *rounds, func(round uint64) uint64 { return polynomial(words, round) })
}

// measure prints the sum of what a computation returns, and its speed.
func measure(name string, size, rounds int, compute func(round uint64) uint64) {
	start := time.Now()
	sum := uint64(0)
	for round := range rounds {
		sum += compute(uint64(round))
	}
	speed := float64(size) * float64(rounds) / time.Since(start).Seconds()
	fmt.Printf("%s %016x %.0f million words/s\n", name, sum, speed/1e6)
}

// sequence returns numbers that are as good as random, and always the same.
func sequence(size int) []uint64 {
	words := make([]uint64, size)
	x := uint64(88172645463325252)
	for i := range words {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		words[i] = x
	}
	return words
}

// distance returns the Hamming distance of all words to a key.
func distance(words []uint64, key uint64) uint64 {
	sum := 0
	for _, word := range words {
		sum += bits.OnesCount64(word ^ key)
	}
	return uint64(sum)
}

// polynomial returns the bits of the sum of a polynomial's values at all words,
// which are taken as numbers from 0 to 1.
func polynomial(words []uint64, key uint64) uint64 {
	a := float64(key)
	sum := 0.0
	for _, word := range words {
		x := float64(word>>11) / (1 << 53)
		sum += math.FMA(math.FMA(math.FMA(a, x, 3), x, 2), x, 1)
	}
	return math.Float64bits(sum)
}

package main

import "math/rand/v2"

// schedule returns, for every round, the order in which count commands are
// started: each round all of them once, shuffled, so that none has an advantage
// from its place or from what ran before it. The order depends on the arguments
// alone.
func schedule(count, rounds int) [][]int {
	random := rand.New(rand.NewPCG(1, 2))
	order := make([][]int, rounds)
	for i := range order {
		order[i] = random.Perm(count)
	}
	return order
}

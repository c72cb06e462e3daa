package main

import (
	"runtime"
	"runtime/debug"

	"rules_go_multiarch/bench/internal/programs"
)

// samples holds the measurements of one command, round by round.
type samples struct{ wall, cpu, faults []float64 }

// measure starts every command once in every round and returns what that took,
// in the order of the commands. The rounds come in blocks, each of them with the
// files read anew and some rounds in front that do not count.
func measure(o *options, commands []command) ([]samples, error) {
	s, err := newStarter()
	if err != nil {
		return nil, err
	}
	defer s.close()
	unpin, err := pin(o.cpu)
	if err != nil {
		return nil, err
	}
	defer unpin()

	results := make([]samples, len(commands))
	order := schedule(len(commands), o.rounds+o.blocks*o.warmup)
	for block := range o.blocks {
		if !o.keepCache {
			for _, c := range commands {
				if err := programs.Settle(c.path); err != nil {
					return nil, err
				}
			}
		}
		low, high := blockBounds(block, o.blocks, o.rounds)
		n := o.warmup + high - low
		if err := measureBlock(s, commands, order[:n], o.warmup, results); err != nil {
			return nil, err
		}
		order = order[n:]
	}
	return results, nil
}

// measureBlock measures one round for every element of order, forgets the first
// warmup ones and appends the others to results.
func measureBlock(s *starter, commands []command, order [][]int, warmup int, results []samples) error {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for round, order := range order {
		for _, i := range order {
			one, err := s.start(&commands[i])
			if err != nil {
				return err
			}
			if round < warmup {
				continue
			}
			r := &results[i]
			r.wall = append(r.wall, one.wall)
			r.cpu = append(r.cpu, one.cpu)
			r.faults = append(r.faults, one.faults)
		}
	}
	return nil
}

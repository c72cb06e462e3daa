package levelbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
)

// Command starts one level.
type Command struct {
	Name string // of the level
	Path string
	Args []string
	Env  []string // in addition to this process's
}

// Options say how to measure.
type Options struct {
	Rounds    int     // that every level is started at least
	MaxRounds int     // that are made while a verdict is undecided
	Warmup    int     // rounds before those, which do not count
	MinGain   float64 // that a level has to gain, as a share
	Stdin     string  // file that programs read, or ""
	// Benchmarks says that the program is a Go test that runs benchmarks. What
	// counts is then their time, and not the program's.
	Benchmarks bool
	// Progress is told after every round how many there were.
	Progress func(rounds int)
}

// Result is what was measured.
type Result struct {
	Rounds int
	// Levels has a judgement for each command: of the time from start to exit, or
	// of the geometric mean of the benchmarks.
	Levels []Judgement
	// Benchmarks are in the order in which they ran.
	Benchmarks []Benchmark
}

// Benchmark is one of those of a Go test.
type Benchmark struct {
	Name   string      `json:"name"`
	Levels []Judgement `json:"levels"`
}

// Measure starts the commands, in rounds: each once, in an order that is drawn
// anew. So all levels see the same quick and slow times of the machine. The first
// command is the baseline.
func Measure(ctx context.Context, commands []Command, o Options) (*Result, error) {
	m := measurement{Options: o, whole: make([][]float64, len(commands)), single: map[string][][]float64{}}
	random := rand.New(rand.NewPCG(1, 2))
	for round := -o.Warmup; ; round++ {
		for _, i := range random.Perm(len(commands)) {
			if err := m.start(ctx, i, commands[i], round >= 0); err != nil {
				return nil, fmt.Errorf("%s: %w", commands[i].Name, err)
			}
		}
		done := round + 1
		if o.Progress != nil && done > 0 {
			o.Progress(done)
		}
		// Verdicts are looked at now and then: each look is a chance to err.
		if done < o.Rounds || done%o.Rounds != 0 && done < o.MaxRounds {
			continue
		}
		levels := Judge(m.whole, o.MinGain)
		if done < o.MaxRounds && undecided(levels) {
			continue
		}
		result := &Result{Rounds: done, Levels: levels}
		for _, name := range m.names {
			result.Benchmarks = append(result.Benchmarks, Benchmark{name, Judge(m.single[name], o.MinGain)})
		}
		return result, nil
	}
}

// measurement has the samples of every command, in seconds.
type measurement struct {
	Options
	whole  [][]float64
	names  []string // of benchmarks
	single map[string][][]float64
}

func (m *measurement) start(ctx context.Context, i int, c Command, counts bool) error {
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &limited{buffer: &stderr}
	if m.Benchmarks {
		cmd.Stdout = &stdout
	}
	if m.Stdin != "" {
		input, err := os.Open(m.Stdin)
		if err != nil {
			return err
		}
		defer input.Close()
		cmd.Stdin = input
	}
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began).Seconds()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		text := strings.TrimSpace(stderr.String() + "\n" + stdout.String())
		return errors.New(strings.TrimSpace(err.Error() + "\n" + text))
	}
	if !m.Benchmarks {
		if counts {
			m.whole[i] = append(m.whole[i], took)
		}
		return nil
	}
	times, err := parse(&stdout)
	if err != nil || !counts {
		return err
	}
	return m.add(i, times)
}

// add adds the benchmarks of one run, and their geometric mean.
func (m *measurement) add(i int, times []namedTime) error {
	logs := 0.0
	for _, t := range times {
		samples, known := m.single[t.name]
		if !known {
			samples = make([][]float64, len(m.whole))
			m.single[t.name] = samples
			m.names = append(m.names, t.name)
		}
		samples[i] = append(samples[i], t.seconds)
		logs += math.Log(t.seconds)
	}
	m.whole[i] = append(m.whole[i], math.Exp(logs/float64(len(times))))
	if len(times) != len(m.names) {
		return fmt.Errorf("ran %d benchmarks, another run or level %d: want the same in all", len(times), len(m.names))
	}
	return nil
}

type namedTime struct {
	name    string
	seconds float64
}

// parse reads what a Go test prints of benchmarks.
func parse(text *bytes.Buffer) ([]namedTime, error) {
	whole := text.String()
	var times []namedTime
	reader := benchfmt.NewReader(text, "output")
	for reader.Scan() {
		r, isResult := reader.Result().(*benchfmt.Result)
		if !isResult {
			continue
		}
		if seconds, found := r.Value("sec/op"); found && seconds > 0 {
			name := "Benchmark" + string(r.Name)
			if slices.ContainsFunc(times, func(t namedTime) bool { return t.name == name }) {
				return nil, fmt.Errorf("%s ran twice: want no -test.count and no -test.cpu list", name)
			}
			times = append(times, namedTime{name, seconds})
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("reading what it prints: %w", err)
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("ran no benchmark; it printed\n%s", strings.TrimSpace(whole[:min(len(whole), 2000)]))
	}
	return times, nil
}

// limited keeps the first kilobytes.
type limited struct{ buffer *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	const most = 4 << 10
	l.buffer.Write(p[:min(len(p), max(0, most-l.buffer.Len()))])
	return len(p), nil
}

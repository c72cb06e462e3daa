package levelbench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// action is a variable that makes this test a program to measure.
const action = "LEVELBENCH_ACTION"

func TestMain(m *testing.M) {
	kind, value, _ := strings.Cut(os.Getenv(action), "=")
	switch kind {
	case "":
		os.Exit(m.Run())
	case "sleep":
		d, err := time.ParseDuration(value)
		if err != nil {
			panic(err)
		}
		time.Sleep(d)
	case "print":
		fmt.Print(value)
	case "fail":
		fmt.Fprintln(os.Stderr, value)
		os.Exit(3)
	case "log": // its own start, and what it reads
		file, err := os.OpenFile(value, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			panic(err)
		}
		var input bytes.Buffer
		input.ReadFrom(os.Stdin)
		fmt.Fprintf(file, "%s%s ", os.Args[1], input.String())
		file.Close()
	}
}

func programs(t *testing.T, actions ...string) []Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var commands []Command
	for i, a := range actions {
		name := fmt.Sprintf("v%d", i+1)
		commands = append(commands, Command{Name: name, Path: self, Args: []string{name}, Env: []string{action + "=" + a}})
	}
	return commands
}

func TestMeasure(t *testing.T) {
	result, err := Measure(context.Background(), programs(t, "sleep=60ms", "sleep=20ms"), Options{Rounds: 12, MaxRounds: 120, MinGain: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if result.Rounds < 12 || len(result.Levels) != 2 {
		t.Fatalf("%d rounds, %d levels", result.Rounds, len(result.Levels))
	}
	j := result.Levels[1]
	if j.Verdict != Keep || j.Median < 0.02 || j.Ratio > 0.8 {
		t.Errorf("a third of the time is %s with median %.3f s and ratio %.3f (%s)", j.Verdict, j.Median, j.Ratio, j.Reason)
	}
}

// TestIdenticalPrograms measures one program against itself, a hundred times, on
// this machine as busy as it is.
func TestIdenticalPrograms(t *testing.T) {
	const runs = 100
	same := 0
	for range runs {
		result, err := Measure(context.Background(), programs(t, "print=", "print=", "print=", "print="),
			Options{Rounds: 10, MaxRounds: 10, MinGain: 0.02})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(result.Levels[1:], func(j Judgement) bool { return j.Difference != Same || j.Verdict == Keep }) {
			same++
		}
	}
	t.Logf("no difference in %d of %d runs", same, runs)
	if same < 95 {
		t.Errorf("no difference in %d of %d runs, want at least 95", same, runs)
	}
}

// TestRounds looks at who was started when, and what with.
func TestRounds(t *testing.T) {
	log, input := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(input, []byte("!"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Measure(context.Background(), programs(t, "log="+log, "log="+log, "log="+log),
		Options{Rounds: 6, MaxRounds: 6, Warmup: 1, MinGain: 0.99, Stdin: input})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	starts := strings.Fields(string(text))
	if len(starts) != 3*7 {
		t.Fatalf("%d starts, want 3 in each of 7 rounds: %v", len(starts), starts)
	}
	orders := map[string]bool{}
	for round := range slices.Chunk(starts, 3) {
		orders[strings.Join(round, "")] = true
		if sorted := slices.Sorted(slices.Values(round)); strings.Join(sorted, " ") != "v1! v2! v3!" {
			t.Errorf("a round is %v, want each once", round)
		}
	}
	if len(orders) < 2 {
		t.Errorf("the order is always the same: %v", orders)
	}
}

// TestMoreRounds goes on while a verdict is open.
func TestMoreRounds(t *testing.T) {
	result, err := Measure(context.Background(), programs(t, "sleep=1ms", "sleep=1ms"), Options{Rounds: 6, MaxRounds: 20, MinGain: 0.00001})
	if err != nil {
		t.Fatal(err)
	}
	if result.Rounds <= 6 && result.Levels[1].Verdict == Undecided {
		t.Errorf("undecided after %d rounds, want up to 20", result.Rounds)
	}
}

const output = `goos: linux
BenchmarkSum-2     1000    200 ns/op    16 B/op
BenchmarkDot/8-2   1000    %s ns/op
PASS
`

func TestBenchmarks(t *testing.T) {
	result, err := Measure(context.Background(), programs(t, "print="+fmt.Sprintf(output, "800"), "print="+fmt.Sprintf(output, "200")),
		Options{Rounds: 10, MaxRounds: 10, MinGain: 0.02, Benchmarks: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Benchmarks) != 2 || result.Benchmarks[0].Name != "BenchmarkSum-2" || result.Benchmarks[1].Name != "BenchmarkDot/8-2" {
		t.Fatalf("benchmarks are %+v", result.Benchmarks)
	}
	if j := result.Benchmarks[1].Levels[1]; math.Abs(j.Ratio-0.25) > 1e-9 || math.Abs(j.Median-200e-9) > 1e-15 {
		t.Errorf("200 ns to 800 ns: median %v s, ratio %v", j.Median, j.Ratio)
	}
	// The square root of 1 times a quarter.
	if j := result.Levels[1]; j.Ratio < 0.499 || j.Ratio > 0.501 || j.Verdict != Keep {
		t.Errorf("the mean's ratio is %v, %s (%s)", j.Ratio, j.Verdict, j.Reason)
	}
}

func TestErrors(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		actions []string
		o       Options
		want    string
	}{
		{"exit status", context.Background(), []string{"fail=no input", "fail=no input"}, Options{}, "exit status 3\nno input"},
		{"interrupted", canceled, []string{"sleep=1ms", "sleep=1ms"}, Options{}, "context canceled"},
		{"no benchmark", context.Background(), []string{"print=PASS", "print=PASS"}, Options{Benchmarks: true}, "ran no benchmark; it printed\nPASS"},
		{"twice", context.Background(), []string{"print=" + fmt.Sprintf(output, "1") + fmt.Sprintf(output, "1"), "print="}, Options{Benchmarks: true}, "BenchmarkSum-2 ran twice"},
		{"no input", context.Background(), []string{"sleep=1ms", "sleep=1ms"}, Options{Stdin: "/nowhere/at/all"}, "open /nowhere/at/all: no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Rounds, c.o.MaxRounds = 1, 1
			commands := programs(t, c.actions...)
			if c.name == "twice" {
				commands = commands[:1]
			}
			if _, err := Measure(c.ctx, commands, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rules_go_multiarch/bench/internal/figures"
)

// build measures how long Bazel builds a small program, plain and at four
// levels: with no cache at all, and after a change of its source.
func build(c *collection) ([]Figure, error) {
	w := workspace{root: filepath.Join(c.dir, "copy"), output: filepath.Join(c.dir, "output")}
	if err := w.copy(); err != nil {
		return nil, err
	}
	var err error
	if w.bazel, err = filepath.Abs("bazelw"); err != nil {
		return nil, err
	}
	defer w.run("clean", "--expunge")
	kinds := []struct {
		name string
		args []string
	}{
		{"plain", []string{"//tests/bazel/programs:program", "--platforms=//private/platforms:linux_amd64_v1"}},
		{"packed, four levels", []string{"//tests/bazel/programs:four_levels"}},
	}
	cold := Figure{Name: "build-cold", Title: "Bazel, nothing cached: standard library and tools as well", Command: "go run ./bench -only build"}
	warm := Figure{Name: "build-warm", Title: "Bazel, after a change of the program", Command: cold.Command}
	for _, kind := range kinds {
		if err := w.run("clean", "--expunge"); err != nil {
			return nil, err
		}
		// Modules and toolchains are fetched and analysed before the clock runs.
		if err := w.run("build", append([]string{"--nobuild"}, kind.args...)...); err != nil {
			return nil, err
		}
		took, err := w.time(kind.args)
		if err != nil {
			return nil, err
		}
		cold.add(kind.name, took)
		var changes []time.Duration
		for i := range 5 {
			if err := w.change(i); err != nil {
				return nil, err
			}
			took, err := w.time(kind.args)
			if err != nil {
				return nil, err
			}
			changes = append(changes, took)
		}
		warm.add(kind.name, middle(changes))
	}
	return []Figure{cold, warm}, nil
}

func (f *Figure) add(name string, took time.Duration) {
	row := Row{Name: name, Value: took.Seconds(), Unit: "s", Ratio: 1}
	if len(f.Rows) > 0 {
		row.Ratio = row.Value / f.Rows[0].Value
	}
	f.Rows = append(f.Rows, row)
}

// workspace is a copy of the checkout with an output base of its own.
type workspace struct{ root, output, bazel string }

func (w *workspace) copy() error {
	list, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		return fmt.Errorf("listing the checkout's files: %w", err)
	}
	for _, name := range strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 }) {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		target := filepath.Join(w.root, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(target, text, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

func (w *workspace) run(verb string, args ...string) error {
	cmd := exec.Command(w.bazel, append([]string{"--output_base=" + w.output, "--max_idle_secs=30", verb}, args...)...)
	cmd.Dir = w.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

func (w *workspace) time(args []string) (time.Duration, error) {
	began := time.Now()
	err := w.run("build", append([]string{"--disk_cache="}, args...)...)
	return time.Since(began), err
}

// change makes a change that compiles to other code.
func (w *workspace) change(i int) error {
	path := filepath.Join(w.root, "tests/bazel/programs/main.go")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, fmt.Appendf(text, "\nfunc init() { println(%d) }\n", i), 0o666)
}

func middle(times []time.Duration) time.Duration {
	var seconds []float64
	for _, t := range times {
		seconds = append(seconds, t.Seconds())
	}
	return time.Duration(figures.Median(seconds) * float64(time.Second))
}

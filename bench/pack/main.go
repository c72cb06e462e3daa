// Pack measures how quickly the packer packs, and how much memory it takes.
//
//	go run ./bench/pack [-size MB] [-symbols MB] [-runs N] [-busy] [-check] [-json FILE]
//
// It builds a program of the given size at four levels, packs it a few times
// with its files in the page cache, and prints gigabytes of input a second and
// the most memory that the packer had resident. Then it does the same with the
// symbol tables that a program of that size may have, and with some that are as
// large as none are. The aims are at least 1 GB/s and less than 64 MB for all of
// them. The exit status is 1 when one is missed and -check is given.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rules_go_multiarch/bench/internal/figures"
	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
)

const (
	wantSpeed  = 1.0 // GB/s
	wantMemory = 64  // MB
)

const source = `package main

import _ "embed"

//go:embed blob
var blob string

func main() { println(len(blob)) }
`

func main() {
	size := flag.Int("size", 300, "megabytes of all variants together")
	symbols := flag.Int("symbols", 400, "megabytes of symbols in all variants together, for the last measurement")
	runs := flag.Int("runs", 7, "how often to pack")
	busy := flag.Bool("busy", false, "the machine is busy: run the packer before all other processes (real-time priority, needs root)")
	check := flag.Bool("check", false, "fail when an aim is missed")
	jsonPath := flag.String("json", "", "also write the first input's figures to this file")
	flag.Parse()
	missed, err := bench(*size, *symbols, *runs, *busy, *jsonPath)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
	if missed && *check {
		os.Exit(1)
	}
}

// report is what -json writes. Times are medians in seconds.
type report struct {
	Machine figures.Machine `json:"machine"`
	Runs    int             `json:"runs"`
	Bytes   int64           `json:"bytes"`  // of the variants
	Copy    float64         `json:"copy"`   // of the same bytes into one file
	Pack    float64         `json:"pack"`   // of the whole process
	Memory  int64           `json:"memory"` // most that was resident, in MiB
}

func bench(size, symbols, runs int, busy bool, jsonPath string) (missed bool, err error) {
	dir, err := os.MkdirTemp("", "bench-pack-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	args, err := build(dir, size)
	if err != nil {
		return false, err
	}
	for _, input := range []struct {
		what    string
		symbols int // megabytes to add
	}{
		{"a program", 0},
		{"the program with a tenth of symbols", size / 10},
		{"the program with many symbols", symbols},
	} {
		for level := goamd64.Min; input.symbols > 0 && level <= goamd64.Max; level++ {
			if err := growSymbols(filepath.Join(dir, level.String()), int64(input.symbols)*1e6/4); err != nil {
				return false, err
			}
		}
		r, err := measure(dir, args, runs, busy)
		if err != nil {
			return false, err
		}
		r.print(input.what)
		if jsonPath != "" && input.symbols == 0 {
			if err := r.writeJSON(jsonPath); err != nil {
				return false, err
			}
		}
		missed = missed || r.memory >= wantMemory || r.speed(r.median) < wantSpeed
	}
	return missed, nil
}

// result is what packing took.
type result struct {
	bytes                   int64 // of input
	runs                    int
	median, best, processor time.Duration
	copying                 time.Duration // of the same bytes into one file, median
	memory                  int64         // in MB
}

// measure packs what is in dir a few times. The output is a new file each time:
// what it takes to write an old one's pages to disk before it is replaced, as
// ext4 does, is no matter of the packer's.
func measure(dir string, args []string, runs int, busy bool) (r result, err error) {
	r.runs = runs
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		n, err := readAll(filepath.Join(dir, level.String()))
		if err != nil {
			return r, err
		}
		r.bytes += n
	}
	var times, copies []time.Duration
	for range runs {
		copied, err := copyAll(dir)
		if err != nil {
			return r, fmt.Errorf("copying: %w", err)
		}
		copies = append(copies, copied)
		if err := os.Remove(filepath.Join(dir, "packed")); err != nil && !os.IsNotExist(err) {
			return r, err
		}
		cmd := exec.Command(filepath.Join(dir, "packer"), args...)
		cmd.Dir = dir
		var output strings.Builder
		cmd.Stdout, cmd.Stderr = &output, &output
		began, err := start(cmd, busy)
		if err == nil {
			err = cmd.Wait()
		}
		if err != nil {
			return r, fmt.Errorf("packing: %w\n%s", err, output.String())
		}
		times = append(times, time.Since(began))
		r.processor += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()) / time.Duration(runs)
		// Maxrss counts KiB: getrusage(2).
		r.memory = max(r.memory, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10)
	}
	slices.Sort(times)
	slices.Sort(copies)
	r.median, r.best, r.copying = times[len(times)/2], times[0], copies[len(copies)/2]
	return r, nil
}

func (r *result) speed(d time.Duration) float64 { return float64(r.bytes) / 1e9 / d.Seconds() }

func (r *result) print(what string) {
	fmt.Printf("input          %d MB in four variants, %s\n", r.bytes/1e6, what)
	fmt.Printf("time           median %v, best %v, of %d runs\n", r.median.Round(time.Millisecond), r.best.Round(time.Millisecond), r.runs)
	fmt.Printf("processor      %v a run, %.2f GB/s\n", r.processor.Round(time.Millisecond), r.speed(r.processor))
	fmt.Printf("throughput     median %.2f GB/s, best %.2f GB/s\n", r.speed(r.median), r.speed(r.best))
	fmt.Printf("largest memory %d MB resident\n", r.memory)
	fmt.Printf("copying        median %v for the same bytes: packing takes %.2f times as long\n",
		r.copying.Round(time.Millisecond), r.median.Seconds()/r.copying.Seconds())
	fmt.Printf("aim            memory of less than %d MB, throughput of at least %.1f GB/s\n\n", wantMemory, wantSpeed)
}

func (r *result) writeJSON(path string) error {
	text, err := json.MarshalIndent(report{
		Machine: figures.ThisMachine(), Runs: r.runs, Bytes: r.bytes,
		Copy: r.copying.Seconds(), Pack: r.median.Seconds(), Memory: r.memory,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

// copyAll copies the variants into one new file.
func copyAll(dir string) (time.Duration, error) {
	path := filepath.Join(dir, "copied")
	os.Remove(path)
	began := time.Now()
	out, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		in, err := os.Open(filepath.Join(dir, level.String()))
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(out, in)
		in.Close()
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// start starts a command. A child has the scheduling of the thread that starts
// it.
func start(cmd *exec.Cmd, busy bool) (began time.Time, err error) {
	if busy {
		runtime.LockOSThread() // and never unlocks: the thread ends with its goroutine
		if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0); err != nil {
			return began, fmt.Errorf("-busy: real-time priority: %w", err)
		}
	}
	began = time.Now()
	return began, cmd.Start()
}

// readAll brings a file into the page cache.
func readAll(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return io.Copy(io.Discard, file)
}

// build makes packer, launcher and variants, and returns the packer's arguments.
func build(dir string, size int) (args []string, err error) {
	if err := goBuild("", "v1", "-o", dir, "rules_go_multiarch/tools/packer"); err != nil {
		return nil, err
	}
	if err := goBuild("", "v1", "-o", filepath.Join(dir, "launcher"), "-ldflags=-E rules_go_multiarch/launcher/boot.entry", "rules_go_multiarch/launcher/program"); err != nil {
		return nil, err
	}
	program := filepath.Join(dir, "program")
	if err := os.Mkdir(program, 0o777); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"go.mod": "module program\n\ngo 1.24\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(program, name), []byte(text), 0o666); err != nil {
			return nil, err
		}
	}
	if err := writeBlob(filepath.Join(program, "blob"), int64(size)*1e6/4); err != nil {
		return nil, err
	}
	args = []string{"create", "-launcher", "launcher", "-o", "packed"}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		out := filepath.Join(dir, level.String())
		at := fmt.Sprintf("-ldflags=-T %#x", slots.Of(level).Base+slots.TextOffset)
		if err := goBuild(program, level.String(), "-o", out, at, "."); err != nil {
			return nil, err
		}
		args = append(args, level.String()+"="+level.String())
	}
	return args, nil
}

func goBuild(dir, level string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64="+level)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %q: %w\n%s", args, err, out)
	}
	return nil
}

// writeBlob writes bytes that are not zero and do not compress.
func writeBlob(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(file, rand.NewChaCha8([32]byte{1}), size)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// Pack measures how quickly the packer packs, and how much memory it takes.
//
//	go run ./bench/pack [-size MB] [-runs N] [-json FILE]
//
// It builds a program of the given size at four levels, packs it a few times
// with its files in the page cache, and prints gigabytes of input a second and
// the most memory that the packer had resident. The aims are at least 1 GB/s,
// and less than 64 MB whatever the size. The exit status is 1 when it misses one
// of them and -check is given.
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
	"slices"
	"syscall"
	"time"

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
	runs := flag.Int("runs", 7, "how often to pack")
	check := flag.Bool("check", false, "fail when an aim is missed")
	jsonPath := flag.String("json", "", "also write the figures to this file")
	flag.Parse()
	missed, err := measure(*size, *runs, *jsonPath)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
	if missed && *check {
		os.Exit(1)
	}
}

// report is what was measured, as -json writes it. Times are medians in seconds.
type report struct {
	Machine figures.Machine `json:"machine"`
	Runs    int             `json:"runs"`
	Bytes   int64           `json:"bytes"`  // of the variants
	Copy    float64         `json:"copy"`   // of the same bytes into one file
	Pack    float64         `json:"pack"`   // of the whole process
	Memory  int64           `json:"memory"` // most that was resident, in MiB
}

func measure(size, runs int, jsonPath string) (missed bool, err error) {
	dir, err := os.MkdirTemp("", "bench-pack-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	args, bytes, err := build(dir, size)
	if err != nil {
		return false, err
	}

	var times, copies []time.Duration
	var memory int64
	var processor time.Duration
	for range runs {
		copied, err := copyAll(dir)
		if err != nil {
			return false, fmt.Errorf("copying: %w", err)
		}
		copies = append(copies, copied)
		cmd := exec.Command(filepath.Join(dir, "packer"), args...)
		cmd.Dir = dir
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			return false, fmt.Errorf("packing: %w\n%s", err, out)
		}
		times = append(times, time.Since(began))
		processor += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()) / time.Duration(runs)
		// Maxrss counts KiB: getrusage(2).
		memory = max(memory, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10)
	}
	slices.Sort(times)
	slices.Sort(copies)
	median, copying := times[len(times)/2], copies[len(copies)/2]
	speed := func(d time.Duration) float64 { return float64(bytes) / 1e9 / d.Seconds() }
	fmt.Printf("input          %d MB in four variants\n", bytes/1e6)
	fmt.Printf("time           median %v, best %v, of %d runs\n", median.Round(time.Millisecond), times[0].Round(time.Millisecond), runs)
	fmt.Printf("processor      %v a run, %.2f GB/s\n", processor.Round(time.Millisecond), speed(processor))
	fmt.Printf("throughput     median %.2f GB/s, best %.2f GB/s (aim: %.1f)\n", speed(median), speed(times[0]), wantSpeed)
	fmt.Printf("largest memory %d MB resident (aim: less than %d)\n", memory, wantMemory)
	fmt.Printf("copying        median %v for the same bytes, so that packing takes %.2f times as long\n", copying.Round(time.Millisecond), median.Seconds()/copying.Seconds())
	if jsonPath != "" {
		text, err := json.MarshalIndent(report{
			Machine: figures.ThisMachine(), Runs: runs, Bytes: bytes,
			Copy: copying.Seconds(), Pack: median.Seconds(), Memory: memory,
		}, "", "  ")
		if err != nil {
			return false, err
		}
		if err := os.WriteFile(jsonPath, append(text, '\n'), 0o666); err != nil {
			return false, err
		}
	}
	return speed(median) < wantSpeed || memory >= wantMemory, nil
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

// build makes packer, launcher and variants, and returns the packer's arguments
// and how many bytes the variants have.
func build(dir string, size int) (args []string, bytes int64, err error) {
	if err := goBuild("", "v1", "-o", dir, "rules_go_multiarch/tools/packer"); err != nil {
		return nil, 0, err
	}
	if err := goBuild("", "v1", "-o", filepath.Join(dir, "launcher"), "-ldflags=-E rules_go_multiarch/launcher/boot.entry", "rules_go_multiarch/launcher/program"); err != nil {
		return nil, 0, err
	}
	program := filepath.Join(dir, "program")
	if err := os.Mkdir(program, 0o777); err != nil {
		return nil, 0, err
	}
	for name, text := range map[string]string{"go.mod": "module program\n\ngo 1.24\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(program, name), []byte(text), 0o666); err != nil {
			return nil, 0, err
		}
	}
	if err := writeBlob(filepath.Join(program, "blob"), int64(size)*1e6/4); err != nil {
		return nil, 0, err
	}
	args = []string{"create", "-launcher", "launcher", "-o", "packed"}
	for level := goamd64.Min; level <= goamd64.Max; level++ {
		out := filepath.Join(dir, level.String())
		at := fmt.Sprintf("-ldflags=-T %#x", slots.Of(level).Base+slots.TextOffset)
		if err := goBuild(program, level.String(), "-o", out, at, "."); err != nil {
			return nil, 0, err
		}
		info, err := os.Stat(out)
		if err != nil {
			return nil, 0, err
		}
		bytes += info.Size()
		args = append(args, level.String()+"="+level.String())
	}
	return args, bytes, nil
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

// Probe is the program that tests pack: it reports what it sees of the world
// it was started in, as JSON on standard output.
//
// Arguments after the flags are reported.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/bits"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// Report is what the probe prints.
type Report struct {
	Level        string   // GOAMD64 that this code was compiled for, by its build tags
	BuildInfo    string   // GOAMD64 in the build information
	Args         []string // os.Args
	Env          []string
	Executable   string // os.Executable
	Stdin        string
	PID, EUID    int
	Capabilities string // effective ones, as /proc/self/status has them
	Ignored      []int  // signals that were ignored at start
	CoreLimit    uint64 // soft limit of RLIMIT_CORE, in bytes
	Zeroes       bool   // whether package variables without a value were all zero
	Sum          int    // of a computation that popcount, FMA and shifts take part in
}

// zeroes fills several pages of .noptrbss and must begin as zeroes.
var zeroes [64 << 10]byte

// pointers does the same for .bss.
var pointers [4 << 10]*int

func main() {
	exit := flag.Int("exit", 0, "exit status")
	stdin := flag.Bool("stdin", false, "read standard input")
	forever := flag.Bool("forever", false, "wait to be killed")
	echo := flag.Bool("echo", false, "with -forever: copy standard input to standard output")
	quiet := flag.Bool("quiet", false, "report nothing")
	flag.Parse()

	report := Report{Level: level, Args: os.Args, Env: os.Environ(), Zeroes: allZero(), Sum: compute(), PID: os.Getpid(), EUID: os.Geteuid(), Capabilities: capabilities()}
	if *quiet {
		os.Exit(*exit)
	}
	report.Executable, _ = os.Executable()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "GOAMD64" {
				report.BuildInfo = setting.Value
			}
		}
	}
	for s := syscall.Signal(1); s < 32; s++ {
		if signal.Ignored(s) {
			report.Ignored = append(report.Ignored, int(s))
		}
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err == nil {
		report.CoreLimit = limit.Cur
	}
	if *stdin {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			fmt.Fprintln(os.Stderr, "probe: reading standard input:", err)
		}
		report.Stdin = string(text)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fmt.Fprintln(os.Stderr, "probe: writing the report:", err)
		os.Exit(1)
	}
	if *echo {
		io.Copy(os.Stdout, os.Stdin)
	}
	for *forever {
		time.Sleep(time.Hour) // select {} would be a deadlock to the runtime
	}
	os.Exit(*exit)
}

func capabilities() string {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if value, found := strings.CutPrefix(line, "CapEff:"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func allZero() bool {
	for _, b := range zeroes {
		if b != 0 {
			return false
		}
	}
	for _, p := range pointers {
		if p != nil {
			return false
		}
	}
	zeroes[0], pointers[0] = 1, new(int) // used, so that they stay
	return true
}

//go:noinline
func compute() int {
	sum := 0
	for i := uint64(1); i < 1000; i++ {
		sum += bits.OnesCount64(i*0x9e3779b97f4a7c15) + bits.TrailingZeros64(i)
	}
	return sum
}

// Memfd is the baseline that packed files are compared with: the way of mgo and
// its relatives in the fewest steps. A launcher with every variant embedded
// writes the one to start into a memory file and executes that.
//
// The files in variants are empty: bench/startup puts executables in their
// place when it builds this (go build -overlay).
package main

import (
	_ "embed"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/unix"
)

var (
	//go:embed variants/v1
	v1 []byte
	//go:embed variants/v2
	v2 []byte
	//go:embed variants/v3
	v3 []byte
	//go:embed variants/v4
	v4 []byte
)

func main() {
	level := max(cpuid.CPU.X64Level(), 1)
	err := execute([][]byte{v1, v2, v3, v4}[level-1])
	fmt.Fprintf(os.Stderr, "memfd: starting GOAMD64=v%d: %v\n", level, err)
	os.Exit(127)
}

// execute replaces this process by the program. It returns only on failure.
func execute(program []byte) error {
	fd, err := unix.MemfdCreate("variant", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("creating a memory file: %w", err)
	}
	for left := program; len(left) > 0; {
		n, err := unix.Write(fd, left)
		if err != nil {
			return fmt.Errorf("writing the memory file: %w", err)
		}
		left = left[n:]
	}
	return execveat(fd, os.Args, os.Environ())
}

// execveat is fexecve(3), for which package unix has no function.
func execveat(fd int, args, env []string) error {
	argv, err := syscall.SlicePtrFromStrings(args)
	if err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	empty := [1]byte{}
	_, _, errno := syscall.Syscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(&empty)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])), unix.AT_EMPTY_PATH, 0)
	return fmt.Errorf("executing the memory file: %w", errno)
}

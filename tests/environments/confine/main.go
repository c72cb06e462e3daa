// Confine restricts itself as its flags say and executes a program.
//
//	confine [flags] PROGRAM [ARGUMENT...]
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	// Signal masks and no_new_privs belong to a thread.
	runtime.LockOSThread()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "confine:", err)
		os.Exit(125)
	}
}

var (
	noNewPrivs  = flag.Bool("no-new-privs", false, "set PR_SET_NO_NEW_PRIVS")
	mdwe        = flag.Bool("mdwe", false, "set PR_SET_MDWE: no memory may become executable")
	refuse      = flag.String("refuse", "", "system calls that a seccomp filter refuses: a key of systemCalls, or mprotect-exec")
	kill        = flag.String("kill", "", "system calls for which a seccomp filter kills the process: keys of systemCalls")
	block       = flag.Bool("block-signals", false, "block every signal")
	ignore      = flag.Bool("ignore-signals", false, "ignore every signal")
	closeFiles  = flag.Bool("close-files", false, "close standard input, output and error")
	noArguments = flag.Bool("no-arguments", false, "execute with argc 0")
	byFD        = flag.Bool("by-fd", false, "execute through an open file, by execveat")
	root        = flag.String("chroot", "", "make this folder the root")
	user        = flag.Int("user", 0, "become this user and group")
	limits      = map[int]*uint64{
		unix.RLIMIT_AS:    flag.Uint64("limit-as", 0, "RLIMIT_AS in bytes"),
		unix.RLIMIT_DATA:  flag.Uint64("limit-data", 0, "RLIMIT_DATA in bytes"),
		unix.RLIMIT_STACK: flag.Uint64("limit-stack", 0, "RLIMIT_STACK in bytes"),
	}
)

func run() error {
	flag.Parse()
	if flag.NArg() == 0 {
		return fmt.Errorf("no program")
	}
	path := flag.Arg(0)
	fd := -1
	if *byFD {
		var err error
		if fd, err = unix.Open(path, unix.O_PATH, 0); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if *root != "" {
		if err := unix.Chroot(*root); err != nil {
			return fmt.Errorf("chroot %s: %w", *root, err)
		}
		if err := unix.Chdir("/"); err != nil {
			return err
		}
	}
	if *user != 0 {
		if err := become(*user); err != nil {
			return fmt.Errorf("becoming user %d: %w", *user, err)
		}
	}
	if err := setSignals(); err != nil {
		return err
	}
	if *noNewPrivs || *refuse != "" || *kill != "" {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("PR_SET_NO_NEW_PRIVS: %w", err)
		}
	}
	// All that follows is made ready first: a limited process may not be able to.
	argv, err := syscall.SlicePtrFromStrings(flag.Args())
	if err != nil {
		return err
	}
	if *noArguments {
		argv = []*byte{nil}
	}
	environment, err := syscall.SlicePtrFromStrings(os.Environ())
	if err != nil {
		return err
	}
	cpath, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	empty := new(byte)
	if *refuse != "" || *kill != "" {
		if err := install(*refuse, *kill); err != nil {
			return err
		}
	}
	if *mdwe {
		if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err != nil {
			return fmt.Errorf("PR_SET_MDWE: %w", err)
		}
	}
	if *closeFiles {
		for i := range 3 {
			unix.Close(i)
		}
	}
	for resource, limit := range limits {
		if *limit > 0 {
			if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: *limit, Max: *limit}); err != nil {
				return fmt.Errorf("setrlimit %d: %w", resource, err)
			}
		}
	}
	var errno unix.Errno
	if *byFD {
		_, _, errno = unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(empty)),
			uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&environment[0])), unix.AT_EMPTY_PATH, 0)
	} else {
		_, _, errno = unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(cpath)),
			uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&environment[0])))
	}
	return fmt.Errorf("executing %s: %w", path, errno)
}

func become(user int) error {
	if err := unix.Setgroups(nil); err != nil {
		return err
	}
	if err := unix.Setresgid(user, user, user); err != nil {
		return err
	}
	return unix.Setresuid(user, user, user)
}

// kernelSigaction is struct kernel_sigaction.
type kernelSigaction struct{ handler, flags, restorer, mask uint64 }

func setSignals() error {
	const sigIgn, sigBlock = 1, 0
	for sig := uintptr(1); *ignore && sig <= 64; sig++ {
		if sig == uintptr(unix.SIGKILL) || sig == uintptr(unix.SIGSTOP) {
			continue
		}
		action := kernelSigaction{handler: sigIgn}
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0); errno != 0 {
			return fmt.Errorf("ignoring signal %d: %w", sig, errno)
		}
	}
	if *block {
		all := ^uint64(0)
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, sigBlock, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0); errno != 0 {
			return fmt.Errorf("blocking signals: %w", errno)
		}
	}
	return nil
}

// systemCalls are those that a filter may refuse whatever their arguments are, and
// that every architecture has.
var systemCalls = map[string]uint32{
	"madvise":      unix.SYS_MADVISE,
	"memfd_create": unix.SYS_MEMFD_CREATE,
	"mremap":       unix.SYS_MREMAP,
	"munmap":       unix.SYS_MUNMAP,
	"prlimit64":    unix.SYS_PRLIMIT64,
	"writev":       unix.SYS_WRITEV,
}

// install installs a seccomp filter that makes some system calls fail with EPERM, and
// kills the process for others. Names are separated by commas.
func install(refused, killed string) error {
	const load, jumpEqual, jumpSet, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	const numberOffset, thirdArgument = 0, 16 + 2*8 // struct seccomp_data
	allow := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW}
	deny := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}

	filter := []unix.SockFilter{{Code: load, K: numberOffset}}
	kills := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS}
	for names, action := range map[string]unix.SockFilter{refused: deny, killed: kills} {
		for name := range strings.SplitSeq(names, ",") {
			number, ok := systemCalls[name]
			switch {
			case ok:
				filter = append(filter, unix.SockFilter{Code: jumpEqual, K: number, Jf: 1}, action)
			case name == "mprotect-exec" && names == refused:
				filter = append(filter,
					unix.SockFilter{Code: jumpEqual, K: unix.SYS_MPROTECT, Jf: 4},
					unix.SockFilter{Code: load, K: thirdArgument},
					unix.SockFilter{Code: jumpSet, K: unix.PROT_EXEC, Jf: 1},
					deny,
					allow)
			case name != "":
				return fmt.Errorf("-refuse, -kill: unknown system call %q", name)
			}
		}
	}
	filter = append(filter, allow)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

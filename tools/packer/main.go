// Packer makes, from executables built for different levels of GOAMD64, one
// executable that starts the best of them, and takes such files apart again.
// Only its verb bench runs what it works on. See "packer help".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

// memoryAim is where the garbage collector begins to work harder, in bytes:
// symbol tables are all of the input that is ever in memory.
const memoryAim = 40 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryAim)
	}
	keepBrokenPipes()
	ctx, stop := signal.NotifyContext(context.Background(), endSignals...)
	context.AfterFunc(ctx, stop) // a second signal ends it the hard way
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Exit statuses.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitUnknown = 2 // of check: it cannot tell
)

// world is what a verb works in. When ctx ends, a verb stops and leaves nothing
// behind.
type world struct {
	ctx            context.Context
	stdout, stderr io.Writer
}

// verb is a subcommand. run gets the arguments behind the verb and returns an
// error without the prefix "packer: verb: ".
type verb struct {
	name, summary, usage string
	run                  func(w *world, args []string) error
}

var allVerbs []verb

// The list refers to verbs that refer to the list.
func init() {
	allVerbs = []verb{
		createVerb, buildVerb, checkVerb, infoVerb, verifyVerb, extractVerb,
		thinVerb, replaceVerb, removeVerb, whichVerb, debugVerb, completionVerb,
	}
}

// extraVerbs are those in files that not every build of the packer has.
var extraVerbs []verb

func verbs() []verb { return slices.Concat(allVerbs, extraVerbs) }

// usageError is an error in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usagef returns a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// reported is an exit status. It ends a verb that has said on its own what is
// wrong.
type reported int

func (r reported) Error() string { return fmt.Sprintf("exit status %d", int(r)) }

// errReported is that of a verb that failed.
const errReported = reported(exitFailure)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		help(stderr)
		return exitUsage
	}
	out := &errorWriter{w: stdout}
	stdout, stderr = &printable{w: out}, &printable{w: stderr}
	name := args[0]
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		return printed(out, stderr, runHelp(args[1:], stdout, stderr))
	}
	for _, v := range verbs() {
		if v.name != name {
			continue
		}
		err := v.run(&world{ctx, stdout, stderr}, args[1:])
		if errors.Is(err, flag.ErrHelp) {
			return printed(out, stderr, runHelp([]string{name}, stdout, stderr))
		}
		if errors.Is(out.err, syscall.EPIPE) {
			return exitFailure // whoever read it has seen enough
		}
		if err == nil && out.err != nil {
			err = fmt.Errorf("standard output: %w", reason(out.err))
		}
		if err == nil {
			return exitOK
		}
		if status := reported(0); errors.As(err, &status) {
			return int(status)
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(stderr, "packer: %s: %v\n", name, err)
		if bad := (usageError{}); errors.As(err, &bad) {
			synopsis, _, _ := strings.Cut(v.usage, "\n")
			fmt.Fprintf(stderr, "usage: packer %s\nsee packer help %s\n", synopsis, v.name)
			return exitUsage
		}
		return exitFailure
	}
	fmt.Fprintf(stderr, "packer: unknown verb %q: see packer help\n", name)
	return exitUsage
}

// printed returns the status of what has printed to out.
func printed(out *errorWriter, stderr io.Writer, status int) int {
	if errors.Is(out.err, syscall.EPIPE) {
		return exitFailure
	}
	if status == exitOK && out.err != nil {
		fmt.Fprintf(stderr, "packer: help: standard output: %v\n", reason(out.err))
		return exitFailure
	}
	return status
}

// reason strips the name of the file from an error of package os.
func reason(err error) error {
	if bad := (*os.PathError)(nil); errors.As(err, &bad) {
		return bad.Err
	}
	return err
}

// errorWriter keeps the first error, so that a full disk or a closed pipe under
// standard output is not success.
type errorWriter struct {
	w   io.Writer
	err error
}

func (e *errorWriter) Write(p []byte) (int, error) {
	n, err := e.w.Write(p)
	if e.err == nil {
		e.err = err
	}
	return n, err
}

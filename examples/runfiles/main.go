// Almanac shows what a program finds when it starts: its data, the programs that
// it needs, its environment, and what the linker wrote into it.
//
//	almanac list           a file's lines, after $ALMANAC_TITLE
//	almanac sorted         a file that the build made
//	almanac total          the output of a Go program
//	almanac shout TEXT     the output of the script that $ALMANAC_UPPER names
//	almanac version        the variables that BUILD.bazel gives values to
//
// The flag -rivers has the file of `list`. Without a command it is `list`.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

// Set by x_defs in BUILD.bazel.
var (
	sortedPath string
	totalPath  string
	version    = "unset"
	release    = "unstamped"
	builtAt    = "unstamped"
)

func main() {
	rivers := flag.String("rivers", "", "runfile to list")
	flag.Parse()
	if err := run(flag.Args(), *rivers, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "almanac:", err)
		os.Exit(1)
	}
}

func run(args []string, rivers string, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"list"}
	}
	switch command, rest := args[0], args[1:]; {
	case command == "list" && len(rest) == 0:
		if title := os.Getenv("ALMANAC_TITLE"); title != "" {
			fmt.Fprintf(out, "%s\n", title)
		}
		return copyFile(out, rivers)
	case command == "sorted" && len(rest) == 0:
		return copyFile(out, sortedPath)
	case command == "total" && len(rest) == 0:
		return start(out, "", totalPath)
	case command == "shout" && len(rest) == 1:
		return start(out, rest[0], os.Getenv("ALMANAC_UPPER"))
	case command == "version" && len(rest) == 0:
		_, err := fmt.Fprintf(out, "version %s\nrelease %s\nbuilt %s\n", version, release, builtAt)
		return err
	}
	return fmt.Errorf("unknown command %q, want list, sorted, total, shout TEXT or version", args)
}

// copyFile prints a runfile.
func copyFile(out io.Writer, path string) error {
	path, err := runfiles.Rlocation(path)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}

// start runs a program of the runfiles, which may have runfiles itself.
func start(out io.Writer, input, path string) error {
	path, err := runfiles.Rlocation(path)
	if err != nil {
		return err
	}
	env, err := runfiles.Env()
	if err != nil {
		return err
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout = out
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

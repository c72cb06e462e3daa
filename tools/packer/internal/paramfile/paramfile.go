// Package paramfile expands @FILE arguments, which build systems use for
// command lines that may be long.
package paramfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Expand replaces each argument @FILE by the lines of FILE ("multiline" format
// of Bazel: one argument a line, unquoted).
func Expand(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		path, found := strings.CutPrefix(arg, "@")
		if !found {
			out = append(out, arg)
			continue
		}
		text, err := os.ReadFile(path)
		if bad := (*os.PathError)(nil); errors.As(err, &bad) {
			err = bad.Err
		}
		if err != nil {
			return nil, fmt.Errorf("argument %q: %w", arg, err)
		}
		if len(text) > 0 {
			out = append(out, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		}
	}
	return out, nil
}

// Package newcomer_test does what somebody does who has nothing yet but a
// machine with Go and Bazel: docs/getting-started.md, in a folder outside of the
// repository, with a clone of it where the page says so.
package newcomer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

func TestMain(m *testing.M) {
	status := m.Run()
	if module.Dir != "" {
		module.Expunge()
		os.RemoveAll(filepath.Dir(module.Folder())) // it is a folder further down than a copy
	}
	os.Exit(status)
}

// module is the one that the page makes. Every test that starts Bazel uses it.
var module bazeltest.Workspace

// gettingStarted follows the page's section on Bazel, once, and returns the
// module that it ends in.
func gettingStarted(t *testing.T) bazeltest.Workspace {
	t.Helper()
	if module.Dir != "" {
		return module
	}
	w := bazeltest.Checkout(t).Empty(t, "newcomer", "")
	folder := w.Dir
	w.Dir = filepath.Join(folder, "app") // as the page calls it
	module = w

	// "bazel" is what the page says. This one is not on the PATH of the Bazel
	// that it starts, which may look for another one there.
	real, err := bazeltest.Command()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(w.Folder(), "bin")
	script := fmt.Sprintf("#!/bin/sh\nPATH=%s\nexec %s %s \"$@\"\n", quote(os.Getenv("PATH")), quote(real), quoteAll(w.Startup))
	bazeltest.Write(t, filepath.Join(bin, "bazel"), script)
	if err := os.Chmod(filepath.Join(bin, "bazel"), 0o777); err != nil {
		t.Fatal(err)
	}
	follow(t, "With Bazel", folder, "PATH="+bin+":"+os.Getenv("PATH"))
	return module
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func quoteAll(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return strings.Join(quoted, " ")
}

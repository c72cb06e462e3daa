package golauncher

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tools/packer/internal/bootcode"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func read(t *testing.T, path string) *bootcode.Code {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	code, err := bootcode.Read(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return code
}

func build(t *testing.T) *bootcode.Code {
	t.Helper()
	code, err := Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestBootCodeIsTheOneOfTheTree builds the embedded sources under everything
// that a user may have set.
func TestBootCodeIsTheOneOfTheTree(t *testing.T) {
	want := read(t, testenv.Launcher(t))
	for _, variable := range []string{"GOAMD64=v3", "GOFLAGS=-race -tags=x -ldflags=-s", "GOOS=windows", "GOARCH=arm64", "CGO_ENABLED=1", "GOWORK=/nowhere"} {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	got := build(t)
	if !bytes.Equal(got.Bytes, want.Bytes) || got.Entry != want.Entry || len(got.Funcs) != len(want.Funcs) {
		t.Error("the embedded sources give other boot code than launcher/program")
	}
}

// TestBootCodeIsBazels starts Bazel, which CI names; without one there is
// nothing to compare with.
func TestBootCodeIsBazels(t *testing.T) {
	const target = "//launcher/program"
	w := bazeltest.Checkout(t)
	w.Bazel(t, "build", target)
	root := strings.TrimSpace(w.Bazel(t, "info", "execution_root"))
	// Bazel's server may know the target in other configurations as well.
	path := strings.TrimSpace(w.Bazel(t, "cquery", "--output=files", "config("+target+", target)"))
	if !bytes.Equal(read(t, filepath.Join(root, path)).Bytes, build(t).Bytes) {
		t.Errorf("%s has other boot code than the embedded sources", target)
	}
}

func TestNoGoCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Build(context.Background())
	if err == nil || !strings.Contains(err.Error(), "there is none on PATH: install Go, or give a linked launcher with -launcher FILE") {
		t.Errorf("error %v", err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	build(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx); err == nil {
		t.Error("built although it was cancelled")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

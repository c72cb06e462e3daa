// Package image_test starts a packed program as the entrypoint of a container
// image that Bazel built.
package image_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// TestStartsInNamespaces has umoci check and unpack the image, and starts its
// entrypoint with nothing but the image's own files, in namespaces as a
// container has them.
func TestStartsInNamespaces(t *testing.T) {
	umoci := testenv.Tool(t, "umoci")
	if os.Getuid() != 0 {
		t.Skip("skipped: needs root to unpack and start an image")
	}
	examples := bazeltest.Checkout(t).Module("examples")
	examples.Bazel(t, "build", "//image")
	image := filepath.Join(
		strings.TrimSpace(examples.Bazel(t, "info", "execution_root")),
		strings.TrimSpace(examples.Bazel(t, "cquery", "--output=files", "//image")))
	bundle := filepath.Join(t.TempDir(), "bundle")
	output(t, umoci, "unpack", "--image", image+":latest", bundle)
	root := filepath.Join(bundle, "rootfs")

	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 1 || entries[0].Name() != "app" {
		t.Fatalf("the image has %v (%v), want app alone", entries, err)
	}
	// The OCI runtime's configuration, in which umoci puts the image's entrypoint.
	var config struct{ Process struct{ Args []string } }
	text, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil || len(config.Process.Args) != 1 {
		t.Fatalf("the image's entrypoint: %q (%v)", config.Process.Args, err)
	}
	for _, level := range probetest.Runnable(t) {
		got := output(t, "env", "--ignore-environment", "GOMULTIARCH=max="+level.String(),
			"unshare", "--fork", "--pid", "--mount", "--net", "--uts", "--ipc", "--root="+root, config.Process.Args[0])
		if !strings.Contains(got, level.String()) {
			t.Errorf("capped at %v it prints %q", level, got)
		}
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"rules_go_multiarch/internal/testenv"
)

// TestOverlapAdvice follows the advice about executables that were linked to the same
// addresses, for each linker.
func TestOverlapAdvice(t *testing.T) {
	for name, test := range map[string]struct {
		needs string // a tool
		code  string
	}{
		"Go's linker": {"go", "package main\n\nfunc main() {}\n"},
		"GNU's":       {"gcc", "package main\n\n// int one = 1;\nimport \"C\"\n\nfunc main() { println(C.one) }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			testenv.Tool(t, test.needs)
			dir := tree(t, map[string]string{"go.mod": "module example.com/advice\n\ngo 1.24\n", "main.go": test.code})
			build := func(level string, flags ...string) {
				cmd := exec.Command("go", append([]string{"build", "-o", level}, flags...)...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GOAMD64="+level, "GOFLAGS=", "CGO_ENABLED=1")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
				}
			}
			create := func() result {
				args := []string{"create", "-launcher", testenv.Launcher(t), "-o", filepath.Join(dir, "app")}
				for _, level := range []string{"v1", "v2", "v3"} {
					args = append(args, filepath.Join(dir, level))
				}
				return packer(args...)
			}
			for _, level := range []string{"v1", "v2", "v3"} {
				build(level)
			}
			advice := regexp.MustCompile(`link (v\d) with ([^ ]*), `).FindAllStringSubmatch(create().stderr, -1)
			if len(advice) != 2 {
				t.Fatalf("advice %q, want some for v2 and for v3", advice)
			}
			for _, a := range advice {
				build(a[1], a[2])
			}
			if r := create(); r.status != 0 {
				t.Errorf("after following the advice %q: status %d, %s", advice, r.status, r.stderr)
			}
		})
	}
}

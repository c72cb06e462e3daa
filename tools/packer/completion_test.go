package main

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFlagsAreTheHelps compares the flags that are completed with those that
// the help text of each verb lists.
func TestFlagsAreTheHelps(t *testing.T) {
	listed := regexp.MustCompile(`(?m)^  (--?[a-z-]+)`)
	for _, v := range verbs() {
		known, found := flagsOf[v.name]
		if !found {
			t.Errorf("%s: nothing to complete", v.name)
		}
		for _, match := range listed.FindAllStringSubmatch(v.usage, -1) {
			if !slices.Contains(known, match[1]) {
				t.Errorf("%s: %s is not completed", v.name, match[1])
			}
		}
	}
}

// TestBashCompletes asks bash itself.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped: no bash")
	}
	script := must(t, "completion", "bash")
	for line, want := range map[string]string{
		"packer ver":             "verify",
		"packer help th":         "thin",
		"packer thin -l":         "-level",
		"packer thin -level v":   "v1 v2 v3 v4",
		"packer build -levels n": "native",
		"packer completion f":    "fish",
		"packer verify --ag":     "--against",
		"packer build -no-e":     "-no-environment",
		"packer extract /bin/sh": "/bin/sh",
	} {
		words := strings.Fields(line)
		ask := script + "\nCOMP_WORDS=(" + line + ")\nCOMP_CWORD=" + string(rune('0'+len(words)-1)) + "\n_packer\necho ${COMPREPLY[*]}\n"
		out, err := exec.Command(bash, "--norc", "-c", ask).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want && !(line == "packer extract /bin/sh" && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %q, want %q (%v)", line, got, want, err)
		}
	}
}

func TestOtherShells(t *testing.T) {
	for shell, wanted := range map[string][]string{
		"zsh": {"#compdef packer\n"},
		"fish": {
			"complete -c packer -n '__fish_seen_subcommand_from thin' -o level -x -a 'v1 v2 v3 v4'\n",
			"complete -c packer -n '__fish_seen_subcommand_from build' -o levels -x -a 'v1 v2 v3 v4 native'\n",
		},
	} {
		script := must(t, "completion", shell)
		for _, want := range wanted {
			if !strings.Contains(script, want) {
				t.Errorf("%s: no %q in\n%s", shell, want, script)
			}
		}
		if path, err := exec.LookPath(shell); err == nil {
			if out, err := exec.Command(path, "-n", "-c", script).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", shell, err, out)
			}
		}
	}
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}, {"completion", "bash", "zsh"}} {
		if r := packer(args...); r.status != 2 {
			t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
		}
	}
}

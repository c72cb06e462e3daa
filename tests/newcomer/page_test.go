package newcomer_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// step is a file that a page shows, or a command with what it prints.
type step struct {
	file, text      string
	command, output string
}

var (
	// The repository's address, for which tests take a clone of the checkout.
	address  = regexp.MustCompile(`https://github\.com/[^/ ]+/rules_go_multiarch`)
	fence    = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")
	fileName = regexp.MustCompile("`([A-Za-z_./]+)`[^`:]*(?:`[^`:]*`[^`:]*)*:\n\n$")
)

// readSteps returns the steps of a section of the page. The name of a file is
// the first in backquotes of the sentence that ends in a colon before its
// contents; output stands below its command.
func readSteps(t *testing.T, section string) []step {
	t.Helper()
	page, err := os.ReadFile("../../docs/getting-started.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## "+section+"\n")
	if !found {
		t.Fatalf("no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")

	var steps []step
	for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
		language, body := text[at[2]:at[3]], text[at[4]:at[5]]
		if language == "console" {
			for _, line := range strings.SplitAfter(body, "\n") {
				if command, is := strings.CutPrefix(line, "$ "); is {
					steps = append(steps, step{command: strings.TrimSpace(command)})
				} else if line != "" {
					steps[len(steps)-1].output += line
				}
			}
			continue
		}
		sentence := text[:at[0]]
		if i := strings.LastIndex(strings.TrimRight(sentence, "\n"), "\n\n"); i >= 0 {
			sentence = sentence[i:]
		}
		if i := strings.LastIndex(sentence, ". "); i >= 0 {
			sentence = sentence[i:]
		}
		name := fileName.FindStringSubmatch(sentence)
		if name == nil {
			t.Fatalf("no name of a file in %q, before\n%s", sentence, body)
		}
		steps = append(steps, step{file: name[1], text: body})
	}
	return steps
}

// follow does what a section says, in one shell that begins in a folder, and
// wants every command to succeed and to print what the page says, on standard output or on both
// outputs, standard error first.
func follow(t *testing.T, section, folder string, env ...string) {
	t.Helper()
	steps, logs := readSteps(t, section), t.TempDir()
	script := &strings.Builder{}
	commands := 0
	for i, s := range steps {
		if s.file != "" {
			fmt.Fprintf(script, "cat >%s <<'END OF FILE'\n%sEND OF FILE\n", s.file, s.text)
			continue
		}
		commands++
		command := address.ReplaceAllLiteralString(s.command, quote(bazeltest.Clone(t)))
		fmt.Fprintf(script, "{ %s\n} >%s/%d.out 2>%[2]s/%[3]d.err\n", command, quote(logs), i)
	}
	if commands < 5 {
		t.Fatalf("%q has %d commands, want more", section, commands)
	}
	cmd := exec.Command("bash", "-eu", "-c", script.String())
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	complaint, failed := cmd.CombinedOutput()
	for i, s := range steps {
		if s.command == "" {
			continue
		}
		out, err := os.ReadFile(filepath.Join(logs, fmt.Sprint(i, ".out")))
		if err != nil {
			break // not run
		}
		errs, _ := os.ReadFile(filepath.Join(logs, fmt.Sprint(i, ".err")))
		t.Logf("$ %s\n%s%s", s.command, errs, out)
		if s.output != "" && string(out) != s.output && !sameButLevel(string(errs)+string(out), s.output) {
			t.Errorf("%s prints\n%s%swhere the page says\n%s", s.command, errs, out, s.output)
		}
	}
	if failed != nil {
		t.Fatalf("the last of these commands: %v\n%s", failed, complaint)
	}
}

// sameButLevel compares what a command prints on both of its outputs with what the page says it
// prints. The launcher's log line names the level of this machine's CPU, which is the page's v4 or another.
func sameButLevel(printed, said string) bool {
	level := regexp.MustCompile(`(starting GOAMD64=|this CPU runs )v[1-4]`)
	return level.ReplaceAllString(printed, "${1}vN") == level.ReplaceAllString(said, "${1}vN")
}

func TestGettingStartedWithBazel(t *testing.T) {
	gettingStarted(t)
}

func TestGettingStartedWithGo(t *testing.T) {
	folder := t.TempDir()
	follow(t, "With the go command", folder,
		"GOPATH="+filepath.Join(folder, "go"), "GOBIN=", "GOFLAGS=-modcacherw",
		"GOMODCACHE="+goEnv(t, "GOMODCACHE"))
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

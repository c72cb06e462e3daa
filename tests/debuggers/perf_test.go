package debuggers_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/slots"
	"rules_go_multiarch/internal/testenv"
)

// TestPerf profiles the program with and without a companion beside it: perf has to
// find the functions of every level. cpu-clock is the event that virtual machines have
// too.
func TestPerf(t *testing.T) {
	perf := testenv.Tool(t, "perf")
	for _, test := range []struct {
		kind      *kind
		companion string
	}{{static, "none"}, {static, "own"}, {static, "another"}, {pie, "none"}, {pie, "another"}} {
		t.Run(test.kind.name+", companion "+test.companion, func(t *testing.T) {
			eachLevel(t, func(t *testing.T, level goamd64.Level) {
				served := level
				if test.companion == "another" {
					served = level%goamd64.Max + 1
				}
				dir, path := test.kind.pack(t, served)
				if test.companion == "none" {
					output(t, exec.Command("sh", "-c", "rm "+dir+"/*.debug"))
				}
				data := filepath.Join(dir, "perf.data")
				// A cache of its own, for the test leaves nothing behind.
				settings := []string{"--buildid-dir", filepath.Join(dir, "cache")}
				run := func(args ...string) string {
					return output(t, at(level, exec.Command(perf, append(settings, args...)...)))
				}
				run("record", "-q", "-e", "cpu-clock", "-g", "-o", data, path, "spin")

				report := run("report", "-i", data, "--stdio", "--no-children", "-g", "none", "--percent-limit", "5", "--no-inline")
				if !regexp.MustCompile(`(100\.00|[6-9]\d\.\d+)% .* program .* main\.burn\s`).MatchString(report) {
					t.Errorf("main.burn does not take most of the time in\n%s", report)
				}
				checkScript(t, run("script", "-i", data, "--no-inline", "-F", "ip,sym,dso"))
			})
		})
	}
}

// TestPerfAnnotate: perf shows the code of a function of the lowest level, or of a
// file that has one (docs/tools.md).
func TestPerfAnnotate(t *testing.T) {
	perf := testenv.Tool(t, "perf")
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		dir, path := static.pack(t, level)
		settings := []string{"--buildid-dir", filepath.Join(dir, "cache")}
		data := filepath.Join(dir, "perf.data")
		instruction := regexp.MustCompile(`(?m) [0-9a-f]+: +[a-z]+ `)
		instructions := func(path string) int {
			output(t, at(level, exec.Command(perf, append(settings, "record", "-q", "-e", "cpu-clock", "-o", data, path, "spin")...)))
			annotated := output(t, exec.Command(perf, append(settings, "annotate", "-i", data, "--stdio", "-s", "main.burn")...))
			return len(instruction.FindAllString(annotated, -1))
		}
		if n := instructions(path); (n > 10) != (level == goamd64.Min) {
			t.Errorf("%d instructions of main.burn", n)
		}
		if n := instructions(thin(t, level, path)); n < 10 {
			t.Errorf("%d instructions of main.burn in what packer thin wrote", n)
		}
	})
}

// checkScript checks that nearly all samples in main.burn have all callers; the
// first instruction of a function has no frame yet.
func checkScript(t *testing.T, script string) {
	t.Helper()
	whole, first := 0, ""
	for _, sample := range strings.Split(script, "\n\n") {
		var names []string
		for _, line := range strings.Split(sample, "\n") {
			fields := strings.Fields(line)
			if len(fields) < 3 || !strings.HasSuffix(fields[len(fields)-1], "/program)") {
				continue
			}
			if _, err := strconv.ParseUint(fields[0], 16, 64); err != nil {
				t.Fatalf("perf script: %q", line)
			}
			names = append(names, fields[1])
		}
		if strings.Join(names, " ") == "main.burn main.spin main.work main.main runtime.main runtime.goexit.abi0" {
			whole++
		} else if first == "" && len(names) > 0 && names[0] == "main.burn" {
			first = sample
		}
	}
	if burning := strings.Count(script, " main.burn "); whole == 0 || whole < burning*9/10 {
		t.Errorf("%d of %d samples in main.burn have all callers, one without is\n%s", whole, burning, first)
	}
}

// TestPerfTellsTheLevel checks the addresses of samples: they are those of the
// level's slot.
func TestPerfTellsTheLevel(t *testing.T) {
	perf := testenv.Tool(t, "perf")
	eachLevel(t, func(t *testing.T, level goamd64.Level) {
		dir, path := pack(t, level)
		settings := []string{"--buildid-dir", filepath.Join(dir, "cache")}
		data := filepath.Join(dir, "perf.data")
		output(t, at(level, exec.Command(perf, append(settings, "record", "-q", "-e", "cpu-clock", "-o", data, path, "spin")...)))
		slot := slots.Of(level)
		inside := 0
		for _, line := range strings.Split(output(t, exec.Command(perf, append(settings, "script", "-i", data, "-F", "ip,sym")...)), "\n") {
			fields := strings.Fields(line)
			if len(fields) < 2 || fields[len(fields)-1] != "main.burn" {
				continue
			}
			ip, err := strconv.ParseUint(fields[len(fields)-2], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			if ip < slot.Base || ip >= slot.Limit {
				t.Errorf("main.burn at %#x, which is not in the slot of %v", ip, level)
			}
			inside++
		}
		if inside == 0 {
			t.Error("no samples in main.burn")
		}
	})
}

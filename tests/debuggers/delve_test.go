package debuggers_test

import (
	"fmt"
	"os/exec"
	"strconv"
	"testing"

	"rules_go_multiarch/internal/goamd64"
)

// variables are what main gives them at a level: what another level's data, or
// the file, has is different.
func variables(level goamd64.Level) []string {
	return []string{
		fmt.Sprintf("\n%d\n", 7+10*level), // counter
		fmt.Sprintf("\nmain.Shape(main.Square) {Side: %d}\n", 10+level),
		fmt.Sprintf("\n%q\n", fmt.Sprintf("level %d", level)),
		fmt.Sprintf("\n%d\n", 1000+level), // total
	}
}

var printVariables = []string{"print main.counter", "print main.figure", "print main.label", "print main.total"}

func TestDelveExec(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		dir, path := k.pack(t, level)
		out := output(t, at(level, delve(t, dir, []string{"exec", path},
			append([]string{"break main.inner", "continue", "args", "goroutines", "bt"}, printVariables...)...)))
		want(t, out, variables(level)...)
		want(t, out, "main.go:", "return local + 1", fmt.Sprintf("n = %d", 7+10*level),
			"main.main.gowrap1", "main.work", "main.main", "runtime.main")
	})
}

func TestDelveAttach(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		dir, path := k.pack(t, goamd64.Min)
		pid := start(t, level, path)
		packer(t, "debug", "-pid", strconv.Itoa(pid), path)
		// Delve asks whether to kill the process, and ends with a status of its own
		// when nobody answers.
		out, _ := combined(at(level, delve(t, dir, []string{"attach", strconv.Itoa(pid)}, append([]string{"goroutines"}, printVariables...)...)))
		want(t, out, variables(level)...)
		want(t, out, "time.Sleep", "main.main.gowrap1")
	})
}

func TestDelveCore(t *testing.T) {
	eachKind(t, func(t *testing.T, k *kind, level goamd64.Level) {
		dir, path := k.pack(t, goamd64.Min)
		core := coreDump(t, level, dir, path)
		packer(t, "debug", "-core", core, path)
		out := output(t, delve(t, dir, []string{"core", path, core}, append([]string{"goroutines", "bt"}, printVariables...)...))
		want(t, out, variables(level)...)
		want(t, out, "main.crash", "main.work", "main.main.gowrap1", "main.go:")
	})
}

// TestDelveWithoutCompanion checks that Delve finds nothing where nothing was
// prepared, or what was is another build's.
func TestDelveWithoutCompanion(t *testing.T) {
	dir, path := pack(t, goamd64.Min)
	output(t, exec.Command("sh", "-c", "rm "+dir+"/*.debug"))
	out, _ := combined(at(goamd64.Min, delve(t, dir, []string{"exec", path}, printVariables...)))
	want(t, out, "no debug info found")
}

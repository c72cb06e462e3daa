package bootcode

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/launcher/format"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// TestBootIsClosed reads the machine code that the packer copies and proves
// that it calls and reads nothing outside itself: no morestack, no panicIndex,
// no write barrier, no read-only data.
func TestBootIsClosed(t *testing.T) {
	code := readLauncher(t)
	t.Logf("%d bytes, %d functions", len(code.Bytes), len(code.Funcs))
	for _, f := range code.Funcs {
		for _, escape := range escapes(code, f) {
			t.Error(escape)
		}
	}
}

// TestEscapesAreSeen shows that the proof can fail: a function that is cut off
// from its callees leaves the code.
func TestEscapesAreSeen(t *testing.T) {
	code := readLauncher(t)
	for _, f := range code.Funcs {
		if strings.HasSuffix(f.Name, ".start") {
			cut := &Code{Bytes: code.Bytes[f.Start:f.End]}
			if got := escapes(cut, Func{Name: f.Name, End: f.End - f.Start}); len(got) < 3 {
				t.Errorf("%d escapes from %s without its callees: want several", len(got), f.Name)
			}
			return
		}
	}
	t.Fatal("no function start in the boot code")
}

func readLauncher(t *testing.T) *Code {
	t.Helper()
	file, err := os.Open(testenv.Launcher(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	code, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// escapes disassembles a function and lists what refers to anything outside
// the code.
func escapes(code *Code, f Func) []string {
	var found []string
	size := int64(len(code.Bytes))
	for at := f.Start; at < f.End; {
		// The table word stands among the instructions of the entry.
		if code.Entry <= at && at < code.Entry+format.TableWord+8 && code.Entry > 0 {
			if at > code.Entry {
				at = code.Entry + format.TableWord + 8
				continue
			}
		}
		inst, err := x86asm.Decode(code.Bytes[at:f.End], 64)
		if err != nil {
			return append(found, fmt.Sprintf("%s+%#x: %v", f.Name, at-f.Start, err))
		}
		next := int64(at) + int64(inst.Len)
		report := func(what string) {
			found = append(found, fmt.Sprintf("%s+%#x: %s: %v", f.Name, at-f.Start, what, inst))
		}
		for _, arg := range inst.Args {
			switch arg := arg.(type) {
			case x86asm.Rel:
				if target := next + int64(arg); target < 0 || target >= size {
					report("branch out of the boot code")
				}
			case x86asm.Mem:
				if target := next + int64(int32(arg.Disp)); arg.Base == x86asm.RIP && (target < 0 || target >= size) {
					report("memory outside the boot code")
				}
				if arg.Base == 0 && arg.Index == 0 && arg.Segment != x86asm.FS {
					report("absolute address")
				}
			}
		}
		switch inst.Op {
		case x86asm.CALL, x86asm.JMP:
			if _, direct := inst.Args[0].(x86asm.Rel); !direct && !isTheJump(inst) {
				report("indirect branch")
			}
		}
		at = uint64(next)
	}
	return found
}

// isTheJump recognises the one indirect branch there may be: to the variant,
// through the word below the stack.
func isTheJump(inst x86asm.Inst) bool {
	mem, ok := inst.Args[0].(x86asm.Mem)
	return ok && inst.Op == x86asm.JMP && mem.Base == x86asm.RSP && mem.Index == 0 && mem.Disp == -8
}

func TestReadRefuses(t *testing.T) {
	launcher, err := os.ReadFile(testenv.Launcher(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"no ELF":          {func([]byte) []byte { return make([]byte, 100) }, "not an ELF file"},
		"truncated":       {func(b []byte) []byte { return b[:5000] }, ""},
		"another machine": {func(b []byte) []byte { b[18] = byte(elf.EM_386); return b }, "ELF machine EM_386: want"},
		"another entry":   {func(b []byte) []byte { b[24], b[25] = 0, 0x10; return b }, "link it with -E"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := test.change(append([]byte(nil), launcher...))
			_, err := Read(strings.NewReader(string(changed)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v: want one that has %q", err, test.want)
			}
		})
	}
}

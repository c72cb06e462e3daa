package launcher_test

import (
	"debug/elf"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"rules_go_multiarch/internal/goamd64"
	"rules_go_multiarch/internal/testenv"
	"rules_go_multiarch/tests/probetest"
)

// TestInstructions single-steps the launcher from the process's first instruction
// to the variant's, as a debugger may, and counts the CPUID instructions on the
// way: each one is a trap to the hypervisor.
func TestInstructions(t *testing.T) {
	probe := testenv.Probe(t)
	for _, test := range []struct {
		env   string
		level goamd64.Level
		most  int
	}{
		{"", probetest.MachineLevel(t), 3},
		{"GOMULTIARCH=log", probetest.MachineLevel(t), 3},
		{"GOMULTIARCH=level=v1", 1, 0},
		{"GOAMD64=v2", min(2, probetest.MachineLevel(t)), 3},
		{"GOAMD64=v1", 1, 0},
	} {
		t.Run(test.env, func(t *testing.T) {
			file, err := elf.Open(probe.Variants[test.level])
			if err != nil {
				t.Fatal(err)
			}
			entry := file.Entry
			file.Close()
			runtime.LockOSThread() // the tracer is a thread
			defer runtime.UnlockOSThread()
			cmd := exec.Command(probe.Packed, "-quiet", "-exit=9")
			cmd.Env = []string{test.env}
			cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid := cmd.Process.Pid
			var status syscall.WaitStatus
			if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Stopped() {
				t.Fatalf("%#x, %v: want it stopped at its first instruction", status, err)
			}
			cpuids, steps := 0, 0
			for {
				var regs syscall.PtraceRegs
				if err := syscall.PtraceGetRegs(pid, &regs); err != nil {
					t.Fatal(err)
				}
				if regs.Rip == entry {
					break
				}
				var code [2]byte
				if _, err := syscall.PtracePeekText(pid, uintptr(regs.Rip), code[:]); err == nil && code == [2]byte{0x0f, 0xa2} {
					cpuids++
				}
				if err := syscall.PtraceSingleStep(pid); err != nil {
					t.Fatal(err)
				}
				if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Stopped() {
					t.Fatalf("after %d instructions: %#x, %v", steps, status, err)
				}
				steps++
			}
			if err := syscall.PtraceDetach(pid); err != nil {
				t.Fatal(err)
			}
			syscall.Wait4(pid, &status, 0, nil)
			t.Logf("%d instructions, %d of them CPUID", steps, cpuids)
			if cpuids > test.most || status.ExitStatus() != 9 {
				t.Errorf("%d CPUID instructions, exit status %d: want at most %d, 9", cpuids, status.ExitStatus(), test.most)
			}
		})
	}
}

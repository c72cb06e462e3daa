// Package boot is the code that a packed file starts with: it picks the best
// level that the CPU can run, finishes mapping that variant and jumps to the
// variant's own entry point with the stack that the kernel made.
//
// It runs before any runtime, so it lives under these rules, which
// TestBootIsClosed enforces on the linked launcher:
//
//   - every function is go:nosplit, for there is no goroutine stack to grow;
//   - no package-level variables and no string, composite literal or switch
//     large enough to become read-only data: only code is copied into a packed
//     file. The texts of messages are in the launcher table;
//   - no slices, maps, interfaces, allocation, defer or panic: memory is reached
//     through unsafe.Pointer, addresses are kept as uintptr (no write barriers);
//   - no call to another package that the compiler does not inline away.
//
// The files, in the order in which they run: entry_amd64.s, start.go (the
// story in one function), stack.go, table.go, controls.go, cpu.go, choose.go,
// edits.go, mapping.go, interp.go, apart.go, rdebug.go; report.go prints messages, extract.go writes a variant out, and
// memory.go reads and writes memory for all of them.
package boot

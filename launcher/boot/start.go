package boot

import "rules_go_multiarch/launcher/format"

// state is everything the boot code knows. It stands on the initial stack,
// below what the kernel put there; entry zeroes it. A few hundred bytes keep
// the least RLIMIT_STACK that a program needs where it was.
type state struct {
	tls   [2]uint64 // FS points behind the first word while Go code runs
	stack uintptr   // SP at entry: argc, argv, environment, auxv
	bias  uintptr   // load address less link address: 0 unless the file is ET_DYN
	table uintptr   // a sound format.Header
	level uintptr   // the format.Level that is started, 0 before the choice
	auxv  auxv
	want  controls
	cpu   uint32 // level of this CPU, 1 to 4, or 0 before it was asked
	asked uint32 // level that a message is about
	value text   // what a message quotes
	errno uintptr
	out   uintptr // bytes of a message that are put together

	interpBase uintptr // AT_BASE: load bias of the variant's interpreter, or 0
	alone      bool    // no other variant is mapped

	interp interpreter // or a message; the last field: entry does not zero it
}

// Exit statuses, those of a shell that cannot start a program.
const (
	exitCannotRun = 126 // found, but not for this CPU
	exitNotFound  = 127 // every other failure
)

// entry is where the kernel enters a packed file. It is no Go function: do not
// call it.
func entry()

// Link makes the linker keep the boot code. It does nothing.
func Link() {}

// start picks a variant and makes its mappings; it returns the address to
// jump to. entry is where the boot code was loaded; it says where the launcher
// table is and how many bytes that has.
//
//go:nosplit
func start(s *state, entry, table, size uintptr) uintptr {
	environment := readStack(s)
	if !tableSound(table, size) || !placeSound(table, size, entry) {
		damaged(s)
	}
	s.table = table
	h := s.header()
	s.bias = entry - uintptr(h.Entry)

	if h.Flags&format.FlagNoEnvironment == 0 && !s.auxv.secure {
		readControls(s, environment)
	}
	choose(s)
	if s.want.log {
		reportChoice(s, format.MsgLog)
	}
	if s.want.logMgo {
		reportChoice(s, format.MsgLogMgo)
	}
	checkEdits(s)
	if s.want.extract {
		extract(s)
	}
	unmapOthers(s)
	mapVariant(s)
	next := s.bias + uintptr(s.variant().Entry)
	if s.variant().Interp.Len != 0 {
		next = loadInterpreter(s)
		tellDebuggers(s)
	}
	becomeVariant(s)
	return next
}

//go:nosplit
func (s *state) header() *format.Header { return (*format.Header)(at(s.table)) }

//go:nosplit
func (s *state) variant() *format.Level { return (*format.Level)(at(s.level)) }

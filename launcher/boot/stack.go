package boot

// Types of auxiliary vector entries: linux/include/uapi/linux/auxvec.h.
const (
	atNull   = 0
	atPhdr   = 3
	atPhnum  = 5
	atBase   = 7
	atEntry  = 9
	atSecure = 23
	atExecfn = 31
)

// auxv holds what the boot code needs of the auxiliary vector: the addresses
// of the values that it corrects, 0 where there is none, and two values.
type auxv struct {
	phdr, phnum, base, entry uintptr
	execfn                   uintptr // address of the path that was executed
	secure                   bool    // set-user-ID, file capabilities and the like
}

// readStack finds the auxiliary vector on the initial stack and returns where
// the environment begins (psABI, "Process Initialization", figure "Initial
// Process Stack").
//
//go:nosplit
func readStack(s *state) (environment uintptr) {
	argc := load64(s.stack)
	environment = s.stack + (argc+2)*8
	p := environment
	for load64(p) != 0 {
		p += 8
	}
	for p += 8; load64(p) != atNull; p += 16 {
		switch load64(p) {
		case atPhdr:
			s.auxv.phdr = p + 8
		case atPhnum:
			s.auxv.phnum = p + 8
		case atBase:
			s.auxv.base = p + 8
		case atEntry:
			s.auxv.entry = p + 8
		case atSecure:
			s.auxv.secure = load64(p+8) != 0
		case atExecfn:
			s.auxv.execfn = load64(p + 8)
		}
	}
	return environment
}

// becomeVariant makes the auxiliary vector what the kernel would have written
// for the variant alone.
//
//go:nosplit
func becomeVariant(s *state) {
	v := s.variant()
	if s.auxv.phdr != 0 {
		store64(s.auxv.phdr, s.bias+uintptr(v.Phdr))
	}
	if s.auxv.phnum != 0 {
		store64(s.auxv.phnum, uintptr(v.Phnum))
	}
	if s.auxv.base != 0 {
		store64(s.auxv.base, s.interpBase)
	}
	if s.auxv.entry != 0 {
		store64(s.auxv.entry, s.bias+uintptr(v.Entry))
	}
}

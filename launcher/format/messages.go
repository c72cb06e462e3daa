package format

// Messages that the boot code prints, by number. The packer writes their texts
// into the table, so that the boot code carries no strings.
const (
	MsgBadLevel      = iota // a variable asks for something that is no level
	MsgBadItem              // GOMULTIARCH has an unknown item
	MsgBadMgoItem           // MGODEBUG has an unknown item
	MsgCPUTooOld            // the CPU runs none of the levels in the file
	MsgCPUBelowLevel        // GOMULTIARCH=level asks for more than the CPU has
	MsgNoSuchLevel          // GOMULTIARCH=level asks for what the file has not
	MsgCapTooLow            // the cap is below every level in the file
	MsgMap                  // a memory mapping call failed
	MsgDamagedLevel         // what is mapped is not the level that was packed
	MsgEdited               // a tool edited the dynamic section of the lowest level
	MsgInterpMissing        // the interpreter is not there
	MsgInterpDenied         // the interpreter may not be executed
	MsgInterpOpen           // the interpreter cannot be opened or read for another reason
	MsgInterpBad            // the interpreter is no ELF file that can be loaded
	MsgOpen                 // extract cannot open the packed file
	MsgChanged              // extract finds a file of another size
	MsgWrite                // extract cannot write
	MsgLog                  // GOMULTIARCH=log
	MsgLogMgo               // MGODEBUG=log
	MsgBecauseCPU           // end of a log line: nothing limited the choice
	MsgBecauseCap           // end of a log line: a cap did
	MsgBecauseExact         // end of a log line: GOMULTIARCH=level did
	MsgCount
)

// Verbs that the boot code replaces while it prints a message: one byte after
// a percent sign.
const (
	VerbName    = 'n' // the program's name, from argv[0]
	VerbValue   = 'q' // the text that was found
	VerbAsked   = 'a' // the level asked for, a digit
	VerbCPU     = 'c' // the CPU's level, a digit
	VerbStarted = 's' // the level that is started, a digit
	VerbInterp  = 'i' // the path of the interpreter
	VerbErrno   = 'e' // an error number of the kernel, in decimal
)

// DamagedText follows the program's name when the table itself is unusable.
// It is the only text in the boot code, as three 64-bit words.
const DamagedText = ": damaged launcher table"

// Where the kernel would refuse to execute a program because of its
// interpreter, texts begin as bash's and the C library's do for that error.

// MessageText returns the texts of all messages, indexed by their numbers, for
// a file that has the given levels. levels is spelled for a person, for
// example "v1, v3".
func MessageText(levels string) [MsgCount]string {
	return [MsgCount]string{
		MsgBadLevel:      "%n: \"%q\": not a level of GOAMD64, want v1, v2, v3 or v4\n",
		MsgBadItem:       "%n: GOMULTIARCH has \"%q\", want level=vN, max=vN, log or extract, with N from 1 to 4, separated by commas\n",
		MsgBadMgoItem:    "%n: MGODEBUG has \"%q\", want log or extract, separated by commas\n",
		MsgCPUTooOld:     "%n: this CPU runs GOAMD64=v%c at most, this program is built for " + levels + "\n",
		MsgCPUBelowLevel: "%n: GOMULTIARCH=level=v%a asked for, but this CPU runs v%c at most\n",
		MsgNoSuchLevel:   "%n: GOMULTIARCH=level=v%a asked for, but this program is built for " + levels + "\n",
		MsgCapTooLow:     "%n: at most v%a asked for, but this program is built for " + levels + "\n",
		MsgMap:           "%n: cannot map GOAMD64=v%s into memory: error %e\n",
		MsgDamagedLevel:  "%n: damaged: GOAMD64=v%s is not where it was packed\n",
		MsgEdited:        "%n: cannot start: a tool such as patchelf or chrpath edited the libraries, the search path or the interpreter of this packed file, and such an edit does not reach every level (" + levels + "): make the edit in the executables of all levels, and pack them again\n",
		MsgInterpMissing: "%n: cannot execute: required file not found: interpreter %i\n",
		MsgInterpDenied:  "%n: Permission denied: interpreter %i is no file that may be executed\n",
		MsgInterpOpen:    "%n: cannot execute: interpreter %i: error %e\n",
		MsgInterpBad:     "%n: Accessing a corrupted shared library: interpreter %i is no shared object for x86-64\n",
		MsgOpen:          "%n: cannot read this program's own file through /proc/self/exe: error %e\n",
		MsgChanged:       "%n: cannot extract: this program's file is not as it was packed (was it stripped?)\n",
		MsgWrite:         "%n: cannot write GOAMD64=v%s to standard output: error %e\n",
		MsgLog:           "%n: starting GOAMD64=v%s of " + levels + ": ",
		MsgLogMgo:        "[mgo] launcher: starting variant GOAMD64=v%s: ",
		MsgBecauseCPU:    "this CPU runs v%c\n",
		MsgBecauseCap:    "this CPU runs v%c, at most v%a asked for\n",
		MsgBecauseExact:  "asked for by GOMULTIARCH=level\n",
	}
}

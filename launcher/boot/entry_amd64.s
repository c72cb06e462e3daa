#include "go_asm.h"
#include "textflag.h"

// System calls and constants: linux/arch/x86/include/uapi/asm/prctl.h.
#define SYS_arch_prctl 158
#define ARCH_SET_FS    0x1002

// Layout of entry's frame, from SP upwards: the arguments and result of start
// (ABI0 passes them on the stack), then the state.
#define STATE 48
#define FRAME (STATE+state__size)

// entry is e_entry of a packed file. The kernel enters with the initial stack
// of the psABI ("Initial Stack and Register State") at SP and zero in all
// general registers; the variant must be entered just so.
//
// No symbol outside this package may be named here: the code is copied.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	JMP	begin
	PCALIGN	$8

	// format.TableWord bytes after the entry: format.TablePlaceholder, which
	// the packer replaces by the distance from entry to the launcher table and
	// the size of the table.
	QUAD	$0x656c626174206f67

begin:
	MOVQ	SP, BX
	LEAQ	-FRAME(SP), SP
	ANDQ	$~15, SP

	// A state of zeroes, apart from its last field.
	LEAQ	STATE(SP), DI
	XORL	AX, AX
	MOVL	$(state_interp/8), CX
	CLD
	REP; STOSQ
	MOVQ	BX, STATE+state_stack(SP)

	// Go's ABI wrappers read g from -8(FS): let it be a zero in the state.
	// FS is put back below, because a variant's runtime may rely on zero.
	MOVL	$SYS_arch_prctl, AX
	MOVL	$ARCH_SET_FS, DI
	LEAQ	STATE+state_tls+8(SP), SI
	SYSCALL

	// ABIInternal keeps zero in X15.
	XORPS	X15, X15
	LEAQ	·entry(SB), AX
	MOVL	8(AX), CX
	MOVL	12(AX), DX
	ADDQ	AX, CX
	LEAQ	STATE(SP), BX
	MOVQ	BX, 0(SP)	// s
	MOVQ	AX, 8(SP)	// entry
	MOVQ	CX, 16(SP)	// table
	MOVQ	DX, 24(SP)	// size
	CALL	·start(SB)
	MOVQ	32(SP), BX	// where to go on

	MOVL	$SYS_arch_prctl, AX
	MOVL	$ARCH_SET_FS, DI
	XORL	SI, SI
	SYSCALL

	MOVQ	STATE+state_stack(SP), SP
	MOVQ	BX, -8(SP)
	XORPS	X0, X0
	XORL	AX, AX
	XORL	BX, BX
	XORL	CX, CX
	XORL	DX, DX	// psABI: a function to register with atexit, none
	XORL	SI, SI
	XORL	DI, DI
	XORL	BP, BP
	XORL	R8, R8
	XORL	R9, R9
	XORL	R10, R10
	XORL	R11, R11
	XORL	R12, R12
	XORL	R13, R13
	XORL	R14, R14
	XORL	R15, R15
	JMP	-8(SP)

// func cpuid(r *registers, leaf, subleaf uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-16
	MOVL	leaf+8(FP), AX
	MOVL	subleaf+12(FP), CX
	CPUID
	MOVQ	r+0(FP), DI
	MOVL	AX, registers_eax(DI)
	MOVL	BX, registers_ebx(DI)
	MOVL	CX, registers_ecx(DI)
	MOVL	DX, registers_edx(DI)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL	CX, CX
	XGETBV
	MOVL	AX, ret+0(FP)
	RET

// func syscall(nr, a1, a2, a3, a4, a5, a6 uintptr) uintptr
TEXT ·syscall(SB), NOSPLIT, $0-64
	MOVQ	nr+0(FP), AX
	MOVQ	a1+8(FP), DI
	MOVQ	a2+16(FP), SI
	MOVQ	a3+24(FP), DX
	MOVQ	a4+32(FP), R10
	MOVQ	a5+40(FP), R8
	MOVQ	a6+48(FP), R9
	SYSCALL
	MOVQ	AX, ret+56(FP)
	RET

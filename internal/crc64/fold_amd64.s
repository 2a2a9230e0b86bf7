//go:build !purego

#include "textflag.h"

// MOVE multiplies both halves of acc by those of key and adds the products.
#define MOVE(acc, key, tmp) \
	MOVO      acc, tmp        \
	PCLMULQDQ $0x00, key, tmp \
	PCLMULQDQ $0x11, key, acc \
	PXOR      tmp, acc

// NEXT moves acc to the 16 bytes at off and adds them.
#define NEXT(off, acc, key, tmp, data) \
	MOVOU off(SI), data      \
	MOVE(acc, key, tmp)      \
	PXOR  data, acc

// WIDEMOVE and WIDENEXT do the same with two blocks in one register.
#define WIDEMOVE(acc, key, tmp) \
	VPCLMULQDQ $0x00, key, acc, tmp \
	VPCLMULQDQ $0x11, key, acc, acc \
	VPXOR      tmp, acc, acc

#define WIDENEXT(off, acc, key, tmp) \
	VPCLMULQDQ $0x00, key, acc, tmp \
	VPCLMULQDQ $0x11, key, acc, acc \
	VPXOR      off(SI), tmp, tmp    \
	VPXOR      tmp, acc, acc

// func fold(block *[16]byte, p []byte, keys *[4][2]uint64)
TEXT ·fold(SB), NOSPLIT, $0-40
	MOVQ block+0(FP), DI
	MOVQ p_base+8(FP), SI
	MOVQ p_len+16(FP), CX
	MOVQ keys+32(FP), AX
	CMPB ·wide(SB), $0
	JNE  wide

	// Eight blocks in X0 to X7.
	MOVOU 0(SI), X0
	MOVOU 16(SI), X1
	MOVOU 32(SI), X2
	MOVOU 48(SI), X3
	MOVOU 64(SI), X4
	MOVOU 80(SI), X5
	MOVOU 96(SI), X6
	MOVOU 112(SI), X7
	MOVOU (DI), X8
	PXOR  X8, X0
	MOVOU 0(AX), X8
	JMP   check

loop:
	NEXT(0, X0, X8, X9, X10)
	NEXT(16, X1, X8, X11, X12)
	NEXT(32, X2, X8, X13, X14)
	NEXT(48, X3, X8, X9, X10)
	NEXT(64, X4, X8, X11, X12)
	NEXT(80, X5, X8, X13, X14)
	NEXT(96, X6, X8, X9, X10)
	NEXT(112, X7, X8, X11, X12)

check:
	ADDQ $128, SI
	SUBQ $128, CX
	CMPQ CX, $128
	JGE  loop

	// Eight to four.
	MOVOU 16(AX), X8
	MOVE(X0, X8, X9)
	MOVE(X1, X8, X10)
	MOVE(X2, X8, X11)
	MOVE(X3, X8, X12)
	PXOR X0, X4
	PXOR X1, X5
	PXOR X2, X6
	PXOR X3, X7

	// Four to two.
	MOVOU 32(AX), X8
	MOVE(X4, X8, X9)
	MOVE(X5, X8, X10)
	PXOR X4, X6
	PXOR X5, X7

last:
	// Two to one, X6 to X7, which takes the rest.
	MOVOU 48(AX), X8
	MOVE(X6, X8, X9)
	PXOR X6, X7
	JMP  checkrest

rest:
	NEXT(0, X7, X8, X9, X10)
	ADDQ $16, SI
	SUBQ $16, CX

checkrest:
	CMPQ  CX, $16
	JGE   rest
	MOVOU X7, (DI)
	RET

wide:
	// Eight blocks in Y0 to Y3. The load into X8 clears the other half of Y8.
	VMOVDQU        (DI), X8
	VPXOR          0(SI), Y8, Y0
	VMOVDQU        32(SI), Y1
	VMOVDQU        64(SI), Y2
	VMOVDQU        96(SI), Y3
	VBROADCASTI128 0(AX), Y8
	JMP            widecheck

wideloop:
	WIDENEXT(0, Y0, Y8, Y4)
	WIDENEXT(32, Y1, Y8, Y5)
	WIDENEXT(64, Y2, Y8, Y6)
	WIDENEXT(96, Y3, Y8, Y7)

widecheck:
	ADDQ $128, SI
	SUBQ $128, CX
	CMPQ CX, $128
	JGE  wideloop

	// Eight to four to two.
	VBROADCASTI128 16(AX), Y8
	WIDEMOVE(Y0, Y8, Y4)
	WIDEMOVE(Y1, Y8, Y5)
	VPXOR          Y0, Y2, Y2
	VPXOR          Y1, Y3, Y3
	VBROADCASTI128 32(AX), Y8
	WIDEMOVE(Y2, Y8, Y4)
	VPXOR          Y2, Y3, Y3
	VMOVDQA        X3, X6
	VEXTRACTI128   $1, Y3, X7
	VZEROUPPER
	JMP            last

// func cpuid(leaf uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	XORL CX, CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

// func xcr0() uint32
TEXT ·xcr0(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

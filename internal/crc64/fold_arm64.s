//go:build !purego

#include "textflag.h"

// MOVE multiplies both halves of acc by those of key and adds the products.
#define MOVE(acc, key, tmp) \
	VPMULL  key.D1, acc.D1, tmp.Q1    \
	VPMULL2 key.D2, acc.D2, acc.Q1    \
	VEOR    tmp.B16, acc.B16, acc.B16

// NEXT moves acc to the 16 bytes in data and adds them. Some processors do a
// multiplication and the XOR right after it as one.
#define NEXT(data, acc, key, tmp) \
	VPMULL  key.D1, acc.D1, tmp.Q1     \
	VEOR    data.B16, tmp.B16, tmp.B16 \
	VPMULL2 key.D2, acc.D2, acc.Q1     \
	VEOR    tmp.B16, acc.B16, acc.B16

// func fold(block *[16]byte, p []byte, keys *[4][2]uint64)
TEXT ·fold(SB), NOSPLIT, $0-40
	MOVD block+0(FP), R0
	MOVD p_base+8(FP), R1
	MOVD p_len+16(FP), R2
	MOVD keys+32(FP), R3

	// Eight blocks in V0 to V7, the keys in V8 to V11.
	VLD1   (R3), [V8.B16, V9.B16, V10.B16, V11.B16]
	VLD1   (R0), [V12.B16]
	VLD1.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R1), [V4.B16, V5.B16, V6.B16, V7.B16]
	VEOR   V12.B16, V0.B16, V0.B16
	B      check

loop:
	VLD1.P 64(R1), [V12.B16, V13.B16, V14.B16, V15.B16]
	VLD1.P 64(R1), [V16.B16, V17.B16, V18.B16, V19.B16]
	NEXT(V12, V0, V8, V20)
	NEXT(V13, V1, V8, V21)
	NEXT(V14, V2, V8, V22)
	NEXT(V15, V3, V8, V23)
	NEXT(V16, V4, V8, V24)
	NEXT(V17, V5, V8, V25)
	NEXT(V18, V6, V8, V26)
	NEXT(V19, V7, V8, V27)

check:
	SUB $128, R2
	CMP $128, R2
	BGE loop

	// Eight to four.
	MOVE(V0, V9, V20)
	MOVE(V1, V9, V21)
	MOVE(V2, V9, V22)
	MOVE(V3, V9, V23)
	VEOR V0.B16, V4.B16, V4.B16
	VEOR V1.B16, V5.B16, V5.B16
	VEOR V2.B16, V6.B16, V6.B16
	VEOR V3.B16, V7.B16, V7.B16

	// Four to two.
	MOVE(V4, V10, V20)
	MOVE(V5, V10, V21)
	VEOR V4.B16, V6.B16, V6.B16
	VEOR V5.B16, V7.B16, V7.B16

	// Two to one, V6 to V7, which takes the rest.
	MOVE(V6, V11, V20)
	VEOR V6.B16, V7.B16, V7.B16
	B    checkrest

rest:
	VLD1.P 16(R1), [V12.B16]
	NEXT(V12, V7, V11, V20)
	SUB    $16, R2

checkrest:
	CMP  $16, R2
	BGE  rest
	VST1 [V7.B16], (R0)
	RET

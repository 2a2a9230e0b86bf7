//go:build !purego

package crc64

// fold XORs block into the first 16 bytes of p and replaces it with 16 bytes
// that leave the same remainder as all of that. The length of p is at least
// 128 and a multiple of 16.
//
//go:noescape
func fold(block *[16]byte, p []byte, keys *[4][2]uint64)

// canFold says that the processor has PCLMULQDQ, and wide that it also
// multiplies two pairs at a time: VPCLMULQDQ in AVX2's registers.
var canFold, wide = detect()

func detect() (clmul, vclmul bool) {
	const (
		pclmulqdq  = 1 << 1  // leaf 1, ECX
		osxsave    = 1 << 27 // leaf 1, ECX
		avx        = 1 << 28 // leaf 1, ECX
		ymm        = 3 << 1  // XCR0: the system keeps XMM and YMM registers
		avx2       = 1 << 5  // leaf 7, EBX
		vpclmulqdq = 1 << 10 // leaf 7, ECX
	)
	leaves, _, _ := cpuid(0)
	_, _, ecx1 := cpuid(1)
	clmul = ecx1&pclmulqdq != 0
	if !clmul || ecx1&osxsave == 0 || ecx1&avx == 0 || xcr0()&ymm != ymm || leaves < 7 {
		return clmul, false
	}
	_, ebx7, ecx7 := cpuid(7)
	return clmul, ebx7&avx2 != 0 && ecx7&vpclmulqdq != 0
}

// cpuid asks the processor for a leaf of its description, subleaf 0.
func cpuid(leaf uint32) (eax, ebx, ecx uint32)

// xcr0 tells which registers the system saves. Needs osxsave.
func xcr0() uint32

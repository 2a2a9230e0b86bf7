package upload

import "hash/crc64"

// crcTable is the polynomial of the store's x-oss-hash-crc64ecma.
var crcTable = crc64.MakeTable(crc64.ECMA)

// combineCRC returns the CRC-64 of two runs of bytes, one after the other, from
// the CRC of each and the length of the second: the first moves up by as many
// bits as the second has, which is one multiplication modulo the polynomial.
func combineCRC(first, second uint64, secondLen int64) uint64 {
	return crcMul(crcShift(secondLen), first) ^ second
}

// crcShift returns x^(8n) modulo the polynomial by repeated squaring. The
// numbers are bit-reversed as in hash/crc64: the top bit is x^0.
func crcShift(n int64) uint64 {
	shift, square := uint64(1)<<63, uint64(1)<<(63-8)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			shift = crcMul(square, shift)
		}
		square = crcMul(square, square)
	}
	return shift
}

// crcMul multiplies two bit-reversed polynomials modulo the polynomial.
func crcMul(a, b uint64) uint64 {
	var product uint64
	for ; a != 0; a <<= 1 {
		if a>>63 != 0 {
			product ^= b
		}
		b = b>>1 ^ crc64.ECMA&-(b&1)
	}
	return product
}

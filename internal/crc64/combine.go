package crc64

import "hash/crc64"

// Combine returns the CRC of two runs of bytes, one after the other, from the
// CRC of each and the length of the second in bytes. The bytes are not needed:
// parts that were summed apart and in any order become the CRC of the whole
// object, from the first to the last:
//
//	whole = Combine(whole, part.crc, part.size)
//
// Its time grows with the logarithm of len2. A len2 of 0 or less means that
// there is no second run.
func Combine(crc1, crc2 uint64, len2 int64) uint64 {
	if len2 <= 0 {
		return crc1
	}
	// The second run moves the first up by eight bits a byte.
	shift, step := uint64(one), uint64(one>>8)
	for n := len2; n > 0; n >>= 1 {
		if n&1 != 0 {
			shift = multiply(shift, step)
		}
		step = multiply(step, step)
	}
	return multiply(crc1, shift) ^ crc2
}

// one is the polynomial 1. A polynomial of degree below 64 is written as
// hash/crc64 writes it, the other way round: bit 63 is the coefficient of x^0
// and bit 0 that of x^63.
const one = 1 << 63

// multiply returns a*b modulo the polynomial of the CRC.
func multiply(a, b uint64) uint64 {
	var product uint64
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 63)
		b = b>>1 ^ crc64.ECMA&-(b&1) // b*x
	}
	return product
}

package mediatest

import "hash/crc64"

// combineCRC is the CRC-64/ECMA of A followed by B, from that of A, that of B
// and the length of B.
//
// Appending length bytes multiplies the remainder of A by x^(8*length) modulo
// the polynomial. Remainders are bit-reversed here as in hash/crc64: the
// coefficient of x^0 is the highest bit.
func combineCRC(a, b uint64, length int64) uint64 {
	factor := uint64(1) << 63      // x^0
	power := uint64(1) << (63 - 8) // x^8, squared as we go
	for n := length; n > 0; n >>= 1 {
		if n&1 != 0 {
			factor = mulCRC(factor, power)
		}
		power = mulCRC(power, power)
	}
	return mulCRC(a, factor) ^ b
}

// mulCRC multiplies two polynomials modulo the CRC's.
func mulCRC(a, b uint64) uint64 {
	var product uint64
	for ; a != 0; a <<= 1 {
		if a>>63 != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1 // times x
		if carry != 0 {
			b ^= crc64.ECMA
		}
	}
	return product
}

package mediatest

import (
	"bytes"
	"hash/crc64"
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// Remainders are bit-reversed here as in hash/crc64: the coefficient of x^0 is
// the highest bit.

// combineCRC is the CRC-64/ECMA of A followed by B, from that of A, that of B
// and the length of B in bytes.
func combineCRC(a, b uint64, length int64) uint64 {
	return mulCRC(a, shiftCRC(length)) ^ b
}

// shiftCRC is x^(8*n) modulo the CRC's polynomial: what appending n bytes
// multiplies a remainder by.
func shiftCRC(n int64) uint64 {
	factor := uint64(1) << 63      // x^0
	power := uint64(1) << (63 - 8) // x^8, squared as we go
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			factor = mulCRC(factor, power)
		}
		power = mulCRC(power, power)
	}
	return factor
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

var zeroPage [32 << 10]byte

// sparseCRC computes a CRC-64/ECMA and leaps over zeros, so that the holes of
// huge sparse files cost next to nothing.
type sparseCRC struct{ sum uint64 }

func (c *sparseCRC) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		chunk := rest[:min(len(rest), len(zeroPage))]
		rest = rest[len(chunk):]
		if len(chunk) >= 1<<10 && bytes.Equal(chunk, zeroPage[:len(chunk)]) {
			c.sum = ^mulCRC(^c.sum, shiftCRC(int64(len(chunk))))
		} else {
			c.sum = crc64.Update(c.sum, crcTable, chunk)
		}
	}
	return len(p), nil
}

//go:build (amd64 || arm64) && !purego

package crc64

import (
	"encoding/binary"
	"hash/crc64"
)

// How folding works.
//
// Bytes are one long polynomial over GF(2), and their CRC is its remainder
// modulo P. So the bytes may be replaced by any others that leave the same
// remainder, and shorter ones if there are such. Take 16 bytes anywhere as
// A*x^64 + B and the place D bits further on. To get there they have to be
// multiplied by x^D:
//
//	A*x^(64+D) + B*x^D
//
// Only remainders count, thus x^(64+D) mod P and x^D mod P will do for the two
// powers. Those are constants of 64 bits, each product has less than 128 bits,
// and the sum of both fits the 16 bytes it is now XORed into. Two
// multiplications and two XORs have made the data 16 bytes shorter.
//
// A multiplication takes several cycles, but the next can begin right after
// it. So eight blocks of 16 bytes travel side by side through the data, 128
// bytes (D = 1024) at a stride. At the end the first four fold into the last
// four (D = 512), two of these into the other two (256), one into the other
// (128). That one goes on, by 16 bytes at a stride, while there are 16. Then
// it has the remainder of all the data, and hash/crc64 takes it from there.
//
// Bits run backwards: this CRC calls the lowest bit of the first byte the
// highest power, which a little-endian load puts into bit 0 of a register.
// The product of two reversed numbers comes out reversed too, but of 127
// bits, not 128, and so reads as if x times as large. The constants make up
// for that: they have one power less.

// keys has, for each D, the constant for A and that for B.
var keys = [4][2]uint64{
	{power(1024 + 63), power(1024 - 1)},
	{power(512 + 63), power(512 - 1)},
	{power(256 + 63), power(256 - 1)},
	{power(128 + 63), power(128 - 1)},
}

// power returns x^n modulo the polynomial of the CRC.
func power(n int) uint64 {
	p := uint64(one)
	for range n {
		p = multiply(one>>1, p)
	}
	return p
}

const (
	// foldMin is the number of bytes that fold starts with.
	foldMin = 128
	// foldMax bounds one call of fold to some microseconds: the scheduler
	// cannot interrupt assembly. It is a multiple of 16.
	foldMax = 256 << 10
)

func update(crc uint64, p []byte) uint64 {
	for canFold && len(p) >= foldMin {
		n := min(len(p), foldMax) &^ 15
		var block [16]byte
		binary.LittleEndian.PutUint64(block[:], ^crc)
		fold(&block, p[:n], &keys)
		crc = crc64.Update(^uint64(0), table, block[:]) // inverted: begins with zero
		p = p[n:]
	}
	return crc64.Update(crc, table, p)
}

// Package crc64 computes CRC-64/ECMA, the checksum that OSS keeps of every
// object (x-oss-hash-crc64ecma). The values are those of hash/crc64 with
// crc64.MakeTable(crc64.ECMA). Where the processor multiplies without carry
// (amd64 with PCLMULQDQ, arm64 with PMULL) it is several times as fast;
// elsewhere, and with the build tag purego, it is hash/crc64.
package crc64

import (
	"encoding/binary"
	"hash"
	"hash/crc64"
)

var table = crc64.MakeTable(crc64.ECMA)

// Checksum returns the CRC of p.
func Checksum(p []byte) uint64 { return update(0, p) }

// Update returns the CRC of the bytes that crc is the CRC of, followed by p.
// The CRC of no bytes is 0.
func Update(crc uint64, p []byte) uint64 { return update(crc, p) }

// Hash is the CRC of the bytes written to it. The zero value is ready to use.
type Hash struct{ crc uint64 }

var _ hash.Hash64 = (*Hash)(nil)

// Write adds p. It never fails.
func (h *Hash) Write(p []byte) (int, error) {
	h.crc = update(h.crc, p)
	return len(p), nil
}

// Sum64 returns the CRC of what was written.
func (h *Hash) Sum64() uint64 { return h.crc }

// Sum appends the CRC to b, most significant byte first.
func (h *Hash) Sum(b []byte) []byte { return binary.BigEndian.AppendUint64(b, h.crc) }

// Reset forgets what was written.
func (h *Hash) Reset() { h.crc = 0 }

// Size is the number of bytes that Sum appends: 8.
func (h *Hash) Size() int { return crc64.Size }

// BlockSize is 1: writes of any length are fine, those of a kilobyte and more
// are fast.
func (h *Hash) BlockSize() int { return 1 }

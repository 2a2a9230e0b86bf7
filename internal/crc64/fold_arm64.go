//go:build !purego

package crc64

import (
	"encoding/binary"
	"os"
	"runtime"
)

// fold XORs block into the first 16 bytes of p and replaces it with 16 bytes
// that leave the same remainder as all of that. The length of p is at least
// 128 and a multiple of 16.
//
//go:noescape
func fold(block *[16]byte, p []byte, keys *[4][2]uint64)

// canFold says that the processor has PMULL for 64 bits.
var canFold = detect()

// detect knows Macs, all of which have it, and Linux, which lists it among the
// facts it gives to each process. Elsewhere the response is no.
func detect() bool {
	const hwcap, pmull = 16, 1 << 4 // AT_HWCAP and HWCAP_PMULL
	switch runtime.GOOS {
	case "darwin":
		return true
	case "linux", "android":
		facts, _ := os.ReadFile("/proc/self/auxv") // pairs of a name and a value
		for ; len(facts) >= 16; facts = facts[16:] {
			if binary.LittleEndian.Uint64(facts) == hwcap {
				return binary.LittleEndian.Uint64(facts[8:])&pmull != 0
			}
		}
	}
	return false
}

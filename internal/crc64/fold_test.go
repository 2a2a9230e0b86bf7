//go:build (amd64 || arm64) && !purego

package crc64

import (
	"hash/crc64"
	"testing"

	"github.com/stretchr/testify/require"
)

// The keys are the powers that the folding needs, by long division: bit 64 of
// x^n comes off by subtracting the polynomial, here the right way round.
func TestKeys(t *testing.T) {
	t.Parallel()
	const polynomial = 0x42f0e1eba9ea3693 // without x^64
	power := func(n int) (p uint64) {
		p = 1
		for range n {
			carry := p >> 63
			p = p<<1 ^ polynomial&-carry
		}
		return p
	}
	reversed := func(p uint64) (r uint64) {
		for range 64 {
			r, p = r<<1|p&1, p>>1
		}
		return r
	}
	require.Equal(t, uint64(crc64.ECMA), reversed(polynomial))
	for i, distance := range []int{1024, 512, 256, 128} {
		require.Equal(t, reversed(power(distance+63)), keys[i][0], distance)
		require.Equal(t, reversed(power(distance-1)), keys[i][1], distance)
	}
}

package upload

import (
	"hash/crc64"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCombineCRC(t *testing.T) {
	t.Parallel()
	data := random(5000)
	whole := crc64.Checksum(data, crcTable)
	for range 200 {
		cut := rand.IntN(len(data) + 1)
		first, second := crc64.Checksum(data[:cut], crcTable), crc64.Checksum(data[cut:], crcTable)
		require.Equal(t, whole, combineCRC(first, second, int64(len(data)-cut)), "cut at %d", cut)
	}
}

func TestCombineCRC_Huge(t *testing.T) {
	t.Parallel()
	// Zeros joined by doubling reach lengths that cannot be computed directly.
	crc, size := crc64.Checksum(make([]byte, 1), crcTable), int64(1)
	for size < 1<<20 {
		crc, size = combineCRC(crc, crc, size), 2*size
	}
	require.Equal(t, crc64.Checksum(make([]byte, 1<<20), crcTable), crc)
	for size < maxObject {
		crc, size = combineCRC(crc, crc, size), 2*size
	}
	// Associative: ((a b) c) is (a (b c)) at any length.
	a, b, c := uint64(1), uint64(2), uint64(3)
	require.Equal(t, combineCRC(combineCRC(a, b, size), c, 7), combineCRC(a, combineCRC(b, c, 7), size+7))
}

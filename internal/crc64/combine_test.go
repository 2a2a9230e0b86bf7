package crc64

import (
	"fmt"
	"hash/crc64"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func ExampleCombine() {
	// Parts may be summed side by side and joined afterwards.
	parts := []string{"The first part, ", "the second ", "and the last."}
	var whole uint64
	for _, part := range parts {
		whole = Combine(whole, Checksum([]byte(part)), int64(len(part)))
	}
	fmt.Println(whole == Checksum([]byte("The first part, the second and the last.")))
	// Output: true
}

func TestCombine(t *testing.T) {
	t.Parallel()
	data := random(5000)
	whole := crc64.Checksum(data, table)
	for cut := range len(data) + 1 {
		a, b := data[:cut], data[cut:]
		require.Equal(t, whole, Combine(crc64.Checksum(a, table), crc64.Checksum(b, table), int64(len(b))), "cut at %d", cut)
	}
}

func TestCombine_NoSecond(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, -1, math.MinInt64} {
		require.Equal(t, uint64(0x1234), Combine(0x1234, 0x5678, n), n)
	}
}

// matrix is what a number of bits of zero does to a remainder: column i is what
// becomes of bit i. Another way to the same numbers as Combine's.
type matrix [64]uint64

func (m *matrix) times(v uint64) (sum uint64) {
	for i := range m {
		if v>>i&1 != 0 {
			sum ^= m[i]
		}
	}
	return sum
}

func (m *matrix) squared() (square matrix) {
	for i := range m {
		square[i] = m.times(m[i])
	}
	return square
}

func TestCombine_Huge(t *testing.T) {
	t.Parallel()
	var zeros [63]matrix // 2^k bytes each
	zeros[0][0] = crc64.ECMA
	for i := 1; i < 64; i++ {
		zeros[0][i] = 1 << (i - 1) // one bit
	}
	for range 3 {
		zeros[0] = zeros[0].squared()
	}
	for k := 1; k < len(zeros); k++ {
		zeros[k] = zeros[k-1].squared()
	}
	lengths := []int64{1, 1<<20 + 1, 48_800_000_000_000, 1<<53 - 1, 1 << 53, math.MaxInt64}
	for range 100 {
		lengths = append(lengths, rand.Int64N(1<<53))
	}
	for _, n := range lengths {
		a, b := rand.Uint64(), rand.Uint64()
		want := a
		for k := range zeros {
			if n>>k&1 != 0 {
				want = zeros[k].times(want)
			}
		}
		require.Equal(t, want^b, Combine(a, b, n), "length %d", n)
	}
}

func FuzzCombine(f *testing.F) {
	f.Add([]byte("1234"), []byte("56789"), []byte{})
	f.Add(random(1), random(1000), random(129))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		sum := func(p []byte) uint64 { return crc64.Checksum(p, table) }
		size := func(p []byte) int64 { return int64(len(p)) }
		want := crc64.Update(crc64.Update(sum(a), table, b), table, c)
		require.Equal(t, want, Combine(Combine(sum(a), sum(b), size(b)), sum(c), size(c)))
		require.Equal(t, want, Combine(sum(a), Combine(sum(b), sum(c), size(c)), size(b)+size(c)))
	})
}

func BenchmarkCombine(b *testing.B) {
	for _, size := range []int64{8 << 20, 1<<53 - 1} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			crc := uint64(1)
			for b.Loop() {
				crc = Combine(crc, 2, size)
			}
		})
	}
}

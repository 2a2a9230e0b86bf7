package crc64

import (
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// kernel is a way to compute, chosen by the package's variables: no other test
// may run beside one that chooses.
type kernel struct {
	name string
	use  func()
}

// eachKernel runs a test with each that this machine can do.
func eachKernel(t *testing.T, test func(t *testing.T)) {
	kernels, reset := kernels()
	t.Cleanup(reset)
	for _, k := range kernels {
		k.use()
		t.Run(k.name, test)
	}
}

// random returns bytes that are the same in each run.
func random(n int) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(n))
	p := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(p)
	return p
}

func TestChecksum_Known(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint64(0x995dc9bbdf1939fa), Checksum([]byte("123456789")))
	require.Zero(t, Checksum(nil))
	require.Zero(t, Checksum([]byte{}))
}

func TestUpdate_EveryLength(t *testing.T) {
	data := random(4096 + 16)
	eachKernel(t, func(t *testing.T) {
		for n := range 4097 {
			// Each offset meets each remainder of the length by 16.
			offset := (n + n/16) % 16
			p, crc := data[offset:offset+n], rand.Uint64()
			want := crc64.Update(crc, table, p)
			if got := Update(crc, p); got != want {
				t.Fatalf("%d bytes from %d after %016x: got %016x, want %016x", n, offset, crc, got, want)
			}
		}
	})
}

func TestUpdate_RandomLength(t *testing.T) {
	data := random(1 << 20)
	eachKernel(t, func(t *testing.T) {
		for range 50 {
			from := rand.IntN(len(data) + 1)
			to := from + rand.IntN(len(data)-from+1)
			crc := rand.Uint64()
			require.Equal(t, crc64.Update(crc, table, data[from:to]), Update(crc, data[from:to]), "%d to %d after %016x", from, to, crc)
		}
	})
}

func TestUpdate_Chained(t *testing.T) {
	data := random(300_000)
	want := crc64.Checksum(data, table)
	eachKernel(t, func(t *testing.T) {
		for _, most := range []int{100, 1000, 100_000, len(data)} {
			var crc uint64
			var h Hash
			written := 0
			for p := data; len(p) > 0; {
				n := min(1+rand.IntN(most), len(p))
				crc = Update(crc, p[:n])
				m, _ := h.Write(p[:n])
				written += m
				p = p[n:]
			}
			require.Equal(t, want, crc, "pieces of up to %d bytes", most)
			require.Equal(t, want, h.Sum64(), "pieces of up to %d bytes", most)
			require.Equal(t, len(data), written)
		}
	})
}

func TestHash(t *testing.T) {
	t.Parallel()
	var h Hash
	reference := crc64.New(table)
	require.Equal(t, reference.Size(), h.Size())
	require.Equal(t, reference.BlockSize(), h.BlockSize())
	data := random(1000)
	_, _ = h.Write(data)
	_, _ = reference.Write(data)
	require.Equal(t, reference.Sum([]byte("before")), h.Sum([]byte("before")))
	require.Equal(t, reference.Sum64(), h.Sum64())
	h.Reset()
	require.Zero(t, h.Sum64())
}

func TestAllocations(t *testing.T) {
	data := random(10_000)
	var h Hash
	require.Zero(t, testing.AllocsPerRun(100, func() {
		crc := Update(Checksum(data), data)
		_, _ = h.Write(data)
		h.crc = Combine(crc, h.Sum64(), 1<<53-1)
	}))
}

func FuzzUpdate(f *testing.F) {
	f.Add(uint64(0), []byte("123456789"), uint(3))
	f.Add(^uint64(0), random(127), uint(1))
	f.Add(uint64(1), random(4096+15), uint(200))
	f.Fuzz(func(t *testing.T, crc uint64, data []byte, cut uint) {
		kernels, reset := kernels()
		defer reset()
		want := crc64.Update(crc, table, data)
		at := int(cut % uint(len(data)+1))
		for _, k := range kernels {
			k.use()
			require.Equal(t, want, Update(crc, data), k.name)
			require.Equal(t, want, Update(Update(crc, data[:at]), data[at:]), k.name)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	kernels, reset := kernels()
	defer reset()
	for _, size := range []int{64, 1 << 10, 32 << 10, 8 << 20} {
		data := random(size)
		for _, k := range kernels {
			b.Run(fmt.Sprintf("%d/%s", size, k.name), func(b *testing.B) {
				k.use()
				b.SetBytes(int64(size))
				var crc uint64
				for b.Loop() {
					crc = Update(crc, data)
				}
			})
		}
	}
}

package mediatest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A vault gives back what it took, in whatever pieces, and keeps its limit.
func TestVault_KeepsBytesAndItsLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{0, 100, 3 * blockSize, 1 << 30} {
		r := rand.New(rand.NewPCG(7, uint64(limit)))
		v := newVault(limit)
		defer v.close()
		type kept struct {
			pieces []*piece
			want   []byte
		}
		var all []kept
		for range 200 {
			switch n := len(all); {
			case n > 0 && r.IntN(3) == 0: // delete
				i := r.IntN(n)
				v.release(all[i].pieces)
				all = append(all[:i], all[i+1:]...)
			case n > 1 && r.IntN(3) == 0: // join two, as parts
				a, b := all[r.IntN(n)], all[r.IntN(n)]
				if len(a.want) > 4*blockSize {
					continue
				}
				pieces := append(append([]*piece(nil), a.pieces...), b.pieces...)
				all = append(all, kept{v.retain(pieces), append(bytes.Clone(a.want), b.want...)})
			default:
				data := make([]byte, r.IntN(2*blockSize))
				for i := range data {
					data[i] = byte(r.Uint32())
				}
				w := v.writer(int64(r.IntN(2)*len(data)) - 1)
				for rest := data; len(rest) > 0; {
					n := min(len(rest), 1+r.IntN(blockSize+9))
					_, err := w.Write(rest[:n])
					require.NoError(t, err)
					rest = rest[n:]
				}
				all = append(all, kept{w.pieces, data})
			}
			memory, _ := v.usage()
			require.LessOrEqual(t, memory, limit)
		}
		for _, k := range all {
			section := v.reader(k.pieces)
			got, err := io.ReadAll(section)
			require.NoError(t, err)
			require.True(t, bytes.Equal(k.want, got))
			if len(k.want) > 0 {
				from := r.IntN(len(k.want))
				part := make([]byte, 1+r.IntN(len(k.want)-from))
				_, err = section.ReadAt(part, int64(from))
				require.NoError(t, err)
				require.True(t, bytes.Equal(k.want[from:from+len(part)], part))
			}
		}
		for _, k := range all {
			v.release(k.pieces)
		}
		memory, file := v.usage()
		require.Zero(t, memory+file)
		if v.file != nil {
			info, err := v.file.Stat()
			require.NoError(t, err)
			require.Zero(t, info.Size())
		}
	}
}

// The file is private, and gone after close even where an open file keeps its
// name.
func TestVault_FileIsGone(t *testing.T) {
	t.Parallel()
	v := newVault(0)
	tries := 0
	v.unlink = func(name string) error {
		if tries++; tries == 1 {
			return errors.New("the file is open")
		}
		return os.Remove(name)
	}
	w := v.writer(-1)
	_, err := w.Write([]byte("secret"))
	require.NoError(t, err)
	info, err := os.Stat(v.name)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
	v.close()
	_, err = os.Stat(v.name)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = w.Write([]byte("more"))
	require.ErrorContains(t, err, "mediatest: temporary file: file already closed")
	require.NotContains(t, err.Error(), os.TempDir())
	w.drop()

	v = newVault(0)
	w = v.writer(-1)
	_, err = w.Write([]byte("secret"))
	require.NoError(t, err)
	require.NoFileExists(t, v.file.Name())
	v.close()
}

package upload

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// endless gives n bytes, whatever they are, and then io.EOF.
type endless struct{ left int64 }

func (r *endless) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), r.left)
	r.left -= n
	return int(n), nil
}

var errDisk = errors.New("disk on fire")

// TestUpload_B19_HeapIsFlat: a file of 20 GB, with -tags=long, that the heap
// does not notice.
func TestUpload_B19_HeapIsFlat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse.mp4")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(heapFile))
	require.NoError(t, f.Close())
	r := newEnv(t, func(c *Config) { c.PartSize, c.MultipartThreshold = 0, 0 }, mediatest.Discard())
	var res *Result
	start := time.Now()
	peak := peakHeap(false, func() { res, err = r.Upload(ctx, File(path), VODVideo{}) })
	t.Logf("%d MB in %v, peak heap %.1f MB", heapFile>>20, time.Since(start).Round(time.Millisecond), float64(peak)/(1<<20))
	require.NoError(t, err)
	stored, crc, ok := r.ObjectInfo(res.Bucket, res.Key)
	require.True(t, ok)
	require.EqualValues(t, heapFile, stored)
	require.Equal(t, crc, res.CRC64)
	require.Less(t, peak, 2*r.cfg.PartSize, "garbage and the fake service have some, parts have none")
}

// TestUpload_B16_B19_HeapOfAStream: a part for each request under way, one that
// is read, and nothing that grows.
func TestUpload_B16_B19_HeapOfAStream(t *testing.T) {
	for _, size := range []int64{heapFile, UnknownSize} {
		var s sink
		u := s.uploader(t, nil)
		var err error
		start := time.Now()
		peak := peakHeap(true, func() { _, err = u.Upload(ctx, Reader("stream.mp4", &endless{heapFile}, size), VODVideo{}) })
		t.Logf("%d MB (declared: %d) in %v, peak of the living heap %.1f MB", heapFile>>20, size, time.Since(start).Round(time.Millisecond), float64(peak)/(1<<20))
		require.NoError(t, err)
		require.EqualValues(t, heapFile, s.bytes.Load())
		part, most := u.cfg.PartSize, u.cfg.PartSize
		if n := s.parts.Load(); size == UnknownSize && n > 2000 { // parts of twice the size take the place of others
			most += 2 * part
		}
		require.Less(t, peak, int64(u.cfg.Parallel+1)*most+4<<20)
		require.Greater(t, peak, part, "the heap is looked at")
	}
}

package upload

import (
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// TestUpload_B14_Requests: what a size becomes on the wire.
func TestUpload_B14_Requests(t *testing.T) {
	t.Parallel()
	const part, threshold = 100 * kib, 200 * kib
	for size, parts := range map[int]int{
		1: 0, part: 0, threshold - 1: 0,
		threshold: 2, threshold + 1: 3, 3*part - 1: 3, 3 * part: 3, 3*part + 1: 4,
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil)
			data := random(size)
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Equal(t, parts, r.Calls("UploadPart"))
			require.Equal(t, parts == 0, r.Calls("PutObject") == 1)
			sizes := make(map[string]int64)
			for _, q := range r.Requests() {
				if q.Operation == "UploadPart" {
					sizes[q.Params.Get("partNumber")] = q.Size
				}
			}
			for n := 1; n < parts; n++ {
				require.EqualValues(t, part, sizes[strconv.Itoa(n)])
			}
		})
	}
}

// TestUpload_B14_Settings: what the store would refuse is refused at once.
func TestUpload_B14_Settings(t *testing.T) {
	t.Parallel()
	const least, most = 102_400, 5_368_709_120 // bytes
	for _, tt := range []struct {
		part, threshold int64
		text            string
	}{
		{least, most, ""},
		{most, 1, ""},
		{least - 1, 0, "Config.PartSize is 102399 bytes, OSS takes 102400 to 5368709120"},
		{most + 1, 0, "Config.PartSize is 5368709121 bytes"},
		{-1, 0, "Config.PartSize is -1 bytes"},
		{0, most + 1, "Config.MultipartThreshold is 5368709121 bytes, a single request takes at most 5368709120"},
		{0, -1, "Config.MultipartThreshold is -1 bytes"},
	} {
		_, err := New(Config{PartSize: tt.part, MultipartThreshold: tt.threshold})
		if tt.text == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, tt.text)
		}
	}
}

// TestUpload_B16_ReadAhead: while parts are under way no more of a stream is
// read than there is memory for, and memory is used again.
func TestUpload_B16_ReadAhead(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{UnknownSize, 2000 * kib} {
		synctest.Test(t, func(t *testing.T) {
			r := newEnv(t, func(c *Config) { c.Parallel, c.StallTimeout = 2, time.Hour }, mediatest.InMemory())
			r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: 10 * time.Minute, Times: mediatest.Always})
			var read atomic.Int64
			stream := readerFunc(func(p []byte) (int, error) {
				n := min(int64(len(p)), 2000*kib-read.Load())
				if n == 0 {
					return 0, io.EOF
				}
				read.Add(n)
				return int(n), nil
			})
			done := make(chan error, 1)
			go func() {
				_, err := r.Upload(ctx, Reader("movie.mp4", stream, size), VODVideo{})
				done <- err
			}()
			time.Sleep(time.Minute)
			synctest.Wait()
			require.EqualValues(t, 3*100*kib, read.Load())
			require.NoError(t, <-done)
			require.EqualValues(t, 2000*kib, read.Load())
			require.Equal(t, 20, r.Calls("UploadPart"))
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

package upload

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// TestUpload_B20_ResumedWhole: the checksum is that of all bytes, sent by
// whichever run. A part that is not recorded with that of the source's bytes is
// sent again.
func TestUpload_B20_ResumedWhole(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]mediatest.Fault{
		"all parts there":  stopAt("CompleteMultipartUpload", 1),
		"three parts left": stopAt("UploadPart", 4),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stop)
			b.edit(t, func(_ *checkpoint.State, parts map[int]checkpoint.Part) {
				p := parts[2]
				p.CRC64 ^= 1
				parts[2] = p
			})
			sent := b.sendings()["2"]
			res := b.resume(t, VODVideo{})
			require.Equal(t, b.fail.MediaId, res.MediaId)
			require.Equal(t, crcOf(b.data), res.CRC64)
			require.Equal(t, sent+1, b.sendings()["2"])
		})
	}
}

// TestUpload_B20_ChecksumOfTheResult: is that of the source, in one request, in
// many, and over two runs.
func TestUpload_B20_ChecksumOfTheResult(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 150 * kib, 600 * kib, 1234567} {
		r := newEnv(t, nil)
		data := random(size)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		require.Equal(t, crcOf(data), res.CRC64)
		_, stored, ok := r.ObjectInfo(res.Bucket, res.Key)
		require.True(t, ok)
		require.Equal(t, stored, res.CRC64)
	}
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 3))
	require.Equal(t, crcOf(b.data), b.resume(t, VODVideo{}).CRC64)
}

// TestUpload_B21_CompleteTimesOut: the store has made the object and never says
// so.
func TestUpload_B21_CompleteTimesOut(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{
		"video":      VODVideo{},
		"own bucket": Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}},
		"Yike":       YikeAsset{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				hung := 0
				r := newEnv(t, func(c *Config) {
					base := c.HTTPClient.Transport
					c.HTTPClient = &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
						response, err := base.RoundTrip(q)
						if q.Method != http.MethodPost || !q.URL.Query().Has("uploadId") || hung > 0 {
							return response, err
						}
						hung++
						response.Body.Close()
						<-q.Context().Done()
						return nil, q.Context().Err()
					})}
					c.OSSRegion = "cn-shanghai"
				}, mediatest.InMemory())
				r.cfg.OSSEndpoint = r.URL
				r.CreateBucket("own-bucket")
				data := random(600 * kib)
				start := time.Now()
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), target)
				require.NoError(t, err)
				require.Less(t, time.Since(start), 10*time.Minute)
				r.stored(t, res, data)
				require.Equal(t, 1, hung)
				require.Equal(t, 2, r.Calls("CompleteMultipartUpload"))
				require.Equal(t, 6, r.Calls("UploadPart"))
				require.Equal(t, 1, r.Calls("HeadObject"))
				require.Len(t, r.Medias(), 1)
				require.LessOrEqual(t, r.Calls("RegisterMediaInfo")+r.Calls("RegisterYikeAssetMediaInfo"), 1)
			})
		})
	}
}

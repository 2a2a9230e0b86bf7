package upload

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUpload_B45_RequestsOfASmallFile: one to create, one that carries the
// bytes, one to finish where the target has that, with a checkpoint and without.
func TestUpload_B45_RequestsOfASmallFile(t *testing.T) {
	t.Parallel()
	for i, tt := range []struct {
		target Target
		want   []string
	}{
		{VODVideo{}, []string{"CreateUploadVideo", "PutObject"}},
		{VODImage{ImageExt: "png"}, []string{"CreateUploadImage", "PutObject"}},
		{ICEMedia{}, []string{"CreateUploadMedia", "PutObject"}},
		{YikeAsset{}, []string{"CreateYikeAssetUpload", "PutObject", "RegisterYikeAssetMediaInfo"}},
		{Bucket{Name: "own-bucket"}, []string{"PutObject"}},
		{Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}, []string{"PutObject", "RegisterMediaInfo"}},
		{Bucket{Name: "own-bucket", Register: RegisterMedia{}}, []string{"PutObject", "RegisterMedia"}},
	} {
		t.Run(fmt.Sprintf("%d %T", i, tt.target), func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.OSSRegion = "cn-shanghai" })
			r.cfg.OSSEndpoint = r.URL
			r.CreateBucket("own-bucket")
			for n, opts := range [][]Option{nil, {WithCheckpoint(t.TempDir())}, {WithCheckpoint(t.TempDir())}} {
				before := len(r.Requests())
				_, err := r.Upload(ctx, File(writeFile(t, fmt.Sprintf("movie%d.mp4", n), random(kib))), tt.target, opts...)
				require.NoError(t, err)
				var asked []string
				for _, q := range r.Requests()[before:] {
					asked = append(asked, q.Operation)
				}
				if n == 1 {
					require.Equal(t, "GetCallerIdentity", asked[0], "once for an access key")
					asked = asked[1:]
				}
				require.Equal(t, tt.want, asked)
			}
		})
	}
}

// TestUpload_B45_SmallStreamIsOneRequest: its end is seen before anything is
// asked, so that it needs no parts.
func TestUpload_B45_SmallStreamIsOneRequest(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{UnknownSize, 100*kib - 1} {
		r := newEnv(t, nil)
		data := random(100*kib - 1)
		res, err := r.Upload(ctx, Reader("movie.mp4", reader(bytes.NewReader(data)), size), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Len(t, r.Requests(), 2)
	}
}

package mediatest_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestUploadVideo(t *testing.T) {
	run := func(t *testing.T, auth oss.AuthVersionType, opts ...mediatest.Option) {
		srv := mediatest.New(t, opts...)
		a := callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "Über*~ +")
		to := targetOf(t, a)
		b := ossBucket(t, srv, to.Bucket, to.keys(), oss.AuthVersion(auth))
		part := bytes.Repeat([]byte("x"), 100<<10)
		imur, err := b.InitiateMultipartUpload(to.FileName)
		require.NoError(t, err)
		var parts []oss.UploadPart
		for n := 1; n <= 3; n++ {
			p, err := b.UploadPart(imur, bytes.NewReader(part), int64(len(part)), n)
			require.NoError(t, err)
			parts = append(parts, p)
		}
		m, _ := srv.Media(a.str("VideoId"))
		require.Equal(t, "Uploading", m.Status)
		require.Len(t, srv.Uploads(), 1)
		_, err = b.CompleteMultipartUpload(imur, parts)
		require.NoError(t, err)
		m, _ = srv.Media(a.str("VideoId"))
		require.Equal(t, "Normal", m.Status)
		require.EqualValues(t, 300<<10, m.Size)
		require.Empty(t, srv.Uploads())
		got, err := b.GetObjectDetailedMeta(to.FileName)
		require.NoError(t, err)
		require.NotEmpty(t, got.Get("X-Oss-Hash-Crc64ecma"))
	}
	for _, auth := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		t.Run(string(auth), func(t *testing.T) {
			t.Run("sockets", func(t *testing.T) { run(t, auth) })
			t.Run("pipes", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { run(t, auth, mediatest.InMemory()) })
			})
			t.Run("discard", func(t *testing.T) { run(t, auth, mediatest.Discard()) })
		})
	}
}

package mediatest_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func saved(t testing.TB, srv *mediatest.Server) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, srv.Save(&b))
	return b.Bytes()
}

// moved is another server with the state of srv.
func moved(t testing.TB, srv *mediatest.Server, opts ...mediatest.Option) *mediatest.Server {
	t.Helper()
	other := mediatest.New(t, opts...)
	require.NoError(t, other.Load(bytes.NewReader(saved(t, srv))))
	return other
}

func TestState_UploadsPoliciesAndCredentialsGoOnElsewhere(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	reader := srv.NewUser(`{"Statement":[{"Effect":"Allow","Action":"vod:Get*"}]}`)
	c := callerOf(srv, vodVersion)
	made := c.ok(t, "CreateUploadVideo", "Title", "Launch", "FileName", "a.mp4")
	to := targetOf(t, made)
	first, second := bytes.Repeat([]byte("a"), 100<<10), []byte("end")
	bucket := ossBucket(t, srv, to.Bucket, to.keys())
	u, err := bucket.InitiateMultipartUpload(to.FileName)
	require.NoError(t, err)
	part, err := bucket.UploadPart(u, bytes.NewReader(first), int64(len(first)), 1)
	require.NoError(t, err)
	srv.Clock().Advance(time.Minute)

	other := moved(t, srv, mediatest.StateContent(0))
	srv.Close()
	require.InDelta(t, time.Minute, time.Until(other.Clock().Now()), float64(10*time.Second))
	bucket = ossBucket(t, other, to.Bucket, to.keys())
	rest, err := bucket.UploadPart(u, bytes.NewReader(second), int64(len(second)), 2)
	require.NoError(t, err)
	_, err = bucket.CompleteMultipartUpload(u, []oss.UploadPart{part, rest})
	require.NoError(t, err)
	data, ok := other.Object(to.Bucket, to.FileName)
	require.True(t, ok)
	require.Equal(t, append(first, second...), data)

	c = callerOf(other, vodVersion)
	c.keys = reader
	got := c.ok(t, "GetVideoInfo", "VideoId", made.str("VideoId"))
	require.Equal(t, "Launch", got.body["Video"].(map[string]any)["Title"])
	require.Equal(t, "Normal", got.body["Video"].(map[string]any)["Status"])
	c.fails(t, 403, "NoPermission", "DeleteVideo", "VideoIds", made.str("VideoId"))

	// Without its bytes an object keeps everything else.
	again := moved(t, other)
	size, crc, ok := again.ObjectInfo(to.Bucket, to.FileName)
	require.True(t, ok)
	wantSize, wantCRC, _ := other.ObjectInfo(to.Bucket, to.FileName)
	require.Equal(t, wantSize, size)
	require.Equal(t, wantCRC, crc)
	none, ok := again.Object(to.Bucket, to.FileName)
	require.True(t, ok)
	require.Empty(t, none)
	require.Zero(t, again.Held())
}

func TestState_AHostileFileIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "key", []byte("some bytes"))
	whole := saved(t, srv)
	other := mediatest.New(t)
	other.PutObject("mine", "key", []byte("other bytes"))
	before := saved(t, other)
	refuse := func(state []byte) {
		t.Helper()
		require.Error(t, other.Load(bytes.NewReader(state)))
	}
	for n := range whole { // cut off anywhere
		refuse(whole[:n])
	}
	for _, i := range []int{0, 20, len(whole) / 2, len(whole) - 70, len(whole) - 1} {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1
		refuse(damaged)
	}
	refuse(append(bytes.Clone(whole), '\n'))
	refuse(bytes.Replace(whole, []byte("state 1 "), []byte("state 2 "), 1))
	require.Equal(t, string(before), string(saved(t, other)))
	require.EqualValues(t, len("other bytes"), other.Held())
}

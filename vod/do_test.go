package vod

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

// An operation the types do not know is called by its name, with a map or a
// struct; a derived client shares nothing but connections and clock.
func TestDoAndWith(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c, err := New(srv.Config())
	require.NoError(t, err)
	var out struct{ VideoId, RequestId string }
	require.NoError(t, c.Do(t.Context(), "CreateUploadVideo", map[string]any{"Title": "t", "FileName": "a.mp4"}, &out))
	require.NotEmpty(t, out.VideoId)
	require.NotEmpty(t, out.RequestId)
	require.NoError(t, c.Do(t.Context(), "GetVideoInfo", struct{ VideoId string }{out.VideoId}, nil))

	err = c.Do(t.Context(), "NoSuchOperation", nil, nil)
	require.True(t, alimedia.HasCode(err, "InvalidApi.NotFound"))

	stranger := c.With(func(cfg *alimedia.Config) { cfg.Region = "ap-southeast-1" })
	require.Equal(t, "ap-southeast-1", stranger.Region())
	require.Equal(t, "cn-shanghai", c.Region())
}

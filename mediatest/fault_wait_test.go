package mediatest_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// lines is a writer that passes on what it gets.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// A delay ends with the client, whatever the client was sending.
func TestFault_DelayEndsWithTheClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts  []mediatest.Option
		size  int
		after int64
	}{
		"socket":                {nil, 10 << 10, 0},
		"socket, in the middle": {nil, 100 << 10, 50 << 10},
		"pipe":                  {[]mediatest.Option{mediatest.InMemory()}, 1 << 20, 0},
		"pipe, in the middle":   {[]mediatest.Option{mediatest.InMemory()}, 1 << 20, 100 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := make(lines, 100)
			srv := mediatest.New(t, append(c.opts, mediatest.Log(log))...)
			srv.CreateBucket("own")
			// leaving makes an operation wait, and the client leave meanwhile.
			leaving := func(operation string, after int64) context.Context {
				ctx, leave := context.WithCancel(t.Context())
				srv.Fault(mediatest.Fault{
					Operation: operation, Delay: mediatest.Forever, AfterBytes: after, Match: func(mediatest.Request) bool { leave(); return true },
				})
				return ctx
			}
			b := ossBucket(t, srv, "own", srv.Credentials())
			err := b.PutObject("a", strings.NewReader(strings.Repeat("x", c.size)), oss.WithContext(leaving("PutObject", c.after)))
			require.Error(t, err)
			require.Equal(t, "PutObject connection cut\n", <-log)
			require.Empty(t, srv.Objects("own"))

			api := callerOf(srv, vodVersion)
			api.form = true
			ctx := leaving("GetVideoList", 0)
			_, err = srv.HTTPClient().Do(api.request(t, "GetVideoList", params("PageNo", "1")).WithContext(ctx))
			require.Error(t, err)
			require.Equal(t, "GetVideoList connection cut\n", <-log)
		})
	}
}

// A body that waited is the same afterwards.
func TestFault_DelayKeepsTheBody(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	b := ossBucket(t, srv, "own", srv.Credentials())
	for _, size := range []int{0, 1, 100 << 10, 3 << 20} {
		for _, after := range []int64{0, 1000} {
			srv.Fault(mediatest.Fault{Operation: "PutObject", Delay: 1, AfterBytes: after})
			want := strings.Repeat("body", size/4)
			require.NoError(t, b.PutObject("a", strings.NewReader(want)))
			got, _ := srv.Object("own", "a")
			require.True(t, want == string(got))
		}
	}
	api := callerOf(srv, vodVersion)
	api.form = true
	srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Delay: 1})
	api.ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
}

// A handler may return what the client will decode.
func TestHandle_Structs(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	client, err := vod.New(srv.Config())
	require.NoError(t, err)
	var answer any
	srv.Handle("vod", "GetVideoInfo", func(url.Values) (any, error) { return answer, nil })
	titled := vod.GetVideoInfoResponse{}
	titled.Video.Title = "Launch"
	own := titled
	own.RequestId = "mine"
	for n, returned := range []any{titled, &titled, own} {
		answer = returned
		got, err := client.GetVideoInfo(t.Context(), vod.GetVideoInfoRequest{VideoId: "a"})
		require.NoError(t, err)
		require.Equal(t, "Launch", got.Video.Title)
		require.NotEmpty(t, got.RequestId)
		require.Equal(t, n == 2, got.RequestId == "mine")
	}
}

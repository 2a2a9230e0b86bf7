package playurl_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/playurl"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const domainKey = "aliyuncdnexp1234"

// uploaded is a video that plays.
func uploaded(t *testing.T, srv *mediatest.Server, video *vod.Client) string {
	t.Helper()
	up, err := upload.New(upload.Config{VOD: video, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	res, err := up.Upload(t.Context(), upload.Reader("film.mp4", strings.NewReader("the film"), 8), upload.VODVideo{Title: "Film", TemplateGroupId: vod.NoTranscode})
	require.NoError(t, err)
	return res.MediaId
}

func status(t *testing.T, srv *mediatest.Server, url string) int {
	t.Helper()
	resp, err := srv.HTTPClient().Get(url)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// Viewers come for half a day: every URL they get plays, for at least MinLeft, and
// the service is asked a few times.
func TestVODPlayInfo_EveryURLPlays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		req   vod.GetPlayInfoRequest
		cfg   playurl.CacheConfig
		calls int
	}{
		"the time in the URL is proved":       {vod.GetPlayInfoRequest{AuthTimeout: 7200}, playurl.CacheConfig{MaxAge: 24 * time.Hour, MinLeft: 20 * time.Minute}, 18},
		"and the TTL of the console is known": {vod.GetPlayInfoRequest{AuthTimeout: 7200}, playurl.CacheConfig{TTL: time.Hour, MaxAge: 24 * time.Hour, MinLeft: 20 * time.Minute}, 9},
		"the TTL of the console alone":        {vod.GetPlayInfoRequest{}, playurl.CacheConfig{TTL: time.Hour, MinLeft: 20 * time.Minute, MaxAge: 24 * time.Hour}, 18},
		"MaxAge":                              {vod.GetPlayInfoRequest{AuthTimeout: 7200}, playurl.CacheConfig{TTL: time.Hour, MaxAge: time.Hour, MinLeft: 20 * time.Minute}, 18},
		"the end is not kept":                 {vod.GetPlayInfoRequest{}, playurl.CacheConfig{}, 72},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := mediatest.New(t, mediatest.InMemory(), mediatest.PlayDomain("play.example.com", mediatest.URLSigning{Key: domainKey, TTL: time.Hour}))
				video, err := vod.New(srv.Config())
				require.NoError(t, err)
				c.req.VideoId = uploaded(t, srv, video)
				cache := playurl.VODPlayInfo(video, c.cfg)
				defer cache.Close()
				for range 72 {
					got, err := cache.Get(t.Context(), c.req)
					require.NoError(t, err)
					url := got.Response.PlayInfoList.PlayInfo[0].PlayURL
					require.Equal(t, http.StatusOK, status(t, srv, url))
					if !got.Expires.IsZero() {
						require.Greater(t, time.Until(got.Expires), c.cfg.MinLeft)
						synctest.Wait()
					}
					time.Sleep(10 * time.Minute)
				}
				t.Logf("%d calls for 72 viewers", srv.Calls("GetPlayInfo"))
				require.Equal(t, c.calls, srv.Calls("GetPlayInfo"))
			})
		})
	}
}

func TestVODPlayInfo_OneCallForManyViewers(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	req := vod.GetPlayInfoRequest{VideoId: uploaded(t, srv, video)}
	cache := playurl.VODPlayInfo(video, playurl.CacheConfig{})
	defer cache.Close()
	srv.Fault(mediatest.Fault{Operation: "GetPlayInfo", Delay: 50 * time.Millisecond})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			got, err := cache.Get(t.Context(), req)
			if err != nil || got.Response.VideoBase.VideoId != req.VideoId {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, srv.Calls("GetPlayInfo"))
	_, err = cache.Get(t.Context(), vod.GetPlayInfoRequest{VideoId: "00000000000000000000000000000000"})
	require.True(t, alimedia.IsNotFound(err))
}

// The credential itself says when it expires.
func TestVODPlayAuth_ReadsTheEndOfTheCredential(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		video, err := vod.New(srv.Config())
		require.NoError(t, err)
		cache := playurl.VODPlayAuth(video, playurl.CacheConfig{})
		defer cache.Close()
		req := vod.GetVideoPlayAuthRequest{VideoId: uploaded(t, srv, video), AuthInfoTimeout: 3000}
		for range 5 {
			got, err := cache.Get(t.Context(), req)
			require.NoError(t, err)
			require.NotEmpty(t, got.Response.PlayAuth.Reveal())
			require.WithinDuration(t, time.Now().Add(3000*time.Second), got.Expires, time.Second)
			time.Sleep(3001 * time.Second)
		}
		require.Equal(t, 5, srv.Calls("GetVideoPlayAuth"))
	})
}

func TestICEPlayInfo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.PutObject("films", "film.mp4", []byte("the film"))
		media, err := ice.New(srv.Config())
		require.NoError(t, err)
		asset, err := media.RegisterMediaInfo(t.Context(), ice.RegisterMediaInfoRequest{InputURL: "oss://films/film.mp4", Title: "Film"})
		require.NoError(t, err)
		cache := playurl.ICEPlayInfo(media, playurl.CacheConfig{MaxAge: 24 * time.Hour})
		defer cache.Close()
		start := time.Now()
		for range 12 { // one hour
			got, err := cache.Get(t.Context(), ice.GetPlayInfoRequest{MediaId: asset.MediaId})
			require.NoError(t, err)
			require.Len(t, got.Response.PlayInfoList, 1)
			require.True(t, got.Expires.Equal(start.Add(time.Hour)) || time.Since(start) > 40*time.Minute)
			time.Sleep(5 * time.Minute)
		}
		require.Equal(t, 2, srv.Calls("GetPlayInfo"))
	})
}

// No error of the cache has a URL or a credential in it.
func TestCache_ErrorsTellNoSecret(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	cache := playurl.VODPlayInfo(video, playurl.CacheConfig{})
	defer cache.Close()
	srv.Fault(mediatest.Fault{Operation: "GetPlayInfo", Times: mediatest.Always, Status: 400, Code: "InvalidParameter", Message: "hush-hush is not valid"})
	_, err = cache.Get(t.Context(), vod.GetPlayInfoRequest{VideoId: "v", PlayConfig: vod.PlayConfig{MtsHlsUriToken: "hush-hush"}})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hush-hush")
}

package playurl

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/vod"
)

// service hands out numbered credentials.
type service struct {
	calls atomic.Int64
	delay time.Duration
	err   atomic.Pointer[error]
}

func (s *service) fail(err error) { s.err.Store(&err) }

func (s *service) GetVideoPlayAuth(ctx context.Context, req vod.GetVideoPlayAuthRequest) (*vod.GetVideoPlayAuthResponse, error) {
	n := s.calls.Add(1)
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := s.err.Load(); err != nil && *err != nil {
		return nil, *err
	}
	return &vod.GetVideoPlayAuthResponse{PlayAuth: alimedia.Secret(fmt.Sprint(req.VideoId, "#", n))}, nil
}

var video = vod.GetVideoPlayAuthRequest{VideoId: "v"}

// bubble runs a test with a cache of credentials that are valid for 100 s.
func bubble(t *testing.T, cfg CacheConfig, delay time.Duration, test func(t *testing.T, s *service, get func() (string, error))) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{delay: delay}
		c := VODPlayAuth(s, cfg)
		defer c.Close()
		test(t, s, func() (string, error) {
			got, err := c.Get(t.Context(), video)
			if err != nil {
				return "", err
			}
			require.True(t, time.Now().Before(got.Expires), "what is handed out is valid")
			return got.Response.PlayAuth.Reveal(), nil
		})
	})
}

func want(t *testing.T, get func() (string, error), auth string) {
	t.Helper()
	got, err := get()
	require.NoError(t, err)
	require.Equal(t, auth, got)
}

func TestCache_RenewsAheadInTheBackground(t *testing.T) {
	bubble(t, CacheConfig{}, 2*time.Second, func(t *testing.T, s *service, get func() (string, error)) {
		want(t, get, "v#1") // valid until 100 s, because it was asked for at 0 s
		time.Sleep(64 * time.Second)
		want(t, get, "v#1")
		require.EqualValues(t, 1, s.calls.Load())
		time.Sleep(time.Second) // 67 s: a third of the time is left
		start := time.Now()
		want(t, get, "v#1")
		want(t, get, "v#1")
		require.Zero(t, time.Since(start), "no one waits")
		time.Sleep(3 * time.Second)
		want(t, get, "v#2")
		require.EqualValues(t, 2, s.calls.Load())
	})
}

func TestCache_WaitsIfLittleTimeIsLeft(t *testing.T) {
	bubble(t, CacheConfig{}, 2*time.Second, func(t *testing.T, s *service, get func() (string, error)) {
		want(t, get, "v#1")
		time.Sleep(89 * time.Second) // 91 s: less than a tenth
		start := time.Now()
		want(t, get, "v#2")
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestCache_AheadAndMinLeft(t *testing.T) {
	bubble(t, CacheConfig{Ahead: 40 * time.Second, MinLeft: 30 * time.Second}, time.Second, func(t *testing.T, s *service, get func() (string, error)) {
		want(t, get, "v#1")
		time.Sleep(58 * time.Second) // 59 s
		want(t, get, "v#1")
		time.Sleep(12 * time.Second) // 71 s
		want(t, get, "v#2")
		require.EqualValues(t, 2, s.calls.Load())
	})
}

// Limits that are larger than the time of a response do not make every Get a call.
func TestCache_LimitsBeyondTheTime(t *testing.T) {
	bubble(t, CacheConfig{Ahead: time.Hour, MinLeft: time.Hour}, 0, func(t *testing.T, s *service, get func() (string, error)) {
		want(t, get, "v#1")
		time.Sleep(49 * time.Second)
		want(t, get, "v#1")
		time.Sleep(2 * time.Second)
		want(t, get, "v#2")
	})
}

func TestCache_MaxAge(t *testing.T) {
	bubble(t, CacheConfig{MaxAge: 10 * time.Second}, 0, func(t *testing.T, s *service, get func() (string, error)) {
		want(t, get, "v#1")
		time.Sleep(11 * time.Second)
		want(t, get, "v#2")
		s.fail(errors.New("out of order"))
		time.Sleep(50 * time.Second)
		want(t, get, "v#2") // older than MaxAge, and valid
	})
}

func TestCache_AFailingRenewalServesTheValidOne(t *testing.T) {
	bubble(t, CacheConfig{}, 0, func(t *testing.T, s *service, get func() (string, error)) {
		want(t, get, "v#1")
		broken := errors.New("out of order")
		s.fail(broken)
		time.Sleep(70 * time.Second)
		for range 100 {
			want(t, get, "v#1")
			synctest.Wait()
		}
		require.EqualValues(t, 2, s.calls.Load(), "one attempt, and then a pause")
		for range 25 {
			time.Sleep(time.Second)
			want(t, get, "v#1") // also with less than a tenth left
			synctest.Wait()
		}
		require.Greater(t, s.calls.Load(), int64(4))
		require.Less(t, s.calls.Load(), int64(20))
		time.Sleep(5 * time.Second) // 100 s
		_, err := get()
		require.ErrorIs(t, err, broken)
		s.fail(nil)
		got, err := get()
		require.NoError(t, err, "errors are not kept")
		require.NotEqual(t, "v#1", got)
	})
}

func TestCache_ForgetsAnAssetThatMustNotBePlayed(t *testing.T) {
	for _, code := range []string{"InvalidVideo.NotFound", "Forbidden.IllegalStatus"} {
		t.Run(code, func(t *testing.T) {
			bubble(t, CacheConfig{}, 0, func(t *testing.T, s *service, get func() (string, error)) {
				want(t, get, "v#1")
				s.fail(&alimedia.Error{Code: code, StatusCode: 404})
				time.Sleep(70 * time.Second)
				want(t, get, "v#1") // renewed in the background
				synctest.Wait()
				_, err := get()
				require.True(t, alimedia.HasCode(err, code))
				s.fail(nil)
				time.Sleep(time.Second)
				_, err = get()
				require.NoError(t, err)
				s.fail(&alimedia.Error{Code: code, StatusCode: 404})
				time.Sleep(95 * time.Second) // waits for the renewal
				_, err = get()
				require.True(t, alimedia.HasCode(err, code))
			})
		})
	}
}

func TestCache_OneCallForAllWhoAsk(t *testing.T) {
	bubble(t, CacheConfig{}, time.Second, func(t *testing.T, s *service, get func() (string, error)) {
		for round := range 2 {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { want(t, get, fmt.Sprint("v#", round+1)) })
			}
			wg.Wait()
			require.EqualValues(t, round+1, s.calls.Load())
			time.Sleep(time.Hour)
		}
	})
}

func TestCache_ACallerLeavesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{delay: 10 * time.Second}
		c := VODPlayAuth(s, CacheConfig{})
		defer c.Close()
		cause := errors.New("the viewer has left")
		first, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { leave(cause) })
		var wg sync.WaitGroup
		wg.Go(func() {
			start := time.Now()
			_, err := c.Get(first, video)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			require.Equal(t, time.Second, time.Since(start))
		})
		synctest.Wait()
		got, err := c.Get(t.Context(), video)
		require.NoError(t, err)
		require.Equal(t, "v#1", got.Response.PlayAuth.Reveal())
		wg.Wait()
		_, err = c.Get(first, video)
		require.ErrorIs(t, err, context.Canceled, "also for what is in the cache")
		require.EqualValues(t, 1, s.calls.Load())
	})
}

func TestCache_Timeout(t *testing.T) {
	bubble(t, CacheConfig{Timeout: 5 * time.Second}, time.Hour, func(t *testing.T, s *service, get func() (string, error)) {
		start := time.Now()
		_, err := get()
		require.ErrorIs(t, err, errSlow)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestCache_Bounded(t *testing.T) {
	t.Parallel()
	s := &service{}
	c := VODPlayAuth(s, CacheConfig{MaxEntries: 3})
	defer c.Close()
	get := func(id string) {
		_, err := c.Get(t.Context(), vod.GetVideoPlayAuthRequest{VideoId: id})
		require.NoError(t, err)
	}
	for _, id := range []string{"a", "b", "c", "a", "d"} { // b is the one not used for the longest time
		get(id)
	}
	require.Len(t, c.entries, 3)
	require.Equal(t, 3, c.used.Len())
	for _, id := range []string{"a", "c", "d"} {
		get(id)
	}
	require.EqualValues(t, 4, s.calls.Load())
	get("b")
	require.EqualValues(t, 5, s.calls.Load())
	c.Forget(vod.GetVideoPlayAuthRequest{VideoId: "b"})
	get("b")
	require.EqualValues(t, 6, s.calls.Load())
	require.Equal(t, "playurl.Cache(3 entries)", fmt.Sprintf("%+v", c))
}

func TestCache_Close(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{delay: time.Hour}
		c := VODPlayAuth(s, CacheConfig{})
		time.AfterFunc(time.Second, c.Close)
		_, err := c.Get(t.Context(), video)
		require.ErrorIs(t, err, context.Canceled)
		_, err = c.Get(t.Context(), video)
		require.Equal(t, errClosed, err)
		c.Close()
	})
}

// Requests that differ in any field, secrets included, have responses of their own.
func TestCache_TheKeyHasAllFields(t *testing.T) {
	t.Parallel()
	requests := []vod.GetPlayInfoRequest{
		{VideoId: "v"}, {ReferenceId: "v"}, {VideoId: "v", AuthTimeout: 60}, {VideoId: "v", Definition: "HD"}, {VideoId: "v", Formats: "mp4"},
		{VideoId: "v", OutputType: "oss"}, {VideoId: "v", StreamType: "audio"}, {VideoId: "v", ResultType: "Multiple"}, {VideoId: "v", AdditionType: "danmu"},
		{VideoId: "v", Trace: "x", DigitalWatermarkType: "TraceMark"}, {VideoId: "v", CodecName: "H265"},
		{VideoId: "v", ReAuthInfo: vod.ReAuthInfo{Uid: "1"}}, {VideoId: "v", ReAuthInfo: vod.ReAuthInfo{Uid: "2"}},
		{VideoId: "v", PlayConfig: vod.PlayConfig{PlayDomain: "a"}}, {VideoId: "v", PlayConfig: vod.PlayConfig{PlayDomain: "b"}},
		{VideoId: "v", PlayConfig: vod.PlayConfig{MtsHlsUriToken: "one"}}, {VideoId: "v", PlayConfig: vod.PlayConfig{MtsHlsUriToken: "two"}},
		{VideoId: "v", PlayConfig: vod.PlayConfig{Raw: `{"PlayDomain":"c"}`}},
	}
	g := &playInfos{}
	c := VODPlayInfo(g, CacheConfig{})
	defer c.Close()
	for range 2 {
		for _, req := range requests {
			got, err := c.Get(t.Context(), req)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(req.VideoId, req.ReferenceId), got.Response.VideoBase.VideoId)
		}
	}
	require.EqualValues(t, len(requests), g.calls.Load())
}

// The end of a URL that was just signed is not known without the TTL of the console.
func TestCache_DoesNotKeepWhatHasNoKnownEnd(t *testing.T) {
	t.Parallel()
	for ttl, calls := range map[time.Duration]int64{0: 3, time.Hour: 1} {
		g := &playInfos{url: func() string {
			return fmt.Sprintf("http://play.example.com/a.mp4?auth_key=%d-0-0-%s", time.Now().Unix(), digest)
		}}
		c := VODPlayInfo(g, CacheConfig{TTL: ttl})
		defer c.Close()
		for range 3 {
			got, err := c.Get(t.Context(), vod.GetPlayInfoRequest{VideoId: "v"})
			require.NoError(t, err)
			require.Equal(t, ttl == 0, got.Expires.IsZero())
		}
		require.Equal(t, calls, g.calls.Load())
	}
}

// The credential says when it expires, and is believed if that is before the
// documented time.
func TestCache_TheCredentialSaysWhenItExpires(t *testing.T) {
	t.Parallel()
	for lasts, want := range map[time.Duration]time.Duration{50 * time.Second: 50 * time.Second, time.Hour: 100 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			c := VODPlayAuth(fixedAuth(encodedAuth(start.Add(lasts))), CacheConfig{})
			defer c.Close()
			got, err := c.Get(t.Context(), video)
			require.NoError(t, err)
			require.True(t, start.Add(want).Equal(got.Expires), "%v", got.Expires.Sub(start))
		})
	}
}

type fixedAuth alimedia.Secret

func (a fixedAuth) GetVideoPlayAuth(context.Context, vod.GetVideoPlayAuthRequest) (*vod.GetVideoPlayAuthResponse, error) {
	return &vod.GetVideoPlayAuthResponse{PlayAuth: alimedia.Secret(a)}, nil
}

func encodedAuth(until time.Time) string {
	return base64.StdEncoding.EncodeToString([]byte(`{"AuthInfo":"{\"ExpireTime\":\"` + until.UTC().Format(time.RFC3339) + `\"}"}`))
}

type playInfos struct {
	calls atomic.Int64
	url   func() string
}

func (g *playInfos) GetPlayInfo(_ context.Context, req vod.GetPlayInfoRequest) (*vod.GetPlayInfoResponse, error) {
	g.calls.Add(1)
	out := &vod.GetPlayInfoResponse{}
	out.VideoBase.VideoId = req.VideoId + req.ReferenceId
	out.PlayInfoList.PlayInfo = []vod.PlayInfo{{PlayURL: "http://play.example.com/a.mp4"}}
	if g.url != nil {
		out.PlayInfoList.PlayInfo[0].PlayURL = g.url()
	}
	return out, nil
}

func TestCache_ResponsesAreCopies(t *testing.T) {
	t.Parallel()
	c := VODPlayInfo(&playInfos{}, CacheConfig{})
	defer c.Close()
	for range 3 {
		got, err := c.Get(t.Context(), vod.GetPlayInfoRequest{VideoId: "v"})
		require.NoError(t, err)
		require.Equal(t, "http://play.example.com/a.mp4", got.Response.PlayInfoList.PlayInfo[0].PlayURL)
		require.Zero(t, got.Expires)
		got.Response.PlayInfoList.PlayInfo[0].PlayURL = "changed"
		got.Response.VideoBase.VideoId = "changed"
	}
}

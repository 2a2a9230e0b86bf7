package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

var ctx = context.Background()

// signers lists who signed the successful requests of an operation, in order.
func (r *rig) signers(operation string) []string {
	var ids []string
	for _, q := range r.Requests() {
		if q.Operation == operation && q.Status/100 == 2 {
			ids = append(ids, q.AccessKeyId)
		}
	}
	return ids
}

func distinct(ids []string) int {
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	return len(seen)
}

func TestUpload_B01_RefreshedOnceAheadOfTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) {
			c.Parallel = 8
			c.StallTimeout = time.Hour
		}, mediatest.InMemory())
		// 32 parts, 8 at once, 700 s each: the credential is due at 2400 s and
		// the fourth round begins at 2100 s, the completion at 2800 s.
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 700 * time.Second})
		data := random(40 * 100 * kib)
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, 5*700*time.Second, time.Since(start))
		require.Equal(t, 1, r.Calls("RefreshUploadVideo"), "eight workers, one refresh")
		require.Equal(t, 40, r.Calls("UploadPart"), "no part was refused")
		ids := r.signers("UploadPart")
		require.Equal(t, 2, distinct(ids))
		require.Equal(t, 1, distinct(ids[:32]))
		require.Equal(t, 1, distinct(ids[32:]), "after the refresh nobody signs with the old token")
		require.Equal(t, ids[32:33], r.signers("CompleteMultipartUpload"))
		require.Len(t, r.Medias(), 1)
	})
}

func TestUpload_B02_DeadTokenOnOnePart(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"SecurityTokenExpired", "InvalidSecurityToken", "InvalidAccessKeyId"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.Parallel = 1 })
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3, Status: 403, Code: code})
			data := random(550 * kib)
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Equal(t, 1, r.Calls("RefreshUploadVideo"))
			require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
			require.Equal(t, 6+1, r.Calls("UploadPart"), "only the refused part is sent again")
		})
	}
}

func TestUpload_B02_AllWorkersRefusedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.Parallel = 8 })
	var once sync.Once
	data := random(30 * 100 * kib)
	src := ReaderAt("movie.mp4", readerAtFunc(func(p []byte, off int64) (int, error) {
		if off > 1000*kib && off < int64(len(data)) {
			once.Do(r.ExpireCredentials)
		}
		return bytes.NewReader(data).ReadAt(p, off)
	}), int64(len(data)))
	res, err := r.Upload(ctx, src, ICEMedia{})
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, 1, r.Calls("RefreshUploadMedia"))
	require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
}

type readerAtFunc func(p []byte, off int64) (int, error)

func (f readerAtFunc) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

func TestUpload_B03_RefreshFailsWhileOldTokenLives(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault mediatest.Fault
		calls int
	}{
		// The client tries four times; the grant asks again 5 s, 10 s, 20 s ... later.
		{"transient", mediatest.Fault{Status: 503, Code: "ServiceUnavailable", Times: 4}, 5},
		{"for good", mediatest.Fault{Status: 403, Code: "Forbidden.RAM", Times: mediatest.Always}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) {
					c.Parallel = 1
					c.StallTimeout = time.Hour
				}, mediatest.InMemory())
				tt.fault.Operation = "RefreshUploadVideo"
				r.Fault(tt.fault, mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 490 * time.Second})
				data := random(600 * kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, tt.calls, r.Calls("RefreshUploadVideo"))
			})
		})
	}
}

func TestUpload_B03_RefreshFailsForGood(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, ExpiredToken: true},
		mediatest.Fault{Operation: "RefreshUploadVideo", Status: 404, Code: "InvalidVideo.NotFound"})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
	e := failed(t, res, err)
	require.True(t, alimedia.HasCode(err, "InvalidVideo.NotFound"))
	require.Equal(t, StageSend, e.Stage)
	require.NotEmpty(t, e.MediaId)
	require.NotEmpty(t, e.UploadId)
	require.ErrorContains(t, err, "refresh the upload credential")
}

func TestUpload_B04_RefreshChangesAddress(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"Bucket", "FileName"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			issued := 0
			r := newRig(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
				if issued++; issued > 1 {
					address[field] = "something-else"
				}
				return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
			}))
			r.CreateBucket("something-else")
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3, ExpiredToken: true})
			res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrAddressChanged)
			require.Equal(t, StageSend, e.Stage)
			for _, q := range r.Requests() {
				require.NotEqual(t, "something-else", q.Bucket)
				require.NotEqual(t, "something-else", q.Key)
			}
		})
	}
}

func TestUpload_B05_TokenEndsDuringRequest(t *testing.T) {
	t.Parallel()
	for _, fault := range []mediatest.Fault{
		{Operation: "UploadPart", Nth: 2, AfterBytes: 60 * kib, ExpiredToken: true},
		{Operation: "CompleteMultipartUpload", ExpiredToken: true},
		{Operation: "InitiateMultipartUpload", ExpiredToken: true},
	} {
		t.Run(fault.Operation, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.Fault(fault)
			data := random(600 * kib)
			res, err := r.Upload(ctx, Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Equal(t, 1, r.Calls("RefreshUploadVideo"))
			require.Equal(t, 8+1, r.Calls("InitiateMultipartUpload")+r.Calls("UploadPart")+r.Calls("CompleteMultipartUpload"), "one request is repeated")
		})
	}
}

func TestUpload_B05_PutObject(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.Fault(mediatest.Fault{Operation: "PutObject", AfterBytes: 10 * kib, ExpiredToken: true})
	data := random(50 * kib)
	res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, 1, r.Calls("RefreshUploadVideo"))
}

func TestUpload_B06_WrongLocalClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-2 * time.Hour, -40 * time.Minute, 40 * time.Minute, 2 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.SetClockSkew(skew)
			data := random(600 * kib)
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
			require.LessOrEqual(t, r.Calls("RefreshUploadVideo"), 1)
		})
	}
}

func TestUpload_B07_NoRefreshOperation(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{
		"image.png": VODImage{},
		"mark.gif":  VODAttachedMedia{BusinessType: "watermark"},
		"yike.mp4":  YikeAsset{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, ExpiredToken: true})
			res, err := r.Upload(ctx, bytesSource(name, random(600*kib)), target)
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrCredentialExpired)
			require.Equal(t, StageSend, e.Stage)
			require.LessOrEqual(t, len(r.Medias()), 1, "never a second asset")
		})
	}
}

func TestUpload_B07_KnownExpiryIsNotTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Parallel, c.StallTimeout = 1, time.Hour }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, Delay: 2900 * time.Second}, mediatest.Fault{Operation: "UploadPart", Nth: 3, Delay: 101 * time.Second})
		res, err := r.Upload(ctx, bytesSource("image.png", random(600*kib)), VODImage{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrCredentialExpired)
		require.Equal(t, 3, r.Calls("UploadPart"))
	})
}

// TestUpload_B08_NoSecrets looks for every secret ever issued in everything
// that an upload says.
func TestUpload_B08_NoSecrets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var secrets []string
	keep := func(address, auth map[string]any) (string, string) {
		a, b := mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		mu.Lock()
		defer mu.Unlock()
		secrets = append(secrets, auth["AccessKeySecret"].(string), auth["SecurityToken"].(string), b)
		return a, b
	}
	var log bytes.Buffer
	r := newRig(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Retry.MaxAttempts = 2
	}, mediatest.EncodeUpload(keep))
	secrets = append(secrets, r.Server.Credentials().AccessKeySecret)

	said := []string{fmt.Sprintf("%v %+v %#v %s", r.Uploader, r.Uploader, r.Uploader, r.Uploader)}
	for _, fault := range []mediatest.Fault{
		{Operation: "UploadPart", ExpiredToken: true, Times: mediatest.Always},
		{Operation: "UploadPart", Status: 403, Code: "SignatureDoesNotMatch", Times: mediatest.Always},
		{Operation: "UploadPart", Reset: true, Times: mediatest.Always},
		{Operation: "UploadPart", Body: "<html>gateway</html>", Times: mediatest.Always},
		{Operation: "InitiateMultipartUpload", Status: 403, Code: "AccessDenied", Times: mediatest.Always},
		{Operation: "RefreshUploadVideo", Status: 400, Code: "InvalidParameter"},
	} {
		r.ClearFaults()
		r.Fault(fault, mediatest.Fault{Operation: "UploadPart", Nth: 2, ExpiredToken: true})
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
		e := failed(t, res, err)
		for cause := error(e); cause != nil; cause = errors.Unwrap(cause) {
			text, _ := json.Marshal(cause)
			said = append(said, fmt.Sprintf("%v %+v %#v %s", cause, cause, cause, text))
		}
	}
	var p place
	_, err := r.granted(p, secrets[2], secrets[2], nil)
	said = append(said, err.Error(), log.String())
	mu.Lock()
	defer mu.Unlock()
	require.Greater(t, len(secrets), 12)
	for _, secret := range secrets {
		for _, text := range said {
			require.NotContains(t, text, secret)
		}
	}
	require.NotContains(t, strings.Join(said, " "), "Signature=")
	require.Contains(t, log.String(), "request failed, trying again")
}

func TestUpload_B08_EchoedTokenIsCutOut(t *testing.T) {
	t.Parallel()
	var token string
	r := newRig(t, func(c *Config) {
		base := c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.Method != http.MethodPut {
				return base.RoundTrip(q)
			}
			token = q.Header.Get("X-Oss-Security-Token")
			body := "<Error><Code>AccessDenied</Code><Message>the token " + token + " is bad" + strings.Repeat("!", 4000) + "</Message><SecurityToken>" + token + "</SecurityToken></Error>"
			return &http.Response{StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: q}, nil
		})}
	})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
	e := failed(t, res, err)
	require.NotEmpty(t, token)
	require.NotContains(t, fmt.Sprintf("%+v %#v", e, e.Err), token)
	require.ErrorContains(t, err, "the token *** is bad!!!")
	require.Less(t, len(err.Error()), 1024)
	require.True(t, alimedia.IsAccessDenied(err))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUpload_B11_SkewedClock(t *testing.T) {
	t.Parallel()
	for _, size := range []int{50 * kib, 900 * kib} {
		r := newRig(t, func(c *Config) { c.Parallel = 4 })
		r.SetClockSkew(time.Hour)
		data := random(size)
		for range 2 {
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
		}
		refused := 0
		for _, q := range r.Requests() {
			if q.Code == "RequestTimeTooSkewed" {
				refused++
			}
		}
		require.Equal(t, 1, refused, "the correction serves the following requests and uploads")
	}
}

func TestUpload_B11_SkewIsMendedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.Fault(mediatest.Fault{Operation: "PutObject", Status: 403, Code: "RequestTimeTooSkewed", Times: mediatest.Always})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
	failed(t, res, err)
	require.True(t, alimedia.HasCode(err, "RequestTimeTooSkewed"))
	require.Equal(t, 2, r.Calls("PutObject"))
}

func TestGrant_ShortLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// A life of 100 s is less than the 300 s of reserve: half of it serves.
		issued := 0
		renew := func(context.Context) (permit, error) {
			issued++
			return permit{life: 100 * time.Second, keys: credentials.Credentials{AccessKeyId: fmt.Sprint(issued)}}, nil
		}
		g := newGrant(permit{life: 100 * time.Second}, renew, slog.New(slog.DiscardHandler))
		for range 100 {
			_, err := g.Credentials(ctx)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.Equal(t, 1, issued)
	})
}

func TestGrant_CancelledWhileAnotherAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		renew := func(context.Context) (permit, error) {
			<-release
			return permit{life: time.Hour, keys: credentials.Credentials{AccessKeyId: "new"}}, nil
		}
		g := newGrant(permit{}, renew, slog.New(slog.DiscardHandler))
		go func() { _, _ = g.Credentials(ctx) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := g.Credentials(ctx)
		require.ErrorIs(t, err, context.Canceled)
		close(release)
	})
}

package upload

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

var ctx = context.Background()

// parallelUploads is how many workers the tests of credentials let loose at once.
const parallelUploads = 16

// inParallel runs test in a bubble, where time is made of sleeps, with parallelUploads
// workers and without the watch for stalls.
func inParallel(t *testing.T, test func(*testing.T, *env), opts ...mediatest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newEnv(t, func(c *Config) {
			c.Parallel, c.StallTimeout = parallelUploads, 24*time.Hour
		}, append(opts, mediatest.InMemory())...))
	})
}

// sendings counts how often each part was sent.
func (r *env) sendings() map[string]int {
	count := map[string]int{}
	for _, q := range r.Requests() {
		if q.Operation == "UploadPart" {
			count[q.Params.Get("partNumber")]++
		}
	}
	return count
}

func TestUpload_B02_RefusedForGood(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		r.Fault(mediatest.Fault{Operation: "PutObject", ExpiredToken: true, Times: 50})
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "SecurityTokenExpired"))
		require.Equal(t, 2, r.Calls("RefreshUploadVideo"), "new ones do not help")
	})
}

type readerAtFunc func(p []byte, off int64) (int, error)

func (f readerAtFunc) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

// TestUpload_B03_RefreshFailsAfterTheEnd: the old token is dead, the service
// busy for longer than its client is patient.
func TestUpload_B03_RefreshFailsAfterTheEnd(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, ExpiredToken: true},
			mediatest.Fault{Operation: "RefreshUploadVideo", Status: 503, Code: "ServiceUnavailable", Times: 10})
		data := random(4000 * kib)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, 11, r.Calls("RefreshUploadVideo"))
		require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
	})
}

func TestUpload_B03_RefreshFailsForGood(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second},
			mediatest.Fault{Operation: "RefreshUploadVideo", Status: 404, Code: "InvalidVideo.NotFound"})
		data, dir := random(4000*kib), t.TempDir()
		file := writeFile(t, "movie.mp4", data)
		expire := time.AfterFunc(1500*time.Millisecond, r.ExpireCredentials)
		defer expire.Stop()
		res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
		e := failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "InvalidVideo.NotFound"))
		require.ErrorContains(t, err, "refresh the upload credential")
		require.Equal(t, StageSend, e.Stage)
		require.NotEmpty(t, e.MediaId)
		require.NotEmpty(t, e.UploadId)
		require.EqualValues(t, parallelUploads*100*kib, e.Sent)

		r.ClearFaults()
		res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, e.MediaId, res.MediaId)
		require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
	})
}

// elsewhere makes every response but the first name another object.
func elsewhere(field string) mediatest.Option {
	issued := 0
	return mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		if issued++; issued > 1 {
			address[field] = "something-else"
		}
		return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
	})
}

func (r *env) notElsewhere(t *testing.T) {
	t.Helper()
	for _, q := range r.Requests() {
		require.NotEqual(t, "something-else", q.Bucket)
		require.NotEqual(t, "something-else", q.Key)
	}
	require.Zero(t, r.Calls("CompleteMultipartUpload"))
}

func TestUpload_B04_RefreshChangesAddress(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"Bucket", "FileName"} {
		for when, fault := range map[string]mediatest.Fault{
			"refused":       {Operation: "UploadPart", Nth: 3, ExpiredToken: true},
			"ahead of time": {Operation: "UploadPart", Times: mediatest.Always, Delay: 2500 * time.Second},
		} {
			t.Run(field+" "+when, func(t *testing.T) {
				t.Parallel()
				inParallel(t, func(t *testing.T, r *env) {
					r.CreateBucket("something-else")
					r.Fault(fault)
					res, err := r.Upload(ctx, bytesSource("movie.mp4", random(4000*kib)), VODVideo{})
					e := failed(t, res, err)
					require.ErrorIs(t, err, ErrAddressChanged)
					require.Equal(t, StageSend, e.Stage)
					r.notElsewhere(t)
				}, elsewhere(field))
			})
		}
	}
}

func TestUpload_B04_NotAskedAgain(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		r.Fault(mediatest.Fault{Operation: "PutObject", ExpiredToken: true})
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrAddressChanged)
		require.Equal(t, 1, r.Calls("RefreshUploadVideo"))
	}, elsewhere("FileName"))
}

func TestUpload_B04_ResumedElsewhere(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"Bucket", "FileName"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				r.CreateBucket("something-else")
				r.Fault(stopAt("UploadPart", 20))
				dir, file := t.TempDir(), writeFile(t, "movie.mp4", random(4000*kib))
				res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
				failed(t, res, err)
				synctest.Wait() // until the last of what was cut off has come in
				r.ClearFaults()
				sent := r.Calls("UploadPart")
				res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
				e := failed(t, res, err)
				require.ErrorIs(t, err, ErrAddressChanged)
				require.Equal(t, r.Medias()[0].MediaId, e.MediaId)
				require.Equal(t, sent, r.Calls("UploadPart"))
				r.notElsewhere(t)
			}, elsewhere(field))
		})
	}
}

func TestUpload_B05_PutObject(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		r.Fault(mediatest.Fault{Operation: "PutObject", AfterBytes: 10 * kib, Times: parallelUploads, Delay: time.Minute, ExpiredToken: true})
		var wg sync.WaitGroup
		for i := range parallelUploads {
			wg.Go(func() {
				data := random(50*kib + i)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				if err != nil {
					t.Error(err)
					return
				}
				r.stored(t, res, data)
			})
		}
		wg.Wait()
		require.Equal(t, parallelUploads, r.Calls("RefreshUploadVideo"))
		require.Equal(t, 2*parallelUploads, r.Calls("PutObject"))
	})
}

func TestUpload_B06_WrongLocalClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-2 * time.Hour, -40 * time.Minute, -10 * time.Minute, 10 * time.Minute, 40 * time.Minute, 2 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				r.SetClockSkew(skew)
				data := random(4000 * kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.LessOrEqual(t, r.Calls("RefreshUploadVideo"), 1)
			})
		})
	}
}

// TestUpload_B06_TimeOfTheServer: once the store has told its time, ExpireUTCTime
// is read by that.
func TestUpload_B06_TimeOfTheServer(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		r.SetClockSkew(-40 * time.Minute)
		_, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		require.NoError(t, err)
		// Three rounds of 700 s are within the 2400 s after which a credential
		// is due, but not within the 600 s which the local clock would see.
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 700 * time.Second})
		data := random(3 * parallelUploads * 100 * kib)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Zero(t, r.Calls("RefreshUploadVideo"))
		// So it is with the credential that a refresh brings.
		res, err = r.Upload(ctx, bytesSource("movie.mp4", append(data, data...)), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, append(data, data...))
		require.Equal(t, 1, r.Calls("RefreshUploadVideo"))
	})
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
			inParallel(t, func(t *testing.T, r *env) {
				r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 20, ExpiredToken: true})
				res, err := r.Upload(ctx, bytesSource(name, random(4000*kib)), target)
				e := failed(t, res, err)
				require.ErrorIs(t, err, ErrCredentialExpired)
				require.Equal(t, StageSend, e.Stage)
				require.Equal(t, 1, r.Calls("CreateUploadImage")+r.Calls("CreateUploadAttachedMedia")+r.Calls("CreateYikeAssetUpload"), "never a second asset")
				require.LessOrEqual(t, len(r.Medias()), 1)
				require.Empty(t, r.Objects(r.StorageBucket()))
			})
		})
	}
}

func TestUpload_B07_KnownExpiryIsNotTried(t *testing.T) {
	t.Parallel()
	inParallel(t, func(t *testing.T, r *env) {
		slow := readerFunc(func([]byte) (int, error) {
			time.Sleep(3001 * time.Second)
			return 0, io.EOF
		})
		data := random(2000 * kib)
		camera := io.MultiReader(bytes.NewReader(data), slow, bytes.NewReader(data))
		res, err := r.Upload(ctx, Reader("image.png", camera, UnknownSize), VODImage{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrCredentialExpired)
		require.Equal(t, 20, r.Calls("UploadPart"))
		for _, q := range r.Requests() {
			require.Empty(t, q.Code, "nothing was sent that was going to be refused")
		}
	})
}

// signatureOf is the signature of a request to the store, by either scheme.
func signatureOf(q *http.Request) string {
	text := q.Header.Get("Authorization")
	if _, v4, ok := strings.Cut(text, "Signature="); ok {
		return v4
	}
	_, v1, _ := strings.Cut(text, ":")
	return v1
}

// TestUpload_B08_NoSecrets looks for every secret and every signature in all
// that an upload says and leaves behind.
func TestUpload_B08_NoSecrets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var secrets []string
	keep := func(text ...string) {
		mu.Lock()
		defer mu.Unlock()
		secrets = append(secrets, text...)
	}
	issue := mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		a, b := mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		keep(auth["AccessKeySecret"].(string), auth["SecurityToken"].(string), b)
		return a, b
	})
	inParallel(t, func(t *testing.T, r *env) {
		var log bytes.Buffer
		r.reset(func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		r.cfg.Retry.MaxAttempts = 3
		r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
			keep(signatureOf(q))
			return base.RoundTrip(q)
		})
		keep(r.Server.Credentials().AccessKeySecret)

		said := []string{fmt.Sprintf("%v %+v %#v %s", r.Uploader, r.Uploader, r.Uploader, r.Uploader)}
		dir := t.TempDir()
		for i, fault := range []mediatest.Fault{
			{Operation: "UploadPart", ExpiredToken: true, Times: mediatest.Always},
			{Operation: "UploadPart", Status: 403, Code: "SignatureDoesNotMatch", Times: mediatest.Always},
			{Operation: "UploadPart", Reset: true, Times: mediatest.Always},
			{Operation: "UploadPart", Foreign: &mediatest.Response{Status: 502, Body: "<html>gateway</html>"}, Times: mediatest.Always},
			{Operation: "InitiateMultipartUpload", Status: 403, Code: "AccessDenied", Times: mediatest.Always},
			{Operation: "CompleteMultipartUpload", Reset: true, Times: mediatest.Always},
			{Operation: "RefreshUploadVideo", Status: 400, Code: "InvalidParameter"},
		} {
			r.ClearFaults()
			r.Fault(fault, mediatest.Fault{Operation: "UploadPart", Nth: 20, ExpiredToken: true})
			file := writeFile(t, fmt.Sprintf("movie%d.mp4", i), random(4000*kib))
			res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
			e := failed(t, res, err)
			for cause := error(e); cause != nil; cause = errors.Unwrap(cause) {
				text, _ := json.Marshal(cause)
				said = append(said, fmt.Sprintf("%v %+v %#v %s", cause, cause, cause, text))
			}
			for _, name := range checkpoints(t, dir) {
				text, err := os.ReadFile(name)
				require.NoError(t, err)
				said = append(said, string(text))
			}
		}
		require.NotEmpty(t, checkpoints(t, dir))
		// The region of a signature is wrong: the store answers with what it
		// has computed itself.
		r.ClearFaults()
		r.cfg.OSSRegion = "cn-beijing"
		_, err := r.Upload(ctx, bytesSource("movie.mp4", random(4000*kib)), ICEMedia{})
		said = append(said, err.Error(), fmt.Sprintf("%+v", err))

		for _, auth := range []string{secrets[3], secrets[3] + "!", base64.StdEncoding.EncodeToString([]byte(secrets[1])), secrets[3][:len(secrets[3])/4*4-8]} {
			_, err := r.withCredential(destination{}, secrets[3], auth, nil)
			require.ErrorIs(t, err, ErrAddress)
			said = append(said, err.Error())
		}
		synctest.Wait()
		said = append(said, log.String())
		require.Greater(t, len(secrets), 100)
		for _, secret := range slices.Compact(slices.Sorted(slices.Values(secrets))) {
			for _, text := range said {
				require.Greater(t, len(secret), 20)
				if strings.Contains(text, secret) {
					t.Fatalf("%q was said: %.2000s", secret, text)
				}
			}
		}
		require.NotContains(t, strings.Join(said, " "), "Signature=")
		require.Contains(t, log.String(), "request failed, retrying")
		require.Contains(t, log.String(), "credential refreshed")
	}, issue)
}

func TestUpload_B08_EchoedTokenIsCutOut(t *testing.T) {
	t.Parallel()
	var token, signature string
	r := newEnv(t, func(c *Config) {
		base := c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.Method != http.MethodPut {
				return base.RoundTrip(q)
			}
			token = q.Header.Get("X-Oss-Security-Token")
			signature = signatureOf(q)
			body := "<Error><SignatureProvided>" + signature + "</SignatureProvided><Code>AccessDenied</Code><HostId>" + token + "</HostId><RequestId>" + token + "</RequestId><Message>the token " + token + " is bad" + strings.Repeat("!", 4000) + "</Message><SecurityToken>" + token + "</SecurityToken></Error>"
			return &http.Response{StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: q}, nil
		})}
	})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
	e := failed(t, res, err)
	require.NotEmpty(t, token)
	require.NotEmpty(t, signature)
	require.NotContains(t, fmt.Sprintf("%+v %#v", e, e.Err), signature)
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
		r := newEnv(t, func(c *Config) { c.Parallel = 4 })
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
	r := newEnv(t, nil)
	r.Fault(mediatest.Fault{Operation: "PutObject", Status: 403, Code: "RequestTimeTooSkewed", Times: 50})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
	failed(t, res, err)
	require.True(t, alimedia.HasCode(err, "RequestTimeTooSkewed"))
	require.Equal(t, 2, r.Calls("PutObject"))
}

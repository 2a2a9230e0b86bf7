package upload

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/stretchr/testify/require"
)

// newBucketEnv lets uploads to an own bucket go to the fake.
func newBucketEnv(t *testing.T, opts ...mediatest.Option) *env {
	r := newEnv(t, nil, opts...)
	r.Uploader.cfg.OSSEndpoint = r.URL
	r.CreateBucket("own-bucket")
	return r
}

func TestUpload_BucketWithoutRegistration(t *testing.T) {
	t.Parallel()
	r := newBucketEnv(t)
	data := random(350 * kib)
	res, err := r.Upload(ctx, bytesSource("a.bin", data), Bucket{Name: "own-bucket", Region: "cn-shanghai"})
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Empty(t, res.MediaId)
	require.Equal(t, "https://own-bucket.oss-cn-shanghai.aliyuncs.com/a.bin", res.FileURL)
}

// TestUpload_B36_LongestKey: the store takes 1023 bytes.
func TestUpload_B36_LongestKey(t *testing.T) {
	t.Parallel()
	r := newBucketEnv(t)
	target := Bucket{Name: "own-bucket", Region: "cn-shanghai"}
	name := strings.Repeat("a", 1023-4) + ".mp4"
	data := random(kib)
	res, err := r.Upload(ctx, bytesSource(name, data), target)
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, name, res.Key)
	res, err = r.Upload(ctx, bytesSource("a"+name, data), target)
	failed(t, res, err)
	require.ErrorContains(t, err, "1024 bytes, at most 1023")
	require.Equal(t, 1, r.Calls("PutObject"))
}

// refuseCallbacks makes the store's callbacks fail.
func (r *env) refuseCallbacks() {
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		response, err := base.RoundTrip(q)
		commits := q.Method == http.MethodPut && !q.URL.Query().Has("uploadId") || q.Method == http.MethodPost && q.URL.Query().Has("uploadId")
		if err == nil && commits {
			response.StatusCode = http.StatusNonAuthoritativeInfo
			response.Body.Close()
			body := bytes.NewBufferString("<Error><Code>CallbackFailed</Code><Message>Response body is not valid json format.</Message></Error>")
			response.ContentLength, response.Body = int64(body.Len()), io.NopCloser(body)
		}
		return response, err
	})
}

func TestUpload_B37_CallbackFailed(t *testing.T) {
	t.Parallel()
	for _, target := range []Target{Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}, VODVideo{}} {
		for _, size := range []int{kib, 600 * kib} {
			r := newBucketEnv(t)
			r.refuseCallbacks()
			data := random(size)
			file, checkpoint := writeFile(t, "a.mp4", data), WithCheckpoint(t.TempDir())
			res, err := r.Upload(ctx, File(file), target, checkpoint)
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrCallback)
			require.True(t, alimedia.HasCode(err, "CallbackFailed"))
			require.True(t, e.Uploaded)
			require.EqualValues(t, size, e.Sent)
			require.Equal(t, StageComplete, e.Stage)
			require.Equal(t, r.Medias()[0].MediaId, e.MediaId, "registered all the same")
			sent := r.Calls("PutObject") + r.Calls("UploadPart")
			require.Equal(t, 1, r.Calls("PutObject")+r.Calls("CompleteMultipartUpload"))

			res, err = r.Upload(ctx, File(file), target, checkpoint)
			require.NoError(t, err, "the callback is behind us")
			r.stored(t, res, data)
			require.Equal(t, e.MediaId, res.MediaId)
			require.Len(t, r.Medias(), 1)
			require.Equal(t, sent, r.Calls("PutObject")+r.Calls("UploadPart"), "nothing is sent again")
			require.LessOrEqual(t, r.Calls("RegisterMediaInfo"), 1)
		}
	}
}

// TestUpload_B47_CredentialsGoNowhereElse: a redirect is a response, not an order.
func TestUpload_B47_CredentialsGoNowhereElse(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(thief.Close)
	for _, status := range []int{301, 302, 307, 308} {
		r := newEnv(t, nil)
		r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
			if q.Method != http.MethodPut {
				return base.RoundTrip(q)
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Location": {thief.URL}}, Body: http.NoBody, Request: q}, nil
		})
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorContains(t, err, fmt.Sprintf("HTTP %d", status))
		require.Zero(t, asked.Load())
	}
}

func TestUpload_B47_Endpoints(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			change func(*Config)
			given  string // Endpoint in UploadAddress
			host   string
			scheme string
			v4     bool
		}{
			"as given":     {nil, "https://oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"http":         {nil, "http://oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"no scheme":    {nil, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"internal":     {func(c *Config) { c.OSSInternal = true }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai-internal.aliyuncs.com", "https", true},
			"same region":  {func(c *Config) { c.LocalRegion = "cn-shanghai" }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai-internal.aliyuncs.com", "https", true},
			"other region": {func(c *Config) { c.LocalRegion = "cn-beijing" }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-cn-shanghai.aliyuncs.com", "https", true},
			"accelerate":   {nil, "oss-accelerate.aliyuncs.com", "BUCKET.oss-accelerate.aliyuncs.com", "https", false},
			"accelerate 2": {func(c *Config) { c.OSSRegion = "cn-shanghai" }, "oss-accelerate.aliyuncs.com", "BUCKET.oss-accelerate.aliyuncs.com", "https", true},
			"twin":         {func(c *Config) { c.OSSEndpoint = "oss-accelerate.aliyuncs.com" }, "oss-cn-shanghai.aliyuncs.com", "BUCKET.oss-accelerate.aliyuncs.com", "https", true},
		} {
			r := newEnv(t, tt.change, mediatest.InMemory(), mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
				address["Endpoint"] = tt.given
				return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
			}))
			r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
				require.Equal(t, strings.ReplaceAll(tt.host, "BUCKET", r.StorageBucket()), q.URL.Host, name)
				require.Equal(t, tt.scheme, q.URL.Scheme, name)
				require.Equal(t, tt.v4, strings.HasPrefix(q.Header.Get("Authorization"), "OSS4-HMAC-SHA256 "), name)
				return base.RoundTrip(q)
			})
			data := random(250 * kib)
			res, err := r.Upload(ctx, bytesSource("a b+ü.mp4", data), VODVideo{})
			require.NoError(t, err, name)
			r.stored(t, res, data)
		}
	})
}

// TestUpload_V4 signs for the region found in FileURL, as the endpoint has none.
func TestUpload_V4(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		require.Contains(t, q.Header.Get("Authorization"), "OSS4-HMAC-SHA256 ")
		return base.RoundTrip(q)
	})
	data := random(250 * kib)
	res, err := r.Upload(ctx, bytesSource("ü +.mp4", data), ICEMedia{})
	require.NoError(t, err)
	r.stored(t, res, data)
	r.Uploader.cfg.OSSRegion = "cn-beijing"
	res, err = r.Upload(ctx, bytesSource("a.mp4", data), ICEMedia{})
	failed(t, res, err)
	require.ErrorContains(t, err, "cn-shanghai", "a forced region is used")
}

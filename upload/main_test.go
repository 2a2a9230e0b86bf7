package upload

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kib = 1 << 10

// env is an uploader before a fake service.
type env struct {
	*mediatest.Server
	*Uploader
	vod *vod.Client
	ice *ice.Client
}

// newEnv cuts files from 200 KiB on into parts of 100 KiB.
func newEnv(t *testing.T, change func(*Config), opts ...mediatest.Option) *env {
	t.Helper()
	r := &env{Server: mediatest.New(t, opts...)}
	var err error
	r.vod, err = vod.New(r.Server.Config())
	require.NoError(t, err)
	r.ice, err = ice.New(r.Server.Config())
	require.NoError(t, err)
	cfg := Config{
		VOD: r.vod, ICE: r.ice,
		Credentials:        r.Server.Config().Credentials,
		HTTPClient:         r.HTTPClient(),
		PartSize:           100 * kib,
		MultipartThreshold: 200 * kib,
		Retry:              alimedia.Retry{BaseDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond},
	}
	if change != nil {
		change(&cfg)
	}
	r.Uploader, err = New(cfg)
	require.NoError(t, err)
	return r
}

// reset makes another uploader with a changed setting.
func (r *env) reset(change func(*Config)) {
	cfg := r.Uploader.cfg
	change(&cfg)
	u, err := New(cfg)
	if err != nil {
		panic(err)
	}
	r.Uploader = u
}

// wrap makes another uploader whose requests to OSS go through f.
func (r *env) wrap(f func(base http.RoundTripper) http.RoundTripper) {
	r.reset(func(c *Config) {
		base := http.DefaultTransport
		if c.HTTPClient != nil && c.HTTPClient.Transport != nil {
			base = c.HTTPClient.Transport
		}
		c.HTTPClient = &http.Client{Transport: f(base)}
	})
}

// via is wrap with a function for each request.
func (r *env) via(f func(base http.RoundTripper, q *http.Request) (*http.Response, error)) {
	r.wrap(func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(q *http.Request) (*http.Response, error) { return f(base, q) })
	})
}

// random returns n bytes that are the same in each run.
func random(n int) []byte {
	data := make([]byte, n)
	src := rand.NewChaCha8([32]byte{})
	_, _ = src.Read(data)
	return data
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// stored checks that the object is there, byte for byte, and nothing else of
// the upload.
func (r *env) stored(t *testing.T, res *Result, want []byte) {
	t.Helper()
	got, ok := r.Object(res.Bucket, res.Key)
	require.True(t, ok, "object %s/%s", res.Bucket, res.Key)
	require.True(t, bytes.Equal(want, got), "the object differs from the source")
	require.Empty(t, r.Uploads())
	require.EqualValues(t, len(want), res.Size)
}

// failed returns the *Error of an upload that must not have succeeded.
func failed(t *testing.T, res *Result, err error) *Error {
	t.Helper()
	require.Nil(t, res)
	var e *Error
	require.ErrorAs(t, err, &e)
	return e
}

func bytesSource(name string, data []byte) Source {
	return ReaderAt(name, bytes.NewReader(data), int64(len(data)))
}

// peakHeap is the most that the heap grows while do runs, in bytes. Garbage
// counts where collect is false.
func peakHeap(collect bool, do func()) int64 {
	heap := func() int64 {
		if collect {
			runtime.GC()
		}
		m := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(m)
		return int64(m[0].Value.Uint64())
	}
	runtime.GC()
	before, peak := heap(), make(chan int64, 1)
	over := make(chan struct{})
	go func() {
		most := int64(0)
		for ticker := time.Tick(10 * time.Millisecond); ; {
			most = max(most, heap()-before)
			select {
			case <-ticker:
			case <-over:
				peak <- most
				return
			}
		}
	}()
	func() {
		defer close(over)
		do()
	}()
	return <-peak
}

// reader hides all but Read.
func reader(r io.Reader) io.Reader { return struct{ io.Reader }{r} }

func TestUpload_FileToVideo(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 100*kib - 1, 200*kib - 1, 200 * kib, 200*kib + 1, 300 * kib, 1234567} {
		data := random(size)
		r := newEnv(t, nil)
		res, err := r.Upload(context.Background(), File(writeFile(t, "movie.mp4", data)), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		media, ok := r.Media(res.MediaId)
		require.True(t, ok)
		require.Equal(t, "movie", media.Title)
		require.Equal(t, "movie.mp4", media.Params.Get("FileName"))
	}
}

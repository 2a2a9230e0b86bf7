package upload

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

// counted counts the bytes of the responses.
func counted(h http.HandlerFunc, n *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { h(&countingWriter{w, n}, r) }
}

type countingWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n.Add(int64(n))
	return n, err
}

func TestUpload_B55_AnotherProcess(t *testing.T) {
	t.Parallel()
	data := random(1234567) // 13 parts
	long := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		part    int64 // of the second run
		fetched int64 // most bytes that the second run fetches beyond the missing parts
		sent    int   // parts that the second run sends
	}{
		"strong ETag":         {webtest.File(data), 100 * kib, 300 * kib, 9},
		"strong date":         {webtest.Dated(data, long), 100 * kib, 300 * kib, 9},
		"other part size now": {webtest.File(data), 300 * kib, 700 * kib, 9},
		"no ranges": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data)
		}, 100 * kib, 3 * 1234567, 9},
	} {
		for _, target := range []Target{VODVideo{}, ICEMedia{}, Bucket{Name: "mine-1", Region: "cn-shanghai"}} {
			t.Run(fmt.Sprintf("%s %T", name, target), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var fetched atomic.Int64
					o := newOrigin(t, counted(tt.handler, &fetched))
					r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
					r.CreateBucket("mine-1")
					dir := t.TempDir()
					r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 5, Status: 400, Code: "InvalidArgument"})
					const secret = "s3cr3t"
					at := func(signature string) Source {
						return URL("http://me:"+secret+"@source.test/movie.mp4?id=7&Expires=1&OSSAccessKeyId=k&Signature="+secret+signature, o.here)
					}
					res, err := r.Upload(ctx, at("1"), target, WithCheckpoint(dir))
					first := failed(t, res, err)
					noSecret(t, dir, secret)

					fetched.Store(0)
					cfg := r.Uploader.cfg // of another process
					cfg.PartSize = tt.part
					r.Uploader, err = New(cfg)
					require.NoError(t, err)
					before := r.Calls("UploadPart")
					var last Progress
					res, err = r.Upload(ctx, at("2"), target, WithCheckpoint(dir), WithProgress(func(p Progress) { last = p }))
					require.NoError(t, err)
					r.stored(t, res, data)
					require.Equal(t, first.MediaId, res.MediaId)
					require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
					require.Equal(t, tt.sent, r.Calls("UploadPart")-before, "kept parts are not sent again")
					require.EqualValues(t, 400*kib, last.Resumed)
					require.LessOrEqual(t, fetched.Load(), int64(len(data))-400*kib+tt.fetched, "kept parts are not fetched again")
					noSecret(t, dir, secret)

					// Finished: nothing is sent for the same file.
					again, err := r.Upload(ctx, at("3"), target, WithCheckpoint(dir))
					require.NoError(t, err)
					require.True(t, again.AlreadyUploaded)
					require.Equal(t, res.MediaId, again.MediaId)
				})
			})
		}
	}
}

func noSecret(t *testing.T, dir, secret string) {
	t.Helper()
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, e := range names {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		require.NotContains(t, string(text), secret, e.Name())
	}
}

// Parts of a file that has changed do not become part of another.
func TestUpload_B55_Changed(t *testing.T) {
	t.Parallel()
	data := random(600 * kib)
	now := append(bytes.Clone(data), 1)
	for name, second := range map[string]http.HandlerFunc{
		"other tag": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"two"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		},
		"other size": webtest.File(now),
		"weak tag": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `W/"one"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var again atomic.Bool
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					if again.Load() {
						second(w, r)
						return
					}
					webtest.File(data)(w, r)
				})
				r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
				dir := t.TempDir()
				r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 4, Status: 400, Code: "InvalidArgument"})
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{}, WithCheckpoint(dir))
				first := failed(t, res, err)
				again.Store(true)
				res, err = r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{}, WithCheckpoint(dir))
				require.NoError(t, err)
				require.NotEqual(t, first.MediaId, res.MediaId)
				want := data
				if name == "other size" {
					want = now
				}
				got, _ := r.Object(res.Bucket, res.Key)
				require.True(t, bytes.Equal(want, got))
			})
		})
	}
}

// Under a user's key the bytes decide where the server says another version.
func TestUpload_B55_KeyAndAnotherVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(600 * kib)
		edited := bytes.Clone(data)
		edited[150*kib] ^= 1
		var again atomic.Bool
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			if again.Load() {
				w.Header().Set("ETag", `"two"`)
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(edited))
				return
			}
			webtest.File(data)(w, r)
		})
		r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
		dir := t.TempDir()
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 4, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{}, WithCheckpoint(dir), WithKey("order-4711"))
		first := failed(t, res, err)
		again.Store(true)
		res, err = r.Upload(ctx, URL("http://source.test/other.mp4?sig=1", o.here), VODVideo{}, WithCheckpoint(dir), WithKey("order-4711"))
		require.NoError(t, err)
		require.Equal(t, first.MediaId, res.MediaId)
		r.stored(t, res, edited)
	})
}

// An ETag or a Last-Modified proves nothing at another URL: the bytes decide
// there.
func TestUpload_B55_KeyAndAnotherURL(t *testing.T) {
	t.Parallel()
	data := random(600 * kib)
	edited := bytes.Clone(data)
	edited[150*kib] ^= 1
	long := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, file := range map[string]func([]byte) http.HandlerFunc{
		"same ETag": webtest.File,
		"same date": func(data []byte) http.HandlerFunc { return webtest.Dated(data, long) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/other.mp4" {
						file(edited)(w, r)
						return
					}
					file(data)(w, r)
				})
				r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
				dir := t.TempDir()
				r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 4, Status: 400, Code: "InvalidArgument"})
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{}, WithCheckpoint(dir), WithKey("order-4711"))
				first := failed(t, res, err)
				res, err = r.Upload(ctx, URL("http://source.test/other.mp4", o.here), VODVideo{}, WithCheckpoint(dir), WithKey("order-4711"))
				require.NoError(t, err)
				require.Equal(t, first.MediaId, res.MediaId)
				r.stored(t, res, edited)
			})
		})
	}
}

// What cannot be recognized has no checkpoint, and is refused where one is
// required, before anything is created.
func TestUpload_B55_NoValidator(t *testing.T) {
	t.Parallel()
	data := random(300 * kib)
	for name, handler := range map[string]http.HandlerFunc{
		"none": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data)
		},
		"weak": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `W/"one"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		},
		"date of now": func(w http.ResponseWriter, r *http.Request) { webtest.Dated(data, time.Now())(w, r) },
		"no size": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"one"`)
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(data)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t, handler)
				r := newEnv(t, nil, mediatest.InMemory())
				dir := t.TempDir()
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{}, WithCheckpoint(dir), WithCheckpointRequired())
				require.Equal(t, StageOpen, failed(t, res, err).Stage)
				require.ErrorIs(t, err, ErrCheckpoint)
				require.Zero(t, r.Calls("CreateUploadVideo"))
				res, err = r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{}, WithCheckpoint(dir))
				require.NoError(t, err)
				r.stored(t, res, data)
			})
		})
	}
}

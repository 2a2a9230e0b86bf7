package upload

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/webfile"
	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

// origin is a web server of a test.
type origin struct{ *webtest.Server }

func newOrigin(t *testing.T, handler http.HandlerFunc) *origin {
	t.Helper()
	return &origin{webtest.New(t, handler)}
}

// here makes all connections of a source lead to o.
func (o *origin) here(s *urlSource) { s.options.Dial = o.Dial }

func TestUpload_B43_URL(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 100 * kib, 200*kib - 1, 200 * kib, 1234567} {
		for _, declared := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d declared %v", size, declared), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					data := random(size)
					o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
						if declared {
							w.Header().Set("Content-Length", strconv.Itoa(size))
						} else {
							require.NoError(t, http.NewResponseController(w).Flush())
						}
						_, _ = w.Write(data)
					})
					r := newEnv(t, nil, mediatest.InMemory())
					var total int64
					res, err := r.Upload(ctx, URL("http://source.test/dir/my%20film.mp4?token=x", o.here), VODVideo{},
						WithProgress(func(p Progress) {
							if p.Stage == StageSend && total == 0 {
								total = p.Total
							}
						}))
					require.NoError(t, err)
					r.stored(t, res, data)
					media, _ := r.Media(res.MediaId)
					require.Equal(t, "my film", media.Title)
					if declared {
						require.Equal(t, strconv.Itoa(size), media.Params.Get("FileSize"))
						require.EqualValues(t, size, total)
					}
					require.Len(t, o.Requests(), 1)
				})
			})
		}
	}
}

// A connection that breaks is resumed, whether the size is declared or not.
func TestUpload_B43_Resume(t *testing.T) {
	t.Parallel()
	data := random(1234567)
	for name, declared := range map[string]bool{"declared": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					if n := requests.Add(1); n == 1 && !declared {
						w.Header().Set("ETag", `"one"`)
						require.NoError(t, http.NewResponseController(w).Flush())
						_, _ = webtest.CutOff(w, 200*kib).Write(data)
					} else if n < 4 {
						w = webtest.CutOff(w, 200*kib)
					}
					webtest.File(data)(w, r)
				})
				r := newEnv(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Len(t, o.Requests(), 4)
			})
		})
	}
}

// A connection that cannot be resumed fails the upload and leaves no parts.
func TestUpload_B43_NotResumed(t *testing.T) {
	t.Parallel()
	data := random(600 * kib)
	for name, tt := range map[string]struct {
		etag string
		want error
	}{
		"no ETag": {"", ErrSize},
		"changed": {`"zero"`, ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) > 1 {
						webtest.File(data)(w, r)
						return
					}
					w.Header().Set("ETag", tt.etag)
					w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					_, _ = webtest.CutOff(w, 250*kib).Write(data)
				})
				r := newEnv(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{})
				require.Equal(t, StageSend, failed(t, res, err).Stage)
				require.ErrorContains(t, err, "http://source.test/movie.mp4: ")
				require.ErrorIs(t, err, tt.want)
				require.Zero(t, r.Calls("CompleteMultipartUpload"))
				require.Empty(t, r.Uploads())
			})
		})
	}
}

// A file that cannot be fetched is refused before anything is created.
func TestUpload_B43_Refused(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/a.mp4")
		w.WriteHeader(http.StatusFound)
	}
	const a = "http://source.test/a.mp4"
	for name, tt := range map[string]struct {
		url      string
		handler  http.HandlerFunc
		opts     []URLOption
		want     error
		text     string
		requests int
	}{
		"file":               {"file:///etc/passwd", nil, nil, nil, `"file"`, 0},
		"invalid":            {"http://source.test/%zz", nil, nil, nil, "cannot be parsed", 0},
		"too long":           {"http://source.test/" + strings.Repeat("a", webfile.MaxURL), nil, nil, nil, "cannot be parsed", 0},
		"negative redirects": {a, nil, []URLOption{MaxRedirects(-1)}, nil, "MaxRedirects is -1: it must not be negative", 0},
		"negative size":      {a, nil, []URLOption{MaxSize(-1)}, nil, "MaxSize is -1 bytes: it must be at least 1", 0},
		"no size":            {a, nil, []URLOption{MaxSize(0)}, nil, "MaxSize is 0 bytes: it must be at least 1", 0},
		"404":                {a, status(404), nil, nil, "404 Not Found", 1},
		"always 502":         {a, status(502), nil, nil, "502", 10},
		"empty":              {a, status(200), nil, ErrEmpty, "", 1},
		"too large":          {a, webtest.File(random(1100 * kib)), []URLOption{MaxSize(1000 * kib)}, ErrTooLarge, "1024000 bytes", 1},
		"in a circle":        {a, redirect, nil, nil, "more than 5 redirects", 6},
		"two redirects":      {a, redirect, []URLOption{MaxRedirects(2)}, nil, "more than 2 redirects", 3},
		"no redirects":       {a, redirect, []URLOption{MaxRedirects(0)}, nil, "more than 0 redirects", 1},
		"private":            {"http://10.1.2.3/a.mp4", nil, nil, ErrNotPublic, "10.1.2.3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t, tt.handler)
				r := newEnv(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL(tt.url, append(tt.opts, o.here)...), VODVideo{})
				require.Equal(t, StageOpen, failed(t, res, err).Stage)
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				require.Len(t, o.Requests(), tt.requests)
				require.Empty(t, r.Requests(), "nothing is created")
			})
		})
	}
}

func TestUpload_B43_SecretsStayIn(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	for name, response := range map[string]http.HandlerFunc{
		"404":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"503":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"abort": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"bad redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://%zz/"+secret)
			w.WriteHeader(302)
		},
		"circle": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/?"+secret)
			w.WriteHeader(302)
		},
		"not public": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://10.0.0.1/?"+secret)
			w.WriteHeader(302)
		},
		"breaks": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = webtest.CutOff(w, 9).Write(random(1000))
		},
		"unknown error": func(w http.ResponseWriter, r *http.Request) { webtest.Raw(w, "HTTP/1.1 999\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t, response)
				var logged bytes.Buffer
				r := newEnv(t, func(c *Config) {
					c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
					c.Retry = alimedia.Retry{MaxAttempts: 2}
				}, mediatest.InMemory())
				src := URL("http://me:"+secret+"@source.test/a.mp4?token="+secret+"#"+secret, o.here, URLHeader(http.Header{"X-Key": {secret}}))
				_, err := r.Upload(ctx, src, VODImage{})
				require.Error(t, err)
				require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q %v %+v %#v", err, err, err, err, err, src, src, src), secret)
				require.NotContains(t, logged.String(), secret)
				require.ErrorContains(t, err, "http://source.test/a.mp4: ")
			})
		})
	}
	for _, raw := range []string{"http://me:" + secret + "@host:port:/", " http://me:" + secret + "@host/", "http://me:" + secret + "/x@host/", "me:" + secret + "@host", "http:me:" + secret, "//me:" + secret + "@host/?" + secret} {
		r := newEnv(t, nil)
		_, err := r.Upload(ctx, URL(raw), VODVideo{})
		require.Error(t, err)
		require.NotContains(t, fmt.Sprintf("%v %#v %v", err, err, URL(raw)), secret)
	}
}

// AllowPrivate, URLRootCAs and AllowProxy change how the connection is made.
func TestUpload_B43_Connections(t *testing.T) {
	t.Parallel()
	data := random(kib)
	srv := httptest.NewUnstartedServer(webtest.File(data))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	r := newEnv(t, nil)
	res, err := r.Upload(ctx, URL(srv.URL+"/a.mp4", URLRootCAs(pool)), VODVideo{})
	failed(t, res, err)
	require.ErrorIs(t, err, ErrNotPublic)
	res, err = r.Upload(ctx, URL(srv.URL+"/a.mp4", AllowPrivate()), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "certificate")
	res, err = r.Upload(ctx, URL(srv.URL+"/a.mp4", AllowPrivate(), URLRootCAs(pool)), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)

	require.Nil(t, newURL(nil).options.Proxy, "none without AllowProxy, whatever the environment says")
	require.NotNil(t, newURL([]URLOption{AllowProxy()}).options.Proxy)
}

func TestUpload_B43_Stall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(random(kib))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		r := newEnv(t, func(c *Config) { c.StallTimeout = 20 * time.Second }, mediatest.InMemory())
		start := time.Now()
		res, err := r.Upload(ctx, URL("http://source.test/a.mp4", o.here), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrStalled)
		require.ErrorIs(t, err, ErrSize)
		require.InDelta(t, 20, time.Since(start).Seconds(), 1)
	})
}

func TestUpload_B43_Cancel(t *testing.T) {
	t.Parallel()
	for name, quiet := range map[string]int{"before the response": 0, "in the first part": 10 * kib, "later": 450 * kib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				data := random(2000 * kib)
				gone := make(chan struct{})
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					defer close(gone)
					if quiet > 0 {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)))
						_, _ = w.Write(data[:quiet])
						_ = http.NewResponseController(w).Flush()
					}
					<-r.Context().Done()
				})
				r := newEnv(t, nil, mediatest.InMemory())
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(10*time.Second, cancel)
				start := time.Now()
				res, err := r.Upload(ctx, URL("http://source.test/a.mp4", o.here), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, context.Canceled)
				require.Less(t, time.Since(start), 11*time.Second)
				require.Empty(t, r.Uploads())
				<-gone // the connection does not stay open
			})
		})
	}
}

// A failure elsewhere ends the download.
func TestUpload_B43_FailureOfTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan struct{})
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			defer close(gone)
			_, _ = w.Write(random(450 * kib))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, URL("http://source.test/a.mp4", o.here), VODVideo{})
		failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "InvalidArgument"))
		<-gone
	})
}

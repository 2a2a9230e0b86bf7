package upload

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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
					r := newRig(t, nil, mediatest.InMemory())
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

func TestUpload_B43_Resume(t *testing.T) {
	t.Parallel()
	data := random(1234567)
	for name, declared := range map[string]bool{"declared": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "no-store")
					n := asked.Add(1)
					if n == 1 && !declared {
						w.Header().Set("ETag", `"one"`)
						require.NoError(t, http.NewResponseController(w).Flush())
						_, _ = webtest.CutOff(w, 200*kib).Write(data)
						return
					}
					if n%2 == 0 && n < 6 {
						w.WriteHeader(http.StatusBadGateway)
						return
					}
					if n < 7 {
						w = webtest.CutOff(w, 200*kib)
					}
					webtest.File(data)(w, r)
				})
				r := newRig(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				asks := o.Requests()
				require.Len(t, asks, 7)
				require.Empty(t, asks[0].Header.Get("Range")+asks[0].Header.Get("If-Range"))
				require.Equal(t, "bytes=204800-", asks[1].Header.Get("Range"))
				require.Equal(t, "bytes=614400-", asks[5].Header.Get("Range"))
				require.Equal(t, `"one"`, asks[5].Header.Get("If-Range"))
			})
		})
	}
}

// Bytes that come make up for connections that break, and what ends before the
// size that is known by then is not the end.
func TestUpload_B43_ResumeOften(t *testing.T) {
	t.Parallel()
	data := random(1000 * kib)
	for name, declared := range map[string]bool{"declared": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("ETag", `"one"`)
					from := 0
					if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
						w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
						w.WriteHeader(http.StatusPartialContent)
					} else if declared {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					}
					_ = http.NewResponseController(w).Flush()
					end := min(from+37*kib, len(data))
					_, _ = w.Write(data[from:end])
					if from == 0 {
						_ = http.NewResponseController(w).Flush()
						panic(http.ErrAbortHandler)
					}
				})
				r := newRig(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Len(t, o.Requests(), 28)
			})
		})
	}
}

// A connection that ends before the first byte needs no tag.
func TestUpload_B43_BrokenAtTheStart(t *testing.T) {
	t.Parallel()
	data := random(300 * kib)
	for name, tt := range map[string]struct {
		second http.HandlerFunc
		want   error
	}{
		"same":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }, nil},
		"shorter": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data[1:]) }, ErrChanged},
		"tagged":  {webtest.File(data), ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					if asked.Add(1) == 1 {
						require.NoError(t, http.NewResponseController(w).Flush())
						panic(http.ErrAbortHandler)
					}
					w.Header().Del("Content-Length")
					if name == "shorter" {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)-1))
					} else {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					}
					tt.second(w, r)
				})
				r := newRig(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{})
				if tt.want != nil {
					failed(t, res, err)
					require.ErrorIs(t, err, tt.want)
					return
				}
				require.NoError(t, err)
				r.stored(t, res, data)
			})
		})
	}
}

func TestUpload_B43_NotResumed(t *testing.T) {
	t.Parallel()
	data := random(600 * kib)
	const cut = 250 * kib
	rest := func(etag, span string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", etag)
			if span != "" {
				w.Header().Set("Content-Range", span)
			}
			if w.Header().Get("Content-Length") == "" {
				w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			}
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(body)
		}
	}
	span := func(from, to, total int) string { return fmt.Sprintf("bytes %d-%d/%d", from, to, total) }
	size := len(data)
	for name, tt := range map[string]struct {
		etag  string
		again http.HandlerFunc // nil: must not be asked again
		want  error
		text  string
	}{
		"no tag":             {"", nil, ErrSize, "no strong ETag"},
		"weak tag":           {`W/"one"`, nil, ErrSize, "no strong ETag"},
		"bare tag":           {`one`, nil, ErrSize, "no strong ETag"},
		"empty tag":          {`""`, nil, ErrSize, "no strong ETag"},
		"changed":            {`"one"`, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("ETag", `"two"`); _, _ = w.Write(data) }, ErrChanged, ""},
		"ranges ignored":     {`"one"`, func(w http.ResponseWriter, r *http.Request) { r.Header.Del("Range"); webtest.File(data)(w, r) }, nil, "does not resume"},
		"If-Range ignored":   {`"one"`, rest(`"two"`, span(cut, size-1, size), data[cut:]), ErrChanged, ""},
		"weak tag now":       {`"one"`, rest(`W/"one"`, span(cut, size-1, size), data[cut:]), ErrChanged, ""},
		"no tag now":         {`"one"`, rest("", span(cut, size-1, size), data[cut:]), ErrChanged, ""},
		"another size":       {`"one"`, rest(`"one"`, span(cut, size, size+1), append(data[cut:], 1)), ErrChanged, ""},
		"another offset":     {`"one"`, rest(`"one"`, span(cut-1, size-1, size), data[cut-1:]), nil, "another range"},
		"another end":        {`"one"`, rest(`"one"`, span(cut, size-2, size), data[cut:size-1]), nil, "another range"},
		"size not told":      {`"one"`, rest(`"one"`, fmt.Sprintf("bytes %d-%d/*", cut, size-1), data[cut:]), nil, "another range"},
		"no Content-Range":   {`"one"`, rest(`"one"`, "", data[cut:]), nil, "another range"},
		"fewer bytes coming": {`"one"`, rest(`"one"`, span(cut, size-1, size), data[cut:size-9]), ErrSize, "differ"},
		"shorter":            {`"one"`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(416) }, ErrChanged, ""},
		"gone":               {`"one"`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, nil, "404 Not Found"},
		"down for good":      {`"one"`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, nil, "503 Service Unavailable"},
		"never a byte more": {`"one"`, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(size-cut))
			rest(`"one"`, span(cut, size-1, size), nil)(w, r)
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) > 1 {
						tt.again(w, r)
						return
					}
					w.Header().Set("ETag", tt.etag)
					w.Header().Set("Content-Length", strconv.Itoa(size))
					_, _ = webtest.CutOff(w, cut).Write(data)
				})
				r := newRig(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL("http://source.test/movie.mp4", o.here), VODVideo{})
				e := failed(t, res, err)
				require.Equal(t, StageSend, e.Stage)
				require.ErrorContains(t, err, "http://source.test/movie.mp4: ")
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				if tt.again == nil {
					require.EqualValues(t, 1, asked.Load())
				}
				require.LessOrEqual(t, asked.Load(), int32(11))
				require.Zero(t, r.Calls("CompleteMultipartUpload"))
				require.Empty(t, r.Uploads())
			})
		})
	}
}

// What is wrong with the answer is seen before anything is created.
func TestUpload_B43_Refused(t *testing.T) {
	t.Parallel()
	to := func(location string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		}
	}
	for name, tt := range map[string]struct {
		url    string
		answer http.HandlerFunc
		opts   []URLOption
		want   error
		text   string
		asked  int
	}{
		"file":         {"file:///etc/passwd", nil, nil, nil, `"file"`, 0},
		"ftp":          {"ftp://source.test/a.mp4", nil, nil, nil, `"ftp"`, 0},
		"no scheme":    {"source.test/a.mp4", nil, nil, nil, "neither https nor http", 0},
		"no host":      {"http:///a.mp4", nil, nil, nil, "no host", 0},
		"unreadable":   {"http://source.test/%zz", nil, nil, nil, "cannot be parsed", 0},
		"too long":     {"http://source.test/" + strings.Repeat("a", webfile.MaxURL), nil, nil, nil, "cannot be parsed", 0},
		"bad option":   {"http://source.test/", nil, []URLOption{MaxRedirects(-1)}, nil, "negative", 0},
		"404":          {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, nil, nil, "404 Not Found", 1},
		"403":          {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, nil, nil, "403 Forbidden", 1},
		"204":          {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, nil, nil, "204", 1},
		"206":          {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206) }, nil, nil, "sends a range", 1},
		"always down":  {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, nil, nil, "502", 10},
		"compressed":   {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") }, nil, nil, "encoding", 1},
		"empty":        {"http://source.test/a.mp4", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }, nil, ErrEmpty, "", 1},
		"too large":    {"http://source.test/a.mp4", webtest.File(random(1100 * kib)), []URLOption{MaxSize(1000 * kib)}, ErrTooLarge, "1024000 bytes", 1},
		"no end":       {"http://source.test/a.mp4", func(w http.ResponseWriter, r *http.Request) { webtest.Raw(w, "HTTP/1.0 200 OK\r\n\r\nsome") }, nil, nil, "where it ends", 1},
		"not HTTP":     {"http://source.test/a.mp4", func(w http.ResponseWriter, r *http.Request) { webtest.Raw(w, "hello\r\n\r\n") }, nil, nil, "malformed", 10},
		"to nowhere":   {"http://source.test/a.mp4", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) }, nil, nil, "without a usable Location", 1},
		"to a file":    {"http://source.test/a.mp4", to("file:///etc/passwd"), nil, nil, `"file"`, 1},
		"to broken":    {"http://source.test/a.mp4", to("http://%zz/"), nil, nil, "without a usable Location", 1},
		"in a circle":  {"http://source.test/a.mp4", to("/a.mp4"), nil, nil, "more than 5 redirects", 6},
		"no redirects": {"http://source.test/a.mp4", to("/a.mp4"), []URLOption{MaxRedirects(0)}, nil, "more than 0 redirects", 1},
		"to metadata":  {"http://source.test/a.mp4", to("http://100.100.100.200/latest"), nil, ErrNotPublic, "100.100.100.200", 1},
		"to loopback":  {"http://source.test/a.mp4", to("http://[::ffff:127.0.0.1]/"), nil, ErrNotPublic, "127.0.0.1", 1},
		"private":      {"http://10.1.2.3/a.mp4", nil, nil, ErrNotPublic, "10.1.2.3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin(t, tt.answer)
				r := newRig(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, URL(tt.url, append(tt.opts, o.here)...), VODVideo{})
				e := failed(t, res, err)
				require.Equal(t, StageOpen, e.Stage)
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				require.Len(t, o.Requests(), tt.asked)
				require.Empty(t, r.Requests(), "nothing is created")
			})
		})
	}
}

// A file of unknown length is measured while it comes.
func TestUpload_B43_SizeCapOfStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 64*kib)
			for range 64 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		})
		r := newRig(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, URL("http://source.test/endless.mp4", o.here, MaxSize(1000*kib)), VODVideo{})
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrTooLarge)
		require.LessOrEqual(t, e.Sent, int64(1000*kib))
		require.Zero(t, r.Calls("CompleteMultipartUpload"))
		require.Empty(t, r.Uploads())
	})
}

func TestUpload_B43_Redirects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(kib)
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			next := map[string]string{
				"/1": "2", "/2": "http://source.test/3", "/3": "//other.test/4", "/4": "http://source.test/5?signature=s", "/5": "/movie.mp4",
			}[r.URL.Path]
			if next == "" {
				webtest.File(data)(w, r)
				return
			}
			w.Header().Set("Location", next)
			w.WriteHeader([]int{301, 302, 303, 307, 308}[r.URL.Path[1]-'1'])
		})
		r := newRig(t, nil, mediatest.InMemory())
		header := http.Header{"x-api-key": {"secret"}, "Cookie": {"a=b"}, "Range": {"bytes=1-"}}
		res, err := r.Upload(ctx, URL("http://source.test/1?token=t", o.here, URLHeader(header)), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		asks := o.Requests()
		require.Len(t, asks, 6)
		for i, ask := range asks {
			same := i != 3 // other.test
			require.Equal(t, same, ask.Header.Get("X-Api-Key") == "secret", i)
			require.Equal(t, same, ask.Header.Get("Cookie") == "a=b", i)
			require.Empty(t, ask.Header.Get("Referer"), "it would tell the query")
			require.Empty(t, ask.Header.Get("Range"))
			require.Equal(t, "identity", ask.Header.Get("Accept-Encoding"))
		}
		require.Equal(t, "/5?signature=s", asks[4].URL.String())
	})
}

func TestUpload_B43_UserAndPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "source.test" {
				http.Redirect(w, r, "http://other.test/a.mp4", http.StatusFound)
				return
			}
			webtest.File(random(kib))(w, r)
		})
		r := newRig(t, nil, mediatest.InMemory())
		_, err := r.Upload(ctx, URL("http://me:pa%20ss@source.test/a.mp4", o.here), VODVideo{})
		require.NoError(t, err)
		user, password, ok := o.Requests()[0].BasicAuth()
		require.True(t, ok)
		require.Equal(t, "me pa ss", user+" "+password)
		_, _, ok = o.Requests()[1].BasicAuth()
		require.False(t, ok)
	})
}

func TestUpload_B43_SecretsStayIn(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	for name, answer := range map[string]http.HandlerFunc{
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
				o := newOrigin(t, answer)
				var logged bytes.Buffer
				r := newRig(t, func(c *Config) {
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
		r := newRig(t, nil)
		_, err := r.Upload(ctx, URL(raw), VODVideo{})
		require.Error(t, err)
		require.NotContains(t, fmt.Sprintf("%v %#v %v", err, err, URL(raw)), secret)
	}
}

// The address is judged when the connection is made, so a name that resolves
// to a private one gets nowhere.
func TestUpload_B43_PrivateAddresses(t *testing.T) {
	t.Parallel()
	var accepted atomic.Int32
	data := random(kib)
	srv := httptest.NewUnstartedServer(webtest.File(data))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	r := newRig(t, nil)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "0.0.0.0", "[::]"} {
		res, err := r.Upload(ctx, URL("http://"+host+":"+port+"/a.mp4"), VODVideo{})
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrNotPublic, host)
		require.Equal(t, StageOpen, e.Stage)
	}
	require.Zero(t, accepted.Load(), "not even a connection")

	res, err := r.Upload(ctx, URL(srv.URL+"/a.mp4", AllowPrivate()), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)
}

// The name leads to another address each time: what was found out before does
// not count.
func TestUpload_B43_Rebinding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Content-Length", "1000")
			_, _ = webtest.CutOff(w, 9).Write(random(1000))
		})
		r := newRig(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, URL("http://source.test/a.mp4", func(s *urlSource) {
			o.here(s)
			public, dials := s.options.Dial, 0
			s.options.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if dials++; dials == 1 {
					return public(ctx, network, address)
				}
				return webfile.DialPublic(ctx, network, "127.0.0.1:1")
			}
		}), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrNotPublic)
		require.Len(t, o.Requests(), 1)
		require.Empty(t, r.Requests())
	})
}

func TestUpload_B43_TLS(t *testing.T) {
	t.Parallel()
	data := random(kib)
	var asked atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://"+r.Host+"/a.mp4", http.StatusFound)
			return
		}
		webtest.File(data)(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	r := newRig(t, nil)
	res, err := r.Upload(ctx, URL(srv.URL+"/a.mp4", AllowPrivate()), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "certificate")
	require.Zero(t, asked.Load())

	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	res, err = r.Upload(ctx, URL(srv.URL+"/a.mp4", AllowPrivate(), URLRootCAs(pool)), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)

	res, err = r.Upload(ctx, URL(srv.URL+"/down", AllowPrivate(), URLRootCAs(pool)), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "a redirect from https to http")
}

func TestUpload_B43_Proxy(t *testing.T) {
	t.Parallel()
	data := random(kib)
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		webtest.File(data)(w, r)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	viaProxy := func(s *urlSource) {
		AllowProxy()(s)
		require.NotNil(t, s.options.Proxy)
		s.options.Proxy = http.ProxyURL(at)
	}
	r := newRig(t, nil)
	res, err := r.Upload(ctx, URL("http://source.test/a.mp4", viaProxy), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, []string{"http://source.test/a.mp4"}, asked)

	for _, source := range []string{"http://10.0.0.1/a.mp4", "http://169.254.169.254/latest"} {
		res, err = r.Upload(ctx, URL(source, viaProxy), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrNotPublic)
	}
	require.Len(t, asked, 1)
}

func TestUpload_B43_TransientAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(kib)
		var asked atomic.Int32
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			switch asked.Add(1) {
			case 1:
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(http.StatusServiceUnavailable)
			case 2:
				panic(http.ErrAbortHandler)
			case 3:
				<-r.Context().Done() // silent
			default:
				webtest.File(data)(w, r)
			}
		})
		r := newRig(t, func(c *Config) { c.Retry = alimedia.Retry{MaxDelay: time.Minute}; c.StallTimeout = 20 * time.Second }, mediatest.InMemory())
		start := time.Now()
		res, err := r.Upload(ctx, URL("http://source.test/a.mp4", o.here), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.GreaterOrEqual(t, time.Since(start), 50*time.Second)
		require.Less(t, time.Since(start), 52*time.Second)
	})
}

func TestUpload_B43_Stall(t *testing.T) {
	t.Parallel()
	for name, tagged := range map[string]bool{"resumed": true, "not resumable": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				data := random(600 * kib)
				var asked atomic.Int32
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1) > 1 {
						webtest.File(data)(w, r)
						return
					}
					if tagged {
						w.Header().Set("ETag", `"one"`)
					}
					w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					for i := range 20 { // slow is not stalled
						_, _ = w.Write(data[i*kib : (i+1)*kib])
						_ = http.NewResponseController(w).Flush()
						time.Sleep(50 * time.Second)
					}
					<-r.Context().Done()
				})
				r := newRig(t, nil, mediatest.InMemory())
				start := time.Now()
				res, err := r.Upload(ctx, URL("http://source.test/a.mp4", o.here), VODVideo{})
				require.InDelta(t, 19*50+60, time.Since(start).Seconds(), 5)
				if !tagged {
					failed(t, res, err)
					require.ErrorIs(t, err, ErrStalled)
					return
				}
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, "bytes=20480-", o.Requests()[1].Header.Get("Range"))
			})
		})
	}
}

func TestUpload_B43_Cancel(t *testing.T) {
	t.Parallel()
	for name, quiet := range map[string]int{"before the answer": 0, "in the first part": 10 * kib, "later": 450 * kib} {
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
				r := newRig(t, nil, mediatest.InMemory())
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
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, URL("http://source.test/a.mp4", o.here), VODVideo{})
		failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "InvalidArgument"))
		<-gone
	})
}

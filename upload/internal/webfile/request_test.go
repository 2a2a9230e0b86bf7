package webfile

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

func TestOpen_B43_Refused(t *testing.T) {
	t.Parallel()
	redirect := func(location string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { webtest.Raw(w, text) }
	}
	const a = "http://source.test/a.mp4"
	for name, tt := range map[string]struct {
		url      string
		handler  http.HandlerFunc
		change   func(*Options)
		want     error
		text     string
		requests int
	}{
		"file":              {"file:///etc/passwd", nil, nil, nil, `"file"`, 0},
		"ftp":               {"ftp://source.test/a.mp4", nil, nil, nil, `"ftp"`, 0},
		"no scheme":         {"source.test/a.mp4", nil, nil, nil, "neither https nor http", 0},
		"no host":           {"http:///a.mp4", nil, nil, nil, "no host", 0},
		"404":               {a, status(404), nil, nil, "404 Not Found", 1},
		"403":               {a, status(403), nil, nil, "403 Forbidden", 1},
		"204":               {a, status(204), nil, nil, "204", 1},
		"206":               {a, status(206), nil, nil, "sends a range", 1},
		"always 502":        {a, status(502), nil, nil, "502", 10},
		"compressed":        {a, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") }, nil, nil, "encoding", 1},
		"too large":         {a, webtest.File(random(1100 * kib)), func(o *Options) { o.MaxSize = 1000 * kib }, ErrTooLarge, "1024000 bytes", 1},
		"no end":            {a, raw("HTTP/1.0 200 OK\r\n\r\nsome"), nil, nil, "where it ends", 1},
		"not HTTP":          {a, raw("hello\r\n\r\n"), nil, nil, "malformed", 10},
		"no Location":       {a, status(302), nil, nil, "without a usable Location", 1},
		"to a file":         {a, redirect("file:///etc/passwd"), nil, nil, `"file"`, 1},
		"to an invalid URL": {a, redirect("http://%zz/"), nil, nil, "without a usable Location", 1},
		"to a long URL":     {a, redirect("/" + strings.Repeat("a", MaxURL)), nil, nil, "without a usable Location", 1},
		"in a circle":       {a, redirect("/a.mp4"), nil, nil, "more than 5 redirects", 6},
		"no redirects":      {a, redirect("/a.mp4"), func(o *Options) { o.MaxRedirects = 0 }, nil, "more than 0 redirects", 1},
		"to metadata":       {a, redirect("http://100.100.100.200/latest"), nil, ErrNotPublic, "100.100.100.200", 1},
		"to loopback":       {a, redirect("http://[::ffff:127.0.0.1]/"), nil, ErrNotPublic, "127.0.0.1", 1},
		"private":           {"http://10.1.2.3/a.mp4", nil, nil, ErrNotPublic, "10.1.2.3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := webtest.New(t, tt.handler)
				o := to(s)
				if tt.change != nil {
					tt.change(&o)
				}
				_, err := open(t, tt.url, o)
				require.Error(t, err)
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				require.Len(t, s.Requests(), tt.requests)
			})
		})
	}
}

func TestOpen_B43_Redirects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
			next := map[string]string{
				"/1": "2", "/2": "http://source.test/3", "/3": "//other.test/4", "/4": "http://source.test/5?signature=s", "/5": "/movie.mp4",
			}[r.URL.Path]
			if next == "" {
				webtest.File(random(kib))(w, r)
				return
			}
			w.Header().Set("Location", next)
			w.WriteHeader([]int{301, 302, 303, 307, 308}[r.URL.Path[1]-'1'])
		})
		o := to(s)
		o.Headers = []Header{{http.Header{"x-api-key": {"secret"}, "Cookie": {"a=b"}, "Range": {"bytes=1-"}}, []string{"http://source.test:80"}}}
		f, err := open(t, "http://source.test/1?token=t", o)
		require.NoError(t, err)
		require.Equal(t, "movie.mp4", f.Name)
		require.Equal(t, "/movie.mp4", f.URL.Path)
		all := s.Requests()
		require.Len(t, all, 6)
		for i, r := range all {
			same := i != 3 // other.test
			require.Equal(t, same, r.Header.Get("X-Api-Key") == "secret", i)
			require.Equal(t, same, r.Header.Get("Cookie") == "a=b", i)
			require.Empty(t, r.Header.Get("Referer"), "it would show the query")
			require.Empty(t, r.Header.Get("Range"))
			require.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
		}
		require.Equal(t, "/5?signature=s", all[4].URL.String())
	})
}

func TestOpen_B43_UserAndPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "source.test" {
				http.Redirect(w, r, "http://other.test/a.mp4", http.StatusFound)
				return
			}
			webtest.File(random(kib))(w, r)
		})
		_, err := open(t, "http://me:pa%20ss@source.test/a.mp4", to(s))
		require.NoError(t, err)
		user, password, ok := s.Requests()[0].BasicAuth()
		require.True(t, ok)
		require.Equal(t, "me pa ss", user+" "+password)
		_, _, ok = s.Requests()[1].BasicAuth()
		require.False(t, ok)
	})
}

// The address is checked when the connection is made, so a name of a private
// address is refused as well.
func TestOpen_B43_PrivateAddresses(t *testing.T) {
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
	o := to(nil)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "0.0.0.0", "[::]"} {
		_, err := open(t, "http://"+host+":"+port+"/a.mp4", o)
		require.ErrorIs(t, err, ErrNotPublic, host)
	}
	require.Zero(t, accepted.Load(), "not even a connection")

	o.AllowPrivate = true
	got, err := read(t, srv.URL+"/a.mp4", o)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}

// The name resolves to another address for the second connection.
func TestOpen_B43_Rebinding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Content-Length", "1000")
			_, _ = webtest.CutOff(w, 9).Write(random(1000))
		})
		o, dials := to(s), 0
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials++; dials == 1 {
				return s.Dial(ctx, network, address)
			}
			return DialPublic(ctx, network, "127.0.0.1:1")
		}
		_, err := read(t, "http://source.test/a.mp4", o)
		require.ErrorIs(t, err, ErrNotPublic)
		require.Len(t, s.Requests(), 1)
	})
}

func TestOpen_B43_TLS(t *testing.T) {
	t.Parallel()
	data := random(kib)
	var requests atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://"+r.Host+"/a.mp4", http.StatusFound)
			return
		}
		webtest.File(data)(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	o := to(nil)
	o.AllowPrivate = true
	_, err := open(t, srv.URL+"/a.mp4", o)
	require.ErrorContains(t, err, "certificate")
	require.Zero(t, requests.Load())

	o.RootCAs = x509.NewCertPool()
	o.RootCAs.AddCert(srv.Certificate())
	got, err := read(t, srv.URL+"/a.mp4", o)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))

	_, err = open(t, srv.URL+"/down", o)
	require.ErrorContains(t, err, "a redirect from https to http")
}

func TestOpen_B43_Proxy(t *testing.T) {
	t.Parallel()
	data := random(kib)
	var requested []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested = append(requested, r.URL.String())
		webtest.File(data)(w, r)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	require.NoError(t, err)
	o := to(nil)
	o.Proxy = http.ProxyURL(at)
	got, err := read(t, "http://source.test/a.mp4", o)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	require.Equal(t, []string{"http://source.test/a.mp4"}, requested)

	for _, source := range []string{"http://10.0.0.1/a.mp4", "http://169.254.169.254/latest"} {
		_, err = open(t, source, o)
		require.ErrorIs(t, err, ErrNotPublic)
	}
	require.Len(t, requested, 1)

	// Without the option there is no proxy, whatever the environment says.
	direct, err := newStream(t.Context(), at, &Options{Dial: DialPublic}).transport(nil)
	require.NoError(t, err)
	require.Nil(t, direct.Proxy)
	require.NotNil(t, direct.DialContext)
}

// A page instead of the file is refused.
func TestOpen_B43_Pages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		contentType, name string
		refused           bool
	}{
		{"text/html", "movie.mp4", true}, {"Text/HTML; charset=utf-8", "movie.mp4", true}, {"application/xhtml+xml", "a.mp3", true}, {"application/json", "a.jpg", true},
		{"application/problem+json", "a.mp4", true}, {"text/xml", "a.ts", true}, {"application/xml", "a.mp4", true}, {"text/html", "get.mp4.php", true}, {"text/html", "unknown.bin", true},
		{"text/plain", "movie.mp4", false}, {"application/octet-stream", "movie.mp4", false}, {"", "movie.mp4", false}, {"binary/octet-stream", "a.mp4", false}, {"video/mp4", "a.mov", false},
		{"application/xml", "a.ttml", false}, {"text/xml", "a.svg", false}, {"application/json", "a.json", false}, {"text/html", "a.html", false}, {"application/xml", "a.mpd", false},
	} {
		t.Run(fmt.Sprintf("%s %s", tt.contentType, tt.name), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const page = "<html>sign in</html>"
				s := webtest.New(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Content-Type"] = []string{tt.contentType}
					if tt.contentType == "" {
						w.Header()["Content-Type"] = nil
					}
					_, _ = io.WriteString(w, page)
				})
				o := to(s)
				_, err := open(t, "http://a.test/"+tt.name, o)
				if !tt.refused {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, ErrPage)
				require.NotContains(t, err.Error(), "sign in")

				// AcceptPage decides, and may look at the first bytes.
				o.AcceptPage = func(f *File) bool { return string(f.Peek(6)) == "<html>" }
				got, err := read(t, "http://a.test/"+tt.name, o)
				require.NoError(t, err)
				require.Equal(t, page, string(got))
				o.AcceptPage = func(*File) bool { return false }
				_, err = open(t, "http://a.test/"+tt.name, o)
				require.ErrorIs(t, err, ErrPage)
			})
		})
	}
}

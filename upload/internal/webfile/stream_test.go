package webfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

func TestOpen_B43_TransientAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(kib)
		var requests atomic.Int32
		s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
			switch requests.Add(1) {
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
		o := to(s)
		o.Retry.MaxDelay, o.StallTimeout = time.Minute, 20*time.Second
		start := time.Now()
		got, err := read(t, "http://source.test/a.mp4", o)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
		require.GreaterOrEqual(t, time.Since(start), 50*time.Second)
		require.Less(t, time.Since(start), 52*time.Second)
	})
}

// Failures of a server are retried when the server says.
func TestOpen_B43_ServerFailures(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 425, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524} {
		for _, form := range []string{"seconds", "date"} {
			t.Run(strconv.Itoa(status)+" "+form, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var requests atomic.Int32
					s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
						if requests.Add(1) > 1 {
							webtest.File([]byte("1"))(w, r)
							return
						}
						w.Header().Set("Retry-After", "15")
						if form == "date" {
							w.Header().Set("Retry-After", time.Now().Add(15*time.Second).UTC().Format(http.TimeFormat))
						}
						w.WriteHeader(status)
					})
					o := to(s)
					o.Retry.MaxDelay = time.Minute
					start := time.Now()
					_, err := open(t, "http://a.test/a.mp4", o)
					require.NoError(t, err)
					require.InDelta(t, 15, time.Since(start).Seconds(), 1.1)
				})
			})
		}
	}
	for _, status := range []int{400, 401, 403, 404, 410, 501, 505} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
				_, err := open(t, "http://a.test/a.mp4", to(s))
				require.ErrorContains(t, err, strconv.Itoa(status))
				require.Len(t, s.Requests(), 1)
			})
		})
	}
}

func TestOpen_B43_Stall(t *testing.T) {
	t.Parallel()
	for name, tagged := range map[string]bool{"resumed": true, "not resumable": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				data := random(600 * kib)
				var requests atomic.Int32
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) > 1 {
						webtest.File(data)(w, r)
						return
					}
					if tagged {
						w.Header().Set("ETag", `"one"`)
					}
					w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					for i := range 20 { // slow, but not stalled
						_, _ = w.Write(data[i*kib : (i+1)*kib])
						flush(w)
						time.Sleep(50 * time.Second)
					}
					<-r.Context().Done()
				})
				start := time.Now()
				got, err := read(t, "http://source.test/a.mp4", to(s))
				require.InDelta(t, 19*50+60, time.Since(start).Seconds(), 5)
				if !tagged {
					require.ErrorIs(t, err, ErrStalled)
					require.ErrorIs(t, err, ErrSize)
					return
				}
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
				require.Equal(t, "bytes=20480-", s.Requests()[1].Header.Get("Range"))
			})
		})
	}
}

// The end of the context ends the connection, whatever the server does.
func TestOpen_B43_Context(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]int{"before the response": 0, "within the file": 10 * kib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				closed := make(chan struct{})
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					defer close(closed)
					if sent > 0 {
						w.Header().Set("Content-Length", "1000000")
						_, _ = w.Write(random(sent))
						flush(w)
					}
					<-r.Context().Done()
				})
				enough := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(10*time.Second, func() { cancel(enough) })
				start := time.Now()
				f, err := openFor(t, ctx, "http://source.test/a.mp4", to(s))
				if err == nil {
					_, err = io.ReadAll(f)
				}
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, enough)
				require.Equal(t, 10*time.Second, time.Since(start))
				<-closed
			})
		})
	}
}

// What a server repeats of the request is not shown.
func TestOpen_B60_Echo(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-t0ken"
	for name, echo := range map[string]string{
		"status":   "HTTP/1.1 2x0 " + secret + "\r\n\r\n",
		"escaped":  "HTTP/1.1 2x0 s3cr3t%2Dt0ken\r\n\r\n",
		"protocol": secret + "/1.1 200 OK\r\n\r\n",
		"header":   "HTTP/1.1 200 OK\r\nno colon " + secret + "\r\n\r\n",
		"length":   "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"coding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n",
		"encoding": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Encoding: " + secret + "\r\n\r\n1",
		"type":     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: text/html;" + secret + "\r\n\r\n1",
		"location": "HTTP/1.1 302 Found\r\nLocation: " + secret + "://x\r\n\r\n",
		"long":     "HTTP/1.1 " + strings.Repeat("x", 40000) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := webtest.New(t, func(w http.ResponseWriter, _ *http.Request) { webtest.Raw(w, echo) })
				for rawURL, header := range map[string]http.Header{
					"http://me:" + secret + "@a.test/a.mp4": nil,
					"http://a.test/a.mp4?sig=" + secret:     nil,
					"http://a.test/a.mp4":                   {"Authorization": {"Bearer " + secret}},
					"http://a.test/b.mp4":                   {"Cookie": {"a=b; s=" + secret}},
				} {
					o := to(s)
					o.Retry.MaxAttempts = 2
					o.Headers = []Header{{header, []string{"http://a.test:80"}}}
					_, err := open(t, rawURL, o)
					require.Error(t, err)
					require.NotContains(t, err.Error(), secret)
					require.NotContains(t, err.Error(), "s3cr3t%2D")
					require.LessOrEqual(t, len(err.Error()), 1200)
					require.NotContains(t, err.Error(), "\n")
				}
			})
		})
	}
}

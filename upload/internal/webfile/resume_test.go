package webfile

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func TestOpen_B43_Resume(t *testing.T) {
	t.Parallel()
	data := random(1234567)
	for name, declared := range map[string]bool{"declared": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					n := requests.Add(1)
					if n == 1 && !declared {
						w.Header().Set("ETag", `"one"`)
						flush(w)
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
				got, err := read(t, "http://source.test/movie.mp4", to(s))
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
				all := s.Requests()
				require.Len(t, all, 7)
				require.Empty(t, all[0].Header.Get("Range")+all[0].Header.Get("If-Range"))
				require.Equal(t, "bytes=204800-", all[1].Header.Get("Range"))
				require.Equal(t, "bytes=614400-", all[5].Header.Get("Range"))
				require.Equal(t, `"one"`, all[5].Header.Get("If-Range"))
			})
		})
	}
}

// Bytes that arrive reset the count of failures, and an end before the size
// that is known by then is not the end.
func TestOpen_B43_ResumeOften(t *testing.T) {
	t.Parallel()
	data := random(1000 * kib)
	for name, declared := range map[string]bool{"declared": true, "chunked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("ETag", `"one"`)
					from := 0
					if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
						w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
						w.WriteHeader(http.StatusPartialContent)
					} else if declared {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					}
					flush(w)
					end := min(from+37*kib, len(data))
					_, _ = w.Write(data[from:end])
					if from == 0 {
						flush(w)
						panic(http.ErrAbortHandler)
					}
				})
				got, err := read(t, "http://source.test/movie.mp4", to(s))
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
				require.Len(t, s.Requests(), 28)
			})
		})
	}
}

// A connection that ends before the first byte needs no ETag.
func TestOpen_B43_BrokenAtTheStart(t *testing.T) {
	t.Parallel()
	data := random(300 * kib)
	for name, tt := range map[string]struct {
		second http.HandlerFunc
		size   int
		want   error
	}{
		"same":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }, len(data), nil},
		"shorter": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data[1:]) }, len(data) - 1, ErrChanged},
		"tagged":  {webtest.File(data), len(data), ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) == 1 {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)))
						flush(w)
						panic(http.ErrAbortHandler)
					}
					w.Header().Set("Content-Length", strconv.Itoa(tt.size))
					tt.second(w, r)
				})
				got, err := read(t, "http://source.test/movie.mp4", to(s))
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
					return
				}
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
			})
		})
	}
}

func TestOpen_B43_NotResumed(t *testing.T) {
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
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	span := func(from, to, total int) string { return fmt.Sprintf("bytes %d-%d/%d", from, to, total) }
	size := len(data)
	for name, tt := range map[string]struct {
		etag   string
		second http.HandlerFunc // nil: there must be no second request
		want   error
		text   string
	}{
		"no ETag":              {"", nil, ErrSize, "no strong ETag"},
		"weak ETag":            {`W/"one"`, nil, ErrSize, "no strong ETag"},
		"bare ETag":            {`one`, nil, ErrSize, "no strong ETag"},
		"empty ETag":           {`""`, nil, ErrSize, "no strong ETag"},
		"changed":              {`"one"`, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("ETag", `"two"`); _, _ = w.Write(data) }, ErrChanged, ""},
		"Range ignored":        {`"one"`, func(w http.ResponseWriter, r *http.Request) { r.Header.Del("Range"); webtest.File(data)(w, r) }, nil, "does not resume"},
		"If-Range ignored":     {`"one"`, rest(`"two"`, span(cut, size-1, size), data[cut:]), ErrChanged, ""},
		"weak ETag now":        {`"one"`, rest(`W/"one"`, span(cut, size-1, size), data[cut:]), ErrChanged, ""},
		"no ETag now":          {`"one"`, rest("", span(cut, size-1, size), data[cut:]), ErrChanged, ""},
		"another size":         {`"one"`, rest(`"one"`, span(cut, size, size+1), append(bytes.Clone(data[cut:]), 1)), ErrChanged, ""},
		"another offset":       {`"one"`, rest(`"one"`, span(cut-1, size-1, size), data[cut-1:]), nil, "another range"},
		"another end":          {`"one"`, rest(`"one"`, span(cut, size-2, size), data[cut:size-1]), nil, "another range"},
		"size not declared":    {`"one"`, rest(`"one"`, fmt.Sprintf("bytes %d-%d/*", cut, size-1), data[cut:]), nil, "another range"},
		"no Content-Range":     {`"one"`, rest(`"one"`, "", data[cut:]), nil, "another range"},
		"fewer bytes declared": {`"one"`, rest(`"one"`, span(cut, size-1, size), data[cut:size-9]), ErrSize, "differ"},
		"more bytes than declared": {`"one"`, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Content-Range", span(cut, size-1, size))
			w.WriteHeader(http.StatusPartialContent)
			flush(w) // chunked
			_, _ = w.Write(append(bytes.Clone(data[cut:]), 1))
		}, ErrSize, "more than 614400 bytes"},
		"416":        {`"one"`, status(416), ErrChanged, ""},
		"404":        {`"one"`, status(404), nil, "404 Not Found"},
		"always 503": {`"one"`, status(503), nil, "503 Service Unavailable"},
		"never a byte more": {`"one"`, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(size-cut))
			rest(`"one"`, span(cut, size-1, size), nil)(w, r)
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) > 1 {
						tt.second(w, r)
						return
					}
					w.Header().Set("ETag", tt.etag)
					w.Header().Set("Content-Length", strconv.Itoa(size))
					_, _ = webtest.CutOff(w, cut).Write(data)
				})
				_, err := read(t, "http://source.test/movie.mp4", to(s))
				require.Error(t, err)
				require.ErrorContains(t, err, "http://source.test/movie.mp4: ")
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				if tt.second == nil {
					require.EqualValues(t, 1, requests.Load())
				}
				require.LessOrEqual(t, requests.Load(), int32(11))
			})
		})
	}
}

// Status 416 to a range that begins at the end of the file means that all bytes
// have arrived.
func TestOpen_B43_NothingMore(t *testing.T) {
	t.Parallel()
	data := random(300 * kib)
	size := len(data)
	for name, tt := range map[string]struct {
		contentRange, etag string
		want               error
	}{
		"at the end":     {fmt.Sprintf("bytes */%d", size), "", nil},
		"same ETag":      {fmt.Sprintf("bytes */%d", size), `"one"`, nil},
		"other ETag":     {fmt.Sprintf("bytes */%d", size), `"two"`, ErrChanged},
		"shorter":        {fmt.Sprintf("bytes */%d", size-1), "", ErrChanged},
		"longer":         {fmt.Sprintf("bytes */%d", size+1), "", ErrChanged},
		"no range":       {"", "", ErrChanged},
		"unknown length": {"bytes */*", "", ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) > 1 {
						w.Header().Set("Content-Range", tt.contentRange)
						if tt.etag != "" {
							w.Header().Set("ETag", tt.etag)
						}
						w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
						return
					}
					w.Header().Set("ETag", `"one"`)
					_, _ = w.Write(data) // chunked, and cut off before the last chunk
					flush(w)
					panic(http.ErrAbortHandler)
				})
				got, err := read(t, "http://a.test/a.mp4", to(s))
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
					return
				}
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
			})
		})
	}
}

// A strong Last-Modified resumes as well, but not with the rest of another
// version.
func TestOpen_B55_ResumeByDate(t *testing.T) {
	t.Parallel()
	data := random(600 * kib)
	old := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, second := range map[string]time.Time{"same": old, "other": old.Add(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int32
				s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) == 1 {
						webtest.Dated(data, old)(webtest.CutOff(w, 250*kib), r)
						return
					}
					webtest.Dated(data, second)(w, r)
				})
				got, err := read(t, "http://source.test/movie.mp4", to(s))
				require.Equal(t, old.Format(http.TimeFormat), s.Requests()[1].Header.Get("If-Range"))
				if name == "other" {
					require.ErrorIs(t, err, ErrChanged)
					return
				}
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
			})
		})
	}
}

// A file of unknown size is measured while it arrives.
func TestOpen_B43_MaxSizeOfAStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := webtest.New(t, func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 64*kib)
			for range 64 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		})
		o := to(s)
		o.MaxSize = 1000 * kib
		got, err := read(t, "http://source.test/endless.mp4", o)
		require.ErrorIs(t, err, ErrTooLarge)
		require.LessOrEqual(t, len(got), 1000*kib)
	})
}

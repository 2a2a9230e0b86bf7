package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

// cutBody is the body of an answer that breaks off.
type cutBody struct{ io.Closer }

func (cutBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestUpload_B09_BrokenConnections(t *testing.T) {
	t.Parallel()
	timeout := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	for name, broken := range map[string]error{
		"timeout":           timeout,
		"client's timeout":  context.DeadlineExceeded,
		"unexpected end":    io.ErrUnexpectedEOF,
		"end":               io.EOF,
		"reset":             &net.OpError{Op: "write", Err: syscall.ECONNRESET},
		"refused":           &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"unknown host":      &net.DNSError{Err: "no such host", IsNotFound: true},
		"the answer is cut": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCrowd(t, func(t *testing.T, r *rig) {
				var mu sync.Mutex
				seen := map[string]int{}
				r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
					if q.Method != http.MethodPut {
						return base.RoundTrip(q)
					}
					mu.Lock()
					seen[q.URL.RawQuery]++
					first := seen[q.URL.RawQuery] == 1
					mu.Unlock()
					if first && broken != nil {
						_, _ = io.CopyN(io.Discard, q.Body, 30*kib)
						return nil, broken
					}
					answer, err := base.RoundTrip(q)
					if first && err == nil {
						answer.Body = cutBody{answer.Body}
					}
					return answer, err
				})
				data := random(4000 * kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Len(t, seen, 40)
				for query, times := range seen {
					require.Equal(t, 2, times, query)
				}
			})
		})
	}
}

func TestUpload_B09_PausesHaveJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		retry := alimedia.Retry{MaxAttempts: 20, BaseDelay: time.Second, MaxDelay: 1000 * time.Second}
		r := newRig(t, func(c *Config) { c.Retry = retry }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Status: 503, Times: 100})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.Equal(t, 20, r.Calls("PutObject"))
		require.Greater(t, time.Since(start), 20*retry.BaseDelay, "they grow")
		last, bound := start, retry.BaseDelay
		for _, q := range r.Requests() {
			if q.Operation != "PutObject" {
				continue
			}
			if last != start {
				require.Less(t, q.Time.Sub(last), bound)
				require.Positive(t, q.Time.Sub(last))
				bound = min(2*bound, retry.MaxDelay)
			}
			last = q.Time
		}
	})
}

func TestUpload_B09_PauseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Retry.MaxDelay = time.Minute }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Status: 503, RetryAfter: time.Minute})
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Second, enough)
		defer cancel()
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, enough)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, 1, r.Calls("PutObject"))
	})
}

// TestUpload_B10_RepeatedPartIsProved: each part breaks off, comes damaged the
// second time and whole the third.
func TestUpload_B10_RepeatedPartIsProved(t *testing.T) {
	t.Parallel()
	data := random(4000 * kib)
	for name, src := range map[string]Source{
		"file":   bytesSource("movie.mp4", data),
		"stream": Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCrowd(t, func(t *testing.T, r *rig) {
				var mu sync.Mutex
				seen := map[string]int{}
				r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
					number := q.URL.Query().Get("partNumber")
					if number == "" {
						return base.RoundTrip(q)
					}
					mu.Lock()
					seen[number]++
					times := seen[number]
					mu.Unlock()
					if times == 1 {
						_, _ = io.CopyN(io.Discard, q.Body, 30*kib)
						time.Sleep(time.Second) // the others go on
						return nil, io.ErrUnexpectedEOF
					}
					return corrupt(base, func(*http.Request) bool { return times == 2 }).RoundTrip(q)
				})
				res, err := r.Upload(ctx, src, VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, crcOf(data), res.CRC64)
				require.Len(t, seen, 40)
				for number, times := range seen {
					require.Equal(t, 3, times, "part %s", number)
				}
			})
		})
	}
}

// TestUpload_B11_ClockJumps: all workers are refused at once, and each repeats
// its part once.
func TestUpload_B11_ClockJumps(t *testing.T) {
	t.Parallel()
	inCrowd(t, func(t *testing.T, r *rig) {
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
		jump := time.AfterFunc(1500*time.Millisecond, func() { r.SetClockSkew(20 * time.Minute) })
		defer jump.Stop()
		data := random(3 * crowd * 100 * kib)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, 4*crowd, r.Calls("UploadPart"))
		require.Equal(t, 4*time.Second, time.Duration(r.Requests()[len(r.Requests())-1].Time.Sub(r.Requests()[0].Time)-20*time.Minute).Truncate(time.Second))
	})
}

func TestUpload_B11_WhichTimeCounts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault mediatest.Fault
		date  string
	}{
		"a proxy's date is wrong":    {date: "Thu, 01 Jan 1970 00:00:00 GMT"},
		"a date without a document":  {fault: mediatest.Fault{Operation: "PutObject", Status: 403, Code: "RequestTimeTooSkewed"}},
		"a document without a date":  {date: "-"},
		"a document and a good date": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inCrowd(t, func(t *testing.T, r *rig) {
				r.SetClockSkew(time.Hour)
				if tt.fault.Operation != "" {
					r.Fault(tt.fault)
				}
				r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
					answer, err := base.RoundTrip(q)
					if err == nil && tt.date != "" {
						answer.Header.Set("Date", tt.date)
					}
					return answer, err
				})
				data := random(kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, 2, r.Calls("PutObject"))
			})
		})
	}
}

func TestUpload_B13_StallsForGood(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"PutObject", "UploadPart"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Retry.MaxAttempts, c.Parallel = 3, 1 }, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: operation, AfterBytes: 9 * kib, Delay: time.Hour, Times: mediatest.Always})
				start := time.Now()
				size := map[string]int{"PutObject": 100 * kib, "UploadPart": 600 * kib}[operation]
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(size)), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, ErrStalled)
				require.ErrorContains(t, err, "no byte moved for 1m0s")
				require.Equal(t, 3, r.Calls(operation))
				require.InDelta(t, 180, time.Since(start).Seconds(), 15)
			})
		})
	}
}

// TestUpload_B13_TransportsOfOthers: what ended a request is known, whatever the
// transport makes of it.
func TestUpload_B13_TransportsOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Retry.MaxAttempts = 2 }, mediatest.InMemory())
		r.via(func(_ http.RoundTripper, q *http.Request) (*http.Response, error) {
			<-q.Context().Done()
			return nil, q.Context().Err()
		})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrStalled)
		require.NotErrorIs(t, err, context.Canceled)
		require.InDelta(t, 120, time.Since(start).Seconds(), 2)
	})
}

// TestUpload_B13_OnePartOfMany: that the others move does not help the one.
func TestUpload_B13_OnePartOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Parallel = 4 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, AfterBytes: 9 * kib, Delay: time.Hour},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 50 * time.Second})
		data := random(4000 * kib)
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, 41, r.Calls("UploadPart"))
		require.Less(t, time.Since(start), 12*50*time.Second, "ten rounds and the one that stalled")
		for number, times := range r.sendings() {
			require.LessOrEqual(t, times, 2, fmt.Sprint("part ", number))
		}
	})
}

func TestUpload_B13_CompletionMayTakeLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Delay: 4 * time.Minute})
		data := random(600 * kib)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, 1, r.Calls("CompleteMultipartUpload"))
	})
}

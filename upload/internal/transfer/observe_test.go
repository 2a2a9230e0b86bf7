package transfer

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// journal is an Observer that writes down the requests and adds up the bytes.
type journal struct {
	counted
	mu     sync.Mutex
	lines  []string
	open   int
	sent   int64
	queued time.Duration
}

type journalKey struct{}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) RequestStarted(ctx context.Context, r Request) context.Context {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open++
	j.queued = max(j.queued, r.Queued)
	return context.WithValue(ctx, journalKey{}, r)
}

func (j *journal) RequestEnded(ctx context.Context, r Request, o Outcome) {
	if ctx.Value(journalKey{}) != r {
		panic("another context than that of RequestStarted")
	}
	j.note("%s part %d attempt %d: %d of %d bytes in %v: %t", r.Operation, r.Part, r.Attempt, o.Sent, r.Size, o.Duration, o.Err == nil)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open--
	j.sent += o.Sent
}

func (j *journal) Retrying(_ context.Context, r Request, again Retry) {
	j.note("%s part %d attempt %d again: %s, delayed %t, %t", r.Operation, r.Part, r.Attempt, again.Reason, again.Delay > 0, again.Err != nil)
}

func (j *journal) Refreshed(_ context.Context, r Refresh) {
	j.note("refresh: %s in %v: %t", r.Reason, r.Duration, r.Err == nil)
}

func TestObserver_Requests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.intercept = func(ctx context.Context, r request) error {
			require.NotNil(t, ctx.Value(journalKey{}), "the request has the context that the observer has returned")
			time.Sleep(time.Second)
			switch {
			case r.part == 1 && r.nth == 1:
				_ = r.apply(r.body)
				return refusal(503, "ServiceUnavailable")
			case r.part == 2 && r.signer == "0":
				return errExpired
			case r.part == 3 && r.nth < 6:
				skewed := refusal(403, "RequestTimeTooSkewed").(*ServiceError)
				skewed.ServerTime = time.Now().Add(time.Hour)
				return skewed
			}
			return r.apply(r.body)
		}
		d, _ := refreshing(m, func(context.Context, int) error { time.Sleep(20 * time.Second); return nil })
		one := manager(func(c *Config) { c.Parallel = 1 })
		data, j := random(3*partSize), new(journal)
		tr, err := one.Prepare(ctx, readAt(data), 2)
		require.NoError(t, err)
		defer tr.Close()
		done, err := tr.Run(ctx, d, NoCheckpoint{}, j)
		requireStored(t, m, data, done, err)
		require.Equal(t, []string{
			"InitiateMultipartUpload part 0 attempt 1: 0 of 0 bytes in 1s: true",
			"UploadPart part 1 attempt 1: 102400 of 102400 bytes in 1s: false",
			"UploadPart part 1 attempt 1 again: failure, delayed true, true",
			"UploadPart part 1 attempt 2: 102400 of 102400 bytes in 1s: true",
			"UploadPart part 2 attempt 1: 0 of 102400 bytes in 1s: false",
			"refresh: refused in 20s: true",
			"UploadPart part 2 attempt 1 again: credential, delayed false, true",
			"UploadPart part 2 attempt 2: 102400 of 102400 bytes in 1s: true",
			"UploadPart part 3 attempt 1: 0 of 102400 bytes in 1s: false",
			"UploadPart part 3 attempt 1 again: clock, delayed false, true",
			"UploadPart part 3 attempt 2: 102400 of 102400 bytes in 1s: true",
			"CompleteMultipartUpload part 0 attempt 1: 0 of 0 bytes in 1s: true",
		}, j.lines)
		require.Zero(t, j.open)
		require.EqualValues(t, 4*partSize, j.sent, "one part went twice")
		require.EqualValues(t, len(data), j.confirmed.Load())
	})
}

// TestObserver_Refreshes: one refresh of all requests is told once, with its
// reason.
func TestObserver_Refreshes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pause time.Duration // before the parts
		fail  error
		want  string
	}{
		"due":         {pause: 2500 * time.Second, want: "refresh: due in 0s: true"},
		"expired":     {pause: 4000 * time.Second, want: "refresh: expired in 0s: true"},
		"due, failed": {pause: 2500 * time.Second, fail: refusal(403, "Denied"), want: "refresh: due in 0s: false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(_ context.Context, r request) error {
					if r.operation == "CreateMultipart" {
						time.Sleep(tt.pause)
					}
					return r.apply(r.body)
				}
				j := new(journal)
				d, _ := refreshing(m, func(context.Context, int) error { return tt.fail })
				tr, err := manager(func(c *Config) { c.ResponseTimeout = 2 * time.Hour }).Prepare(ctx, readAt(random(5*partSize)), 2)
				require.NoError(t, err)
				defer tr.Close()
				_, err = tr.Run(ctx, d, NoCheckpoint{}, j)
				require.NoError(t, err)
				var refreshes []string
				for _, line := range j.lines {
					if line[:7] == "refresh" {
						refreshes = append(refreshes, line)
					}
				}
				require.Equal(t, []string{tt.want}, refreshes)
			})
		})
	}
}

// TestObserver_Queued: a request tells how long the others have kept it waiting.
func TestObserver_Queued(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manager(func(c *Config) { c.Parallel = 1 })
		store, j := newMemory(), new(journal)
		store.intercept = func(_ context.Context, r request) error {
			time.Sleep(7 * time.Second)
			return r.apply(r.body)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				tr, err := m.Prepare(ctx, readAt(random(1000)), 2)
				require.NoError(t, err)
				defer tr.Close()
				_, err = tr.Run(ctx, store.destination(), NoCheckpoint{}, j)
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 7*time.Second, j.queued)
	})
}

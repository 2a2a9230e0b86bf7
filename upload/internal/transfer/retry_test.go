package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
)

func TestTransfer_B09_BrokenConnections(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err   error
		after bool // the request has had its effect
	}{
		"timeout":          {err: &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}},
		"client's timeout": {err: context.DeadlineExceeded},
		"unexpected end":   {err: io.ErrUnexpectedEOF},
		"end":              {err: io.EOF},
		"reset":            {err: &net.OpError{Op: "write", Err: syscall.ECONNRESET}},
		"refused":          {err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}},
		"unknown host":     {err: &net.DNSError{Err: "no such host", IsNotFound: true}},
		"response cut off": {err: io.ErrUnexpectedEOF, after: true},
		"gateway":          {err: refusal(502, "")},
		"throttled":        {err: refusal(503, "SlowDown")},
		"too many":         {err: refusal(429, "TooManyRequests")},
		"slow request":     {err: refusal(400, "RequestTimeout")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(_ context.Context, r request) error {
					if r.part == 0 || m.times(r.part) > 1 {
						return r.apply(r.body)
					}
					if tt.after {
						require.NoError(t, r.apply(r.body))
					} else {
						_, _ = io.CopyN(io.Discard, r.body, 30<<10)
					}
					return tt.err
				}
				data := random(20 * partSize)
				done, err := transferTo(ctx, t, manyWorkers(), readAt(data), m.destination())
				requireStored(t, m, data, done, err)
				require.Len(t, m.sent, 20)
				for part, times := range m.sent {
					require.Equal(t, 2, times, "part %d", part)
				}
			})
		})
	}
}

func TestTransfer_B09_PausesHaveJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		policy := retry.Policy{MaxAttempts: 20, BaseDelay: time.Second, MaxDelay: 1000 * time.Second}
		m := newMemory()
		var at []time.Time
		m.fault = func(operation string, _ int) error {
			if operation == "Put" {
				at = append(at, time.Now())
			}
			return refusal(503, "ServiceUnavailable")
		}
		_, err := transferTo(ctx, t, manager(func(c *Config) { c.Retry = policy }), readAt(random(1000)), m.destination())
		require.Error(t, err)
		require.Equal(t, 20, m.calls["Put"])
		require.Greater(t, at[len(at)-1].Sub(at[0]), 20*policy.BaseDelay, "they grow")
		for i, bound := 1, policy.BaseDelay; i < len(at); i, bound = i+1, min(2*bound, policy.MaxDelay) {
			require.Less(t, at[i].Sub(at[i-1]), bound)
			require.Positive(t, at[i].Sub(at[i-1]))
		}
	})
}

func TestTransfer_B09_PauseEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		busy := refusal(503, "ServiceUnavailable").(*ServiceError)
		busy.API.RetryAfter = time.Minute
		m.fault = func(string, int) error { return busy }
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Second, enough)
		defer cancel()
		start := time.Now()
		_, err := transferTo(ctx, t, manager(nil), readAt(random(1000)), m.destination())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, enough)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, 1, m.calls["Put"])
	})
}

// damaging is a reader whose first byte is damaged on its way.
type damaging struct {
	io.Reader
	done bool
}

func (d *damaging) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if n > 0 && !d.done {
		d.done = true
		p[0] ^= 1
	}
	return n, err
}

// TestTransfer_B10_RepeatedPartIsProved: each part breaks off, comes damaged the
// second time and intact the third.
func TestTransfer_B10_RepeatedPartIsProved(t *testing.T) {
	t.Parallel()
	data := random(20 * partSize)
	for name, source := range map[string]Source{"file": readAt(data), "stream": stream(data)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(_ context.Context, r request) error {
					switch {
					case r.part > 0 && m.times(r.part) == 1:
						_, _ = io.CopyN(io.Discard, r.body, 30<<10)
						time.Sleep(time.Second) // the others go on
						return io.ErrUnexpectedEOF
					case r.part > 0 && m.times(r.part) == 2:
						return r.apply(&damaging{Reader: r.body})
					}
					return r.apply(r.body)
				}
				done, err := transferTo(ctx, t, manyWorkers(), source, m.destination())
				requireStored(t, m, data, done, err)
				require.Len(t, m.sent, 20)
				for part, times := range m.sent {
					require.Equal(t, 3, times, "part %d", part)
				}
			})
		})
	}
}

// TestTransfer_B20_EarlyResponse: a service that stores a request before its last byte
// has not stored it.
func TestTransfer_B20_EarlyResponse(t *testing.T) {
	t.Parallel()
	for operation, size := range map[string]int{"Put": 1000, "UploadPart": 6 * partSize} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(_ context.Context, r request) error {
					if r.operation == operation && r.nth == 1 {
						return r.apply(io.LimitReader(r.body, 500))
					}
					return r.apply(r.body)
				}
				data := random(size)
				done, err := transferTo(ctx, t, manager(nil), readAt(data), m.destination())
				requireStored(t, m, data, done, err)
			})
		})
	}
}

// TestTransfer_B11_ClockJumps: all workers are refused at once, and each repeats
// its part once.
func TestTransfer_B11_ClockJumps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		d := m.destination()
		start := time.Now()
		m.intercept = func(_ context.Context, r request) error {
			signed := d.Clock.Now()
			if r.part > 0 {
				time.Sleep(time.Second)
			}
			now := time.Now()
			if now.Sub(start) > 1500*time.Millisecond {
				now = now.Add(20 * time.Minute)
			}
			if now.Sub(signed) > 15*time.Minute {
				err := refusal(403, "RequestTimeTooSkewed").(*ServiceError)
				err.ServerTime = now
				return err
			}
			return r.apply(r.body)
		}
		data := random(3 * workers * partSize)
		done, err := transferTo(ctx, t, manyWorkers(), readAt(data), d)
		requireStored(t, m, data, done, err)
		require.Equal(t, 4*workers, m.calls["UploadPart"])
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}

// TestTransfer_B11_LyingHost: a host that refuses every time it has told itself is
// not asked for ever, and its time is not used afterwards.
func TestTransfer_B11_LyingHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		d := m.destination()
		m.fault = func(_ string, call int) error {
			err := refusal(403, "RequestTimeTooSkewed").(*ServiceError)
			err.ServerTime = time.Now().Add(time.Duration(call) * time.Hour)
			return err
		}
		_, err := transferTo(ctx, t, manager(nil), readAt(random(1000)), d)
		require.True(t, alimedia.HasCode(err, "RequestTimeTooSkewed"))
		require.Equal(t, maxCorrections+1, m.calls["Put"])
		require.Zero(t, d.Clock.Offset())
	})
}

// hangs is a request whose connection moves nothing after 9 kB.
func hangs(ctx context.Context, r request) error {
	_, _ = io.CopyN(io.Discard, r.body, 9<<10)
	<-ctx.Done()
	return ctx.Err()
}

func TestTransfer_B13_StallsForGood(t *testing.T) {
	t.Parallel()
	for operation, size := range map[string]int{"Put": partSize, "UploadPart": 6 * partSize} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				m.intercept = func(ctx context.Context, r request) error {
					if r.operation == operation {
						return hangs(ctx, r)
					}
					return r.apply(r.body)
				}
				start := time.Now()
				_, err := transferTo(ctx, t, manager(func(c *Config) { c.Retry.MaxAttempts, c.Parallel = 3, 1 }), readAt(random(size)), m.destination())
				require.ErrorIs(t, err, ErrStalled)
				require.NotErrorIs(t, err, context.Canceled)
				require.ErrorContains(t, err, "no byte moved for 1m0s")
				require.Equal(t, 3, m.calls[operation])
				require.InDelta(t, 180, time.Since(start).Seconds(), 15)
			})
		})
	}
}

// TestTransfer_B13_OnePartOfMany: that the others move does not help the one.
func TestTransfer_B13_OnePartOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.intercept = func(ctx context.Context, r request) error {
			if r.operation == "UploadPart" && r.nth == 2 {
				return hangs(ctx, r)
			}
			if r.part > 0 {
				time.Sleep(50 * time.Second)
			}
			return r.apply(r.body)
		}
		data := random(40 * partSize)
		start := time.Now()
		done, err := transferTo(ctx, t, manager(func(c *Config) { c.Parallel = 4 }), readAt(data), m.destination())
		requireStored(t, m, data, done, err)
		require.Equal(t, 41, m.calls["UploadPart"])
		require.Less(t, time.Since(start), 12*50*time.Second, "ten rounds and the one that stalled")
		for part, times := range m.sent {
			require.LessOrEqual(t, times, 2, fmt.Sprint("part ", part))
		}
	})
}

func TestTransfer_B13_CompletionMayTakeLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.intercept = func(ctx context.Context, r request) error {
			if r.operation == "CompleteMultipart" {
				if err := retry.Sleep(ctx, 4*time.Minute); err != nil {
					return err
				}
			}
			return r.apply(r.body)
		}
		data := random(6 * partSize)
		done, err := transferTo(ctx, t, manager(nil), readAt(data), m.destination())
		requireStored(t, m, data, done, err)
		require.Equal(t, 1, m.calls["CompleteMultipart"])
	})
}

// TestTransfer_B57_TheResponseHasItsOwnTime: after the last byte the response may take
// longer than the time between two bytes, but not for ever.
func TestTransfer_B57_TheResponseHasItsOwnTime(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{4 * time.Minute, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory()
			m.intercept = func(ctx context.Context, r request) error {
				if err := r.apply(r.body); err != nil || r.operation != "Put" {
					return err
				}
				return retry.Sleep(ctx, takes)
			}
			data := random(1000)
			start := time.Now()
			done, err := transferTo(ctx, t, manager(nil), readAt(data), m.destination())
			requireStored(t, m, data, done, err)
			require.Equal(t, min(takes, 5*time.Minute), time.Since(start).Truncate(time.Minute))
			require.Equal(t, 1, m.calls["Put"], "the object is looked at before it is sent again")
		})
	}
}

// TestClock_B62_ImplausibleTime: no host is believed that differs by years.
func TestClock_B62_ImplausibleTime(t *testing.T) {
	t.Parallel()
	for ahead, plausible := range map[time.Duration]bool{
		time.Hour: true, -300 * 24 * time.Hour: true, 500 * 24 * time.Hour: false, -500 * 24 * time.Hour: false,
	} {
		c := new(Clock)
		require.Equal(t, plausible, c.Set(time.Now().Add(ahead)), ahead)
		require.Equal(t, plausible, c.Known(), ahead)
		if plausible {
			require.InDelta(t, ahead.Seconds(), c.Offset().Seconds(), 5)
		} else {
			require.Zero(t, c.Offset(), ahead)
		}
	}
	require.False(t, new(Clock).Set(time.Time{}))
}

// TestTransfer_B62_WrongTimeIsDropped: a correction of the clock that does not
// help ends with the request.
func TestTransfer_B62_WrongTimeIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hours := 0
		m := newMemory()
		m.fault = func(operation string, _ int) error {
			if operation != "Put" {
				return nil
			}
			hours++
			err := refusal(403, "RequestTimeTooSkewed").(*ServiceError)
			err.ServerTime = time.Now().Add(time.Duration(hours) * time.Hour)
			return err
		}
		d := m.destination()
		tr, err := manager(nil).Prepare(ctx, readAt(random(10)), 1)
		require.NoError(t, err)
		defer tr.Close()
		_, err = tr.Run(ctx, d, NoCheckpoint{}, new(counted))
		require.ErrorContains(t, err, "RequestTimeTooSkewed")
		require.Equal(t, 1+maxCorrections, hours)
		require.Zero(t, d.Clock.Offset())
	})
}

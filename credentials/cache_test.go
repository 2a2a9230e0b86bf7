package credentials

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// issue makes the n-th credentials of a source, good for life.
func issue(n int64, life time.Duration) Credentials {
	c := Credentials{AccessKeyId: fmt.Sprintf("LTAI-issued-%d", n), AccessKeySecret: testSecret, SecurityToken: testToken}
	if life != 0 {
		c.Expires = time.Now().Add(life)
	}
	return c
}

func TestCache_OneQuestionForAllCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
			time.Sleep(2 * time.Second)
			return issue(asked.Load(), time.Hour), nil
		})))
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				c, err := p.Credentials(t.Context())
				require.NoError(t, err)
				require.Equal(t, "LTAI-issued-1", c.AccessKeyId)
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, asked.Load())
	})
}

// A flight may land between a caller's look and its join.
func TestCache_LateFlightDoesNotAskAgain(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c := newCache("late", counted(&asked, func(context.Context) (Credentials, error) { return issue(asked.Load(), time.Hour), nil }))
	for range 2 {
		creds, err := c.refresh(t.Context())
		require.NoError(t, err)
		require.Equal(t, "LTAI-issued-1", creds.AccessKeyId)
	}
	require.EqualValues(t, 1, asked.Load())
}

func TestCache_CallerThatLeavesFailsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(ctx context.Context) (Credentials, error) {
			select {
			case <-time.After(5 * time.Second):
				return issue(1, time.Hour), nil
			case <-ctx.Done():
				return Credentials{}, ctx.Err()
			}
		})))
		// The one that starts the flight is the one that leaves.
		leaving, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		start := time.Now()
		left := make(chan error, 1)
		go func() {
			_, err := p.Credentials(leaving)
			left <- err
		}()
		synctest.Wait()
		stayed := make(chan error, 1)
		go func() {
			_, err := p.Credentials(t.Context())
			stayed <- err
		}()

		err := <-left
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "credentials: Cached(credentials.source): stopped waiting")
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, <-stayed)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.EqualValues(t, 1, asked.Load())
	})
}

func TestCache_EndedContextStartsNoQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) { return issue(1, time.Hour), nil })))
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("shutting down")
		cancel(cause)
		_, err := p.Credentials(ctx)
		require.ErrorIs(t, err, cause)
		synctest.Wait()
		require.Zero(t, asked.Load())
	})
}

func TestCache_RefreshesAheadOfExpiry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		life            time.Duration
		earliest, until time.Duration // when a refresh is due
	}{
		"an hour":    {time.Hour, time.Hour - 450*time.Second, time.Hour - 300*time.Second},
		"15 minutes": {15 * time.Minute, 15*time.Minute - 270*time.Second, 15*time.Minute - 180*time.Second},
		"unknown":    {0, 12 * time.Minute, 15 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
					time.Sleep(3 * time.Second)
					return issue(asked.Load(), tt.life), nil
				})))
				_, err := p.Credentials(t.Context())
				require.NoError(t, err)
				arrived := time.Now()

				time.Sleep(tt.earliest - time.Second)
				_, err = p.Credentials(t.Context())
				require.NoError(t, err)
				synctest.Wait()
				require.EqualValues(t, 1, asked.Load(), "refreshed too early")

				time.Sleep(tt.until - tt.earliest + 2*time.Second)
				// Nobody waits for the refresh, and all share it.
				before := time.Now()
				for range 50 {
					c, err := p.Credentials(t.Context())
					require.NoError(t, err)
					require.Equal(t, "LTAI-issued-1", c.AccessKeyId)
				}
				require.Equal(t, before, time.Now())
				time.Sleep(3 * time.Second)
				synctest.Wait()
				c, err := p.Credentials(t.Context())
				require.NoError(t, err)
				require.Equal(t, "LTAI-issued-2", c.AccessKeyId)
				require.EqualValues(t, 2, asked.Load())
				require.Less(t, time.Since(arrived), max(tt.life, unknownLife+10*time.Second))
			})
		})
	}
}

func TestCache_RefreshIsSpread(t *testing.T) {
	t.Parallel()
	seen := map[time.Time]bool{}
	now := time.Now()
	for range 50 {
		c := newCache("spread", nil)
		c.keep(now, Credentials{AccessKeyId: "LTAI", Expires: now.Add(time.Hour)})
		require.WithinRange(t, c.refreshAt, now.Add(time.Hour-450*time.Second), now.Add(time.Hour-300*time.Second))
		seen[c.refreshAt] = true
	}
	require.Greater(t, len(seen), 25, "processes started together refresh together")
}

func TestCache_KeepsGoodOnesWhileTheSourceFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
			if asked.Load() > 1 {
				return Credentials{}, errors.New("out of order")
			}
			return issue(1, time.Hour), nil
		})))
		first, err := p.Credentials(t.Context())
		require.NoError(t, err)

		// A call every 100 ms until they are not good any more.
		var good int
		for time.Until(first.Expires) > margin {
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, first, c)
			good++
			time.Sleep(100 * time.Millisecond)
		}
		require.Greater(t, good, 35000)
		refreshes := asked.Load() - 1
		require.GreaterOrEqual(t, refreshes, int64(5), "gave up")
		require.LessOrEqual(t, refreshes, int64(25), "hammered the source")

		// Now the source is asked again at once, and its error reported.
		_, err = p.Credentials(t.Context())
		require.ErrorContains(t, err, "out of order")
		require.Greater(t, asked.Load(), refreshes+1)
	})
}

func TestCache_FailingSourceIsAskedOncePerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
			if time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) > 5*time.Second {
				return issue(1, time.Hour), nil
			}
			return Credentials{}, errors.New("out of order")
		})))
		for range 50 {
			_, err := p.Credentials(t.Context())
			require.EqualError(t, err, "credentials: Cached(credentials.source): out of order")
			time.Sleep(100 * time.Millisecond)
		}
		require.EqualValues(t, 5, asked.Load())
		time.Sleep(time.Second)
		_, err := p.Credentials(t.Context())
		require.NoError(t, err, "a source that works again is not noticed")
	})
}

func TestCache_ExpiredOnesAreNeverHandedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
			time.Sleep(time.Second)
			return issue(asked.Load(), time.Hour), nil
		})))
		_, err := p.Credentials(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Hour - margin)
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, "LTAI-issued-2", c.AccessKeyId)
	})
}

func TestCache_RefusesWhatIsOfNoUse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		creds Credentials
		want  string
	}{
		"nothing":   {Credentials{}, "the AccessKeyId is empty"},
		"no secret": {Credentials{AccessKeyId: testId}, "the AccessKeySecret is empty"},
		"expired": {
			Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, Expires: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)},
			"had expired at 2020-01-02T03:04:05Z, before they arrived: check this machine's clock",
		},
		"header injection": {
			Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken + "\r\nHost: evil"},
			"the SecurityToken contains a space, a control character or a non-ASCII character",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Cached(source(func(context.Context) (Credentials, error) { return tt.creds, nil })).Credentials(t.Context())
			require.ErrorContains(t, err, tt.want)
			requireNoSecret(t, err.Error())
		})
	}
}

func TestCache_Invalidate(t *testing.T) {
	t.Parallel()
	var asked, dropped atomic.Int64
	inner := &invalidating{
		Provider: source(counted(&asked, func(context.Context) (Credentials, error) { return issue(asked.Load(), time.Hour), nil })),
		dropped:  &dropped,
	}
	p := Cached(inner)
	first, err := p.Credentials(t.Context())
	require.NoError(t, err)

	// Many workers are refused with the same keys: one question more.
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			p.(Invalidator).Invalidate(first)
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Equal(t, "LTAI-issued-2", c.AccessKeyId)
		})
	}
	wg.Wait()
	require.EqualValues(t, 2, asked.Load())
	require.EqualValues(t, 1, dropped.Load(), "the source was not told, or too often")

	p.(Invalidator).Invalidate(Credentials{})
	_, err = p.Credentials(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, asked.Load())
}

type invalidating struct {
	Provider
	dropped *atomic.Int64
}

func (i *invalidating) Invalidate(Credentials) { i.dropped.Add(1) }

func TestCache_FlightEndsWithItsLastCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(ctx context.Context) (Credentials, error) {
			if asked.Load() > 1 {
				return issue(asked.Load(), time.Hour), nil
			}
			<-ctx.Done()
			time.Sleep(time.Second) // takes its time to notice
			return Credentials{}, ctx.Err()
		})))
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
				defer cancel()
				_, err := p.Credentials(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		wg.Wait()
		// A caller that meets the dying flight is not told of its end, and
		// the failure that was none is not remembered.
		start := time.Now()
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, "LTAI-issued-2", c.AccessKeyId)
		require.Equal(t, time.Second, time.Since(start))
	})
}

// A refresh that was under way before anybody had to wait for it is nobody's
// to end.
func TestCache_RefreshOutlivesThoseWhoJoinIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		p := Cached(source(counted(&asked, func(ctx context.Context) (Credentials, error) {
			if asked.Load() == 1 {
				return issue(1, time.Hour), nil
			}
			select {
			case <-time.After(10 * time.Second):
				return issue(asked.Load(), time.Hour), nil
			case <-ctx.Done():
				return Credentials{}, ctx.Err()
			}
		})))
		first, err := p.Credentials(t.Context())
		require.NoError(t, err)
		time.Sleep(58 * time.Minute)
		_, err = p.Credentials(t.Context()) // starts the refresh
		require.NoError(t, err)
		p.(Invalidator).Invalidate(first)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = p.Credentials(ctx) // joins it, and leaves
		require.ErrorIs(t, err, context.DeadlineExceeded)
		c, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.Equal(t, "LTAI-issued-2", c.AccessKeyId)
		require.EqualValues(t, 2, asked.Load())
	})
}

func TestCache_NoQuestionIsEndless(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		ended := make(chan time.Duration, 1)
		p := Cached(source(counted(&asked, func(ctx context.Context) (Credentials, error) {
			if asked.Load() == 1 {
				return issue(1, time.Hour), nil
			}
			start := time.Now()
			<-ctx.Done()
			ended <- time.Since(start)
			return Credentials{}, ctx.Err()
		})))
		_, err := p.Credentials(t.Context())
		require.NoError(t, err)
		time.Sleep(58 * time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		_, err = p.Credentials(ctx) // starts the refresh and leaves
		require.NoError(t, err)
		cancel()
		require.Equal(t, flightLimit, <-ended)
	})
}

// A source that ignores its context holds one goroutine, not one per caller.
func TestCache_DeafSourceHoldsOneGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		release := make(chan struct{})
		p := Cached(source(counted(&asked, func(context.Context) (Credentials, error) {
			<-release
			return issue(1, time.Hour), nil
		})))
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := p.Credentials(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.EqualValues(t, 1, asked.Load())
		close(release)
		_, err := p.Credentials(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, asked.Load())
	})
}

func TestCache_SourceThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	p := Cached(source(func(context.Context) (Credentials, error) { runtime.Goexit(); return Credentials{}, nil }))
	_, err := p.Credentials(t.Context())
	require.ErrorContains(t, err, "the source ended its goroutine")
}

func TestCached_NilSource(t *testing.T) {
	t.Parallel()
	_, err := Cached(nil).Credentials(t.Context())
	require.EqualError(t, err, "credentials: Cached: the source is nil")
}

func BenchmarkCached(b *testing.B) {
	p := Cached(source(func(context.Context) (Credentials, error) { return issue(1, time.Hour), nil }))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := p.Credentials(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

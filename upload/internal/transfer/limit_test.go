package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/internal/retry"
)

func TestTransfer_B41_BandwidthIsOverAllParts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ parallel, bandwidth int }{{1, 256 << 10}, {4, 256 << 10}, {16, 256 << 10}, {4, 1 << 20}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := manager(func(c *Config) { c.Bandwidth, c.Parallel = int64(tt.bandwidth), tt.parallel })
				start := time.Now()
				var wg sync.WaitGroup
				for _, size := range []int{1000 << 10, 1500 << 10, 60 << 10} { // in parts, in parts, in one request
					wg.Go(func() {
						store, data := newMemory(), random(size)
						done, err := transferTo(ctx, t, m, readAt(data), store.destination())
						requireStored(t, store, data, done, err)
					})
				}
				wg.Wait()
				require.InEpsilon(t, 2560.0*1024/float64(tt.bandwidth), time.Since(start).Seconds(), 0.1)
			})
		})
	}
}

func TestTransfer_B41_ThrottledIsNotStalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Two bytes a second over four transfers: each waits for longer than the
		// time after which a connection counts as stalled.
		m := manager(func(c *Config) { c.Bandwidth, c.StallTimeout = 2, time.Second })
		store := newMemory()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := transferTo(ctx, t, m, readAt(random(100)), store.destination())
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 4, store.calls["Put"], "none was repeated")
	})
}

// TestTransfer_B42_FailingTransferHoldsNoRequest: while one transfer pauses before a
// repetition, the only request is free for the others.
func TestTransfer_B42_FailingTransferHoldsNoRequest(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"put": 1000, "parts": 5 * partSize} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := manager(func(c *Config) {
					c.Parallel = 1
					c.Retry = retry.Policy{MaxAttempts: 100, BaseDelay: time.Hour, MaxDelay: time.Hour}
				})
				bad, good := newMemory(), newMemory()
				busy := refusal(503, "ServiceUnavailable").(*ServiceError)
				busy.API.RetryAfter = time.Hour
				bad.fault = func(operation string, _ int) error {
					if operation == "Put" || operation == "UploadPart" {
						return busy
					}
					return nil
				}
				ctx, cancel := context.WithCancelCause(ctx)
				enough := errors.New("enough")
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := transferTo(ctx, t, m, readAt(random(size)), bad.destination())
					require.ErrorIs(t, err, enough)
				})
				time.Sleep(time.Minute)
				start := time.Now()
				data := random(5 * partSize)
				done, err := transferTo(ctx, t, m, readAt(data), good.destination())
				requireStored(t, good, data, done, err)
				require.Less(t, time.Since(start), time.Minute)
				cancel(enough)
				wg.Wait()
			})
		})
	}
}

// TestTransfer_B42_LongTransferLeavesTurns: a transfer of many parts does not take
// all turns of a short one.
func TestTransfer_B42_LongTransferLeavesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manager(func(c *Config) { c.Parallel = 2 })
		store := newMemory()
		store.intercept = func(_ context.Context, r request) error {
			time.Sleep(time.Second)
			return r.apply(r.body)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := transferTo(ctx, t, m, readAt(random(60*partSize)), store.destination())
			require.NoError(t, err)
		})
		time.Sleep(5500 * time.Millisecond)
		start := time.Now()
		_, err := transferTo(ctx, t, m, readAt(random(1000)), newMemory().destination())
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(start), 2*time.Second)
		wg.Wait()
	})
}

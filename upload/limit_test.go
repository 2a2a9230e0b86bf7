package upload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestUpload_B41_BandwidthIsOverAllParts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ parallel, bandwidth int }{{1, 256 * kib}, {4, 256 * kib}, {16, 256 * kib}, {4, 1024 * kib}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Bandwidth, c.Parallel = int64(tt.bandwidth), tt.parallel }, mediatest.InMemory())
				start := time.Now()
				var wg sync.WaitGroup
				for i := range 3 { // in parts, in parts, in one piece
					wg.Go(func() {
						data := random([]int{1000 * kib, 1500 * kib, 60 * kib}[i])
						_, err := r.Upload(ctx, bytesSource(fmt.Sprintf("%d.mp4", i), data), VODVideo{})
						require.NoError(t, err)
					})
				}
				wg.Wait()
				require.InEpsilon(t, 2560.0*kib/float64(tt.bandwidth), time.Since(start).Seconds(), 0.1)
			})
		})
	}
}

// TestUpload_B41_SlicesShareTheBandwidth: so do the files of a playlist.
func TestUpload_B41_SlicesShareTheBandwidth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := season(20, 128*kib)
		r := newRig(t, func(c *Config) { c.Bandwidth = f.size() / 10 }, mediatest.InMemory())
		start := time.Now()
		_, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		require.InEpsilon(t, 10, time.Since(start).Seconds(), 0.1)
	})
}

func TestUpload_B41_ThrottledIsNotStalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Two bytes a second over four uploads: each waits for longer than
		// the time after which a connection counts as stalled.
		r := newRig(t, func(c *Config) { c.Bandwidth, c.StallTimeout = 2, time.Second }, mediatest.InMemory(), mediatest.CredentialLife(3000*time.Second))
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				_, err := r.Upload(ctx, bytesSource(fmt.Sprintf("%d.mp4", i), random(100)), VODVideo{})
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 4, r.Calls("PutObject"), "none was repeated")
	})
}

func TestUpload_B41_CancelWakesAThrottledSender(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"put": kib, "parts": 500 * kib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Bandwidth, c.StallTimeout = 1, 24*time.Hour }, mediatest.InMemory())
				ctx, cancel := context.WithTimeout(ctx, 10*time.Second+time.Millisecond)
				defer cancel()
				start := time.Now()
				res, err := r.Upload(ctx, bytesSource("a.mp4", random(size)), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Less(t, time.Since(start), 11*time.Second)
				require.Empty(t, r.Uploads())
			})
		})
	}
}

// TestUpload_B42_AFailingFileHoldsNoSlot: while one file waits for another
// try, the only slot serves the others.
func TestUpload_B42_AFailingFileHoldsNoSlot(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"put": kib, "parts": 500 * kib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) {
					c.Parallel = 1
					c.Retry.MaxAttempts, c.Retry.BaseDelay, c.Retry.MaxDelay = 100, time.Hour, time.Hour
				}, mediatest.InMemory())
				isBad := func(q mediatest.Request) bool { return q.Params.Get("partNumber") != "" || q.Operation == "PutObject" }
				r.Fault(mediatest.Fault{Match: isBad, Times: 5, Status: 503, RetryAfter: time.Hour})
				ctx, cancel := context.WithCancelCause(ctx)
				enough := errors.New("enough")
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := r.Upload(ctx, bytesSource("bad.mp4", random(size)), VODVideo{})
					require.ErrorIs(t, err, enough)
				})
				time.Sleep(time.Minute)
				r.ClearFaults()
				start := time.Now()
				_, err := r.Upload(ctx, bytesSource("good.mp4", random(500*kib)), VODVideo{})
				require.NoError(t, err)
				require.Less(t, time.Since(start), time.Minute)
				cancel(enough)
				wg.Wait()
			})
		})
	}
}

// TestUpload_B42_SlicesShareTheSlots: playlists have no more requests under way
// than other files.
func TestUpload_B42_SlicesShareTheSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Parallel = 3 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Second})
		var wg sync.WaitGroup
		start := time.Now()
		for range 2 {
			wg.Go(func() {
				_, err := r.Upload(ctx, HLSFS(season(14, kib).fs(), "index.m3u8"), VODVideo{})
				require.NoError(t, err)
			})
		}
		wg.Wait()
		require.Equal(t, 30, r.Calls("PutObject"))
		require.GreaterOrEqual(t, time.Since(start), 10*time.Second, "three at a time, a second each")
		require.Less(t, time.Since(start), 13*time.Second)
	})
}

// TestUpload_B42_CancelEndsTheWaitForASlot: while another file has the only one.
func TestUpload_B42_CancelEndsTheWaitForASlot(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"put": kib, "parts": 500 * kib} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Parallel, c.StallTimeout = 1, 24*time.Hour }, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: "PutObject", Delay: time.Hour})
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := r.Upload(ctx, bytesSource("slow.mp4", random(kib)), VODVideo{})
					require.NoError(t, err)
				})
				time.Sleep(time.Second)
				waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				start := time.Now()
				res, err := r.Upload(waiting, bytesSource("a.mp4", random(size)), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Less(t, time.Since(start), 12*time.Second)
				wg.Wait()
			})
		})
	}
}

func TestUpload_B41_NegativeBandwidth(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Bandwidth: -1})
	require.ErrorContains(t, err, "Config.Bandwidth is -1 bytes per second")
}

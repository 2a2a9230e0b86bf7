package upload

import (
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
	for _, tt := range []struct{ parallel, bandwidth int }{{4, 256 * kib}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, func(c *Config) { c.Bandwidth, c.Parallel = int64(tt.bandwidth), tt.parallel }, mediatest.InMemory())
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
		r := newEnv(t, func(c *Config) { c.Bandwidth = f.size() / 10 }, mediatest.InMemory())
		start := time.Now()
		_, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		require.InEpsilon(t, 10, time.Since(start).Seconds(), 0.1)
	})
}

// TestUpload_B42_SlicesShareTheSlots: playlists have no more requests under way
// than other files.
func TestUpload_B42_SlicesShareTheSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel = 3 }, mediatest.InMemory())
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

func TestUpload_B41_NegativeBandwidth(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Bandwidth: -1})
	require.ErrorContains(t, err, "Config.Bandwidth is -1 bytes per second")
}

package transfer

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/stretchr/testify/require"
)

const workers = 16

var ctx = context.Background()

// askTogether has several goroutines ask for credentials at the same moment and
// returns what they get.
func askTogether(t *testing.T, c *RefreshingCredential) []string {
	ids := make([]string, workers)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			keys, err := c.Credentials(ctx)
			if err != nil {
				t.Error(err)
			}
			ids[i] = keys.AccessKeyId
		})
	}
	wg.Wait()
	return ids
}

func TestCredential_B01_WhenDue(t *testing.T) {
	t.Parallel()
	for life, due := range map[time.Duration]time.Duration{
		3000 * time.Second: 2400 * time.Second, // 80 %
		1500 * time.Second: 1200 * time.Second,
		1000 * time.Second: 700 * time.Second, // 300 s ahead
		600 * time.Second:  300 * time.Second,
		100 * time.Second:  50 * time.Second, // half, for there are no 300 s
	} {
		t.Run(life.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				issued := 0
				c := NewRefreshingCredential(Issued{Life: life}, func(context.Context) (Issued, error) {
					issued++
					time.Sleep(10 * time.Second)
					return Issued{Life: life, Credentials: credentials.Credentials{AccessKeyId: fmt.Sprint(issued)}}, nil
				}, false, slog.New(slog.DiscardHandler))
				time.Sleep(due - 1)
				require.Equal(t, make([]string, workers), askTogether(t, c), "the first still serves")
				time.Sleep(time.Nanosecond)
				require.Equal(t, slices.Repeat([]string{"1"}, workers), askTogether(t, c), "all of them get the second")
				require.Equal(t, 1, issued)
				time.Sleep(due - 1)
				require.Equal(t, slices.Repeat([]string{"1"}, workers), askTogether(t, c))
				time.Sleep(time.Nanosecond)
				require.Equal(t, slices.Repeat([]string{"2"}, workers), askTogether(t, c))
			})
		})
	}
}

// TestCredential_B03_AskedLessAndLess: sixteen workers that want credentials every
// second do not mean a refresh every second.
func TestCredential_B03_AskedLessAndLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []float64
		start := time.Now()
		busy := &alimedia.Error{Code: "ServiceUnavailable", StatusCode: 503}
		c := NewRefreshingCredential(Issued{Life: 3000 * time.Second}, func(context.Context) (Issued, error) {
			asked = append(asked, time.Since(start).Seconds())
			time.Sleep(10 * time.Second)
			return Issued{}, busy
		}, false, slog.New(slog.DiscardHandler))
		for time.Since(start) < 2990*time.Second {
			askTogether(t, c)
			time.Sleep(time.Second)
		}
		require.Equal(t, []float64{2400, 2415, 2435, 2465, 2515, 2605, 2775}, asked)
		time.Sleep(10 * time.Second)
		_, err := c.Credentials(ctx)
		require.ErrorIs(t, err, busy, "there is none any more")
		require.True(t, Transient(err))
	})
}

func TestCredential_ShortLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// A life of 100 s is less than the 300 s of reserve: half of it serves.
		issued := 0
		refresh := func(context.Context) (Issued, error) {
			issued++
			return Issued{Life: 100 * time.Second, Credentials: credentials.Credentials{AccessKeyId: fmt.Sprint(issued)}}, nil
		}
		c := NewRefreshingCredential(Issued{Life: 100 * time.Second}, refresh, false, slog.New(slog.DiscardHandler))
		for range 100 {
			_, err := c.Credentials(ctx)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.Equal(t, 1, issued)
	})
}

func TestCredential_CancelledWhileAnotherAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		refresh := func(context.Context) (Issued, error) {
			<-release
			return Issued{Life: time.Hour, Credentials: credentials.Credentials{AccessKeyId: "new"}}, nil
		}
		c := NewRefreshingCredential(Issued{}, refresh, false, slog.New(slog.DiscardHandler))
		go func() { _, _ = c.Credentials(ctx) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := c.Credentials(ctx)
		require.ErrorIs(t, err, context.Canceled)
		close(release)
	})
}

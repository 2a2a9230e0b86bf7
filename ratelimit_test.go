package alimedia_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alimedia.NewRateLimit(map[string]float64{"Slow": 2, "*": 10, "Free": 0})
		took := func(action string, calls int) time.Duration {
			start := time.Now()
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() { require.NoError(t, l.Wait(t.Context(), action)) })
			}
			wg.Wait()
			return time.Since(start).Round(time.Millisecond)
		}
		require.Equal(t, 4*time.Second, took("Slow", 10), "two ahead, then two a second")
		require.Equal(t, 2*time.Second, took("Other", 30))
		require.Zero(t, took("Free", 1000))
	})
}

func TestRateLimit_EndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alimedia.NewRateLimit(map[string]float64{"Slow": 0.1})
		require.NoError(t, l.Wait(t.Context(), "Slow"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		require.ErrorIs(t, l.Wait(ctx, "Slow"), context.Canceled)
		require.Equal(t, time.Second, time.Since(start))

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.Wait(ctx, "Slow"), context.DeadlineExceeded)
	})
	var none *alimedia.RateLimit
	require.NoError(t, none.Wait(t.Context(), "X"))
}

func TestNewRateLimitFunc(t *testing.T) {
	t.Parallel()
	var asked []string
	refused := errors.New("no turn")
	l := alimedia.NewRateLimitFunc(func(_ context.Context, action string) error {
		if asked = append(asked, action); action == "GetPlayInfo" {
			return refused
		}
		return nil
	})
	require.NoError(t, l.Wait(t.Context(), "RegisterMedia"))
	require.ErrorIs(t, l.Wait(t.Context(), "GetPlayInfo"), refused)
	require.Equal(t, []string{"RegisterMedia", "GetPlayInfo"}, asked)
}

package alimedia_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func TestPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var waits []time.Duration
		state, err := alimedia.Poll(t.Context(), 2*time.Second, func(context.Context) (string, bool, error) {
			waits = append(waits, time.Since(start))
			start = time.Now()
			return "Normal", len(waits) == 9, nil
		})
		require.NoError(t, err)
		require.Equal(t, "Normal", state)
		s := time.Second
		require.Equal(t, []time.Duration{0, 2 * s, 3 * s, 4500 * time.Millisecond, 6750 * time.Millisecond, 10125 * time.Millisecond, 15187500 * time.Microsecond, 16 * s, 16 * s}, waits)
	})
}

func TestPoll_EndsWithContextAndKeepsTheLastState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		state, err := alimedia.Poll(ctx, 0, func(context.Context) (string, bool, error) { return "Preparing", false, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "Preparing", state)
	})
	cause := errors.New("x")
	_, err := alimedia.Poll(t.Context(), 0, func(context.Context) (int, bool, error) { return 0, false, cause })
	require.ErrorIs(t, err, cause)
}

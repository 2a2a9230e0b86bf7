package batch

import (
	"context"
	"errors"
	"iter"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted yields the numbers below n and counts how far it was read.
func counted(n int, read *atomic.Int64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			read.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

func TestRun_ReadsNoFartherThanItWorks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		places int
		most   int // 4 workers, a group that waits for one, the item in the channel, and incomplete groups
	}{
		"one place":           {1, 4*10 + 10 + 1},
		"a place each":        {1_000_000, 4 + 1 + 1 + maxWaiting},
		"more than may wait":  {1500, 4 + 1 + 1 + maxWaiting},
		"a few that may wait": {20, 4*10 + 10 + 1 + 20*9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var read, far atomic.Int64
				block, n := make(chan struct{}), 0
				time.AfterFunc(time.Hour, func() {
					far.Store(read.Load())
					close(block)
				})
				plan := Plan[int]{Workers: 4, Size: 10, Place: func(i int) string { return strconv.Itoa(i % c.places) }}
				for range Run(t.Context(), counted(5000, &read), plan, func(_ context.Context, group []Item[int], emit func(int)) {
					<-block
					for _, item := range group {
						emit(item.In)
					}
				}) {
					n++
				}
				require.Equal(t, 5000, n)
				require.LessOrEqual(t, int(far.Load()), c.most)
			})
		})
	}
}

func TestRun_GroupsHaveOnePlace(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sizes []int
	var read atomic.Int64
	plan := Plan[int]{Workers: 3, Size: 4, Place: func(i int) string { return strconv.Itoa(i % 3) }}
	got := slices.Collect(Run(t.Context(), counted(31, &read), plan, func(_ context.Context, group []Item[int], emit func(int)) {
		mu.Lock()
		sizes = append(sizes, len(group))
		mu.Unlock()
		for _, item := range group {
			require.Equal(t, group[0].In%3, item.In%3)
			require.Equal(t, item.Index, item.In)
			emit(item.In)
		}
	}))
	slices.Sort(got)
	require.Len(t, got, 31)
	require.Equal(t, 30, got[30])
	slices.Sort(sizes)
	require.Equal(t, []int{2, 2, 3, 4, 4, 4, 4, 4, 4}, sizes)
}

// While all workers are busy, incomplete groups grow instead of being sent.
func TestRun_IncompleteGroupsWaitWhileAllWorkersAreBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		items := func(yield func(int) bool) {
			for i := range 20 {
				time.Sleep(500 * time.Millisecond)
				if !yield(i) {
					return
				}
			}
		}
		var sizes []int
		n := 0
		for range Run(t.Context(), items, Plan[int]{Workers: 1, Size: 10}, func(_ context.Context, group []Item[int], emit func(int)) {
			sizes = append(sizes, len(group))
			time.Sleep(4 * time.Second)
			for _, item := range group {
				emit(item.In)
			}
		}) {
			n++
		}
		require.Equal(t, 20, n)
		require.Less(t, len(sizes), 5, "%v", sizes)
	})
}

func TestRun_ASequenceThatBlocksIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		unblock := make(chan struct{})
		items := func(yield func(int) bool) { _ = yield(1); <-unblock }
		start := time.Now()
		got := slices.Collect(Run(ctx, items, Plan[int]{Workers: 1, Size: 1}, func(_ context.Context, group []Item[int], emit func(int)) { emit(group[0].In) }))
		require.Equal(t, []int{1}, got)
		require.Equal(t, time.Minute+2*grace, time.Since(start))
		close(unblock)
	})
}

func TestCall(t *testing.T) {
	t.Parallel()
	throttled := &alimedia.Error{Code: "Throttling.User", StatusCode: 400, RetryAfter: 10 * time.Second}
	lost := errors.Join(errors.New("connection reset"), alimedia.ErrOutcomeUnknown)
	for name, c := range map[string]struct {
		err   error
		calls int
		least time.Duration
	}{
		"throttled":       {throttled, 8, 70 * time.Second},
		"service failure": {&alimedia.Error{Code: "InternalError", StatusCode: 500}, 8, 0},
		"lost":            {lost, 8, 0},
		"no connection":   {&net.OpError{Op: "dial", Err: errors.New("refused")}, 8, 0},
		"rejected":        {&alimedia.Error{Code: "InvalidParameter", StatusCode: 400}, 1, 0},
		"not sent":        {&alimedia.ValidationError{}, 1, 0},
		"no credentials":  {errors.New("no credentials"), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls, start := 0, time.Now()
				err := Call(t.Context(), func() error { calls++; return c.err })
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.calls, calls)
				require.GreaterOrEqual(t, time.Since(start), c.least)
				require.Less(t, time.Since(start), 5*time.Minute)

				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				start = time.Now()
				require.ErrorIs(t, Call(ctx, func() error { return c.err }), c.err)
				require.LessOrEqual(t, time.Since(start), time.Millisecond)
			})
		})
	}
}

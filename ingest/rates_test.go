package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryLedger is a ledger that takes a moment to answer and may be down.
type memoryLedger struct {
	mu       sync.Mutex
	next     time.Time
	revision uint64
	down     bool
	answer   time.Duration
	stores   int
}

func (l *memoryLedger) load(context.Context, string) (time.Time, uint64, error) {
	time.Sleep(l.answer)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return time.Time{}, 0, errStore
	}
	return l.next, l.revision, nil
}

func (l *memoryLedger) store(_ context.Context, _ string, next time.Time, revision uint64) error {
	time.Sleep(l.answer)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return errStore
	}
	if revision != l.revision {
		return errMoved
	}
	l.next = next
	l.revision++
	l.stores++
	return nil
}

// team is 50 workers that call one operation whenever they may.
type team struct {
	ledger *memoryLedger
	rates  []*rates

	mu    sync.Mutex
	calls []time.Time
}

func newTeam(n int, rate float64) *team {
	g := &team{ledger: &memoryLedger{answer: time.Millisecond}}
	for i := range n {
		// The clocks of the machines differ by up to a minute.
		skew := time.Duration(i%7-3) * 20 * time.Second
		r := &rates{limits: make(map[string]*timeline), store: g.ledger, now: func() time.Time { return time.Now().Add(skew) }}
		r.skew.Store(int64(-skew))
		r.workers.Store(int64(n))
		r.add("vod", map[string]float64{"RegisterMedia": rate}, 0.95)
		g.rates = append(g.rates, r)
	}
	return g
}

// run lets several goroutines of each worker call for a while.
func (g *team) run(t *testing.T, d time.Duration, goroutines int) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for _, r := range g.rates {
		turn := r.of("vod")
		for range goroutines {
			wg.Go(func() {
				for turn(ctx, "RegisterMedia") == nil {
					g.mu.Lock()
					g.calls = append(g.calls, time.Now())
					g.mu.Unlock()
					time.Sleep(rand.N(300 * time.Millisecond)) // the call
				}
			})
		}
	}
	wg.Wait()
	synctest.Wait()
}

// most is the highest number of calls within any second.
func (g *team) most() (most int) {
	slices.SortFunc(g.calls, time.Time.Compare)
	for i, j := 0, 0; i < len(g.calls); i++ {
		for g.calls[i].Sub(g.calls[j]) >= time.Second {
			j++
		}
		most = max(most, i-j+1)
	}
	return most
}

// TestRates_FiftyWorkers: together they are never above the documented rate, and
// near it while there is work.
func TestRates_FiftyWorkers(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{10, 50, 80, 360} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newTeam(50, rate)
				g.run(t, time.Minute, 8)
				require.LessOrEqual(t, float64(g.most()), rate, "calls within a second")
				require.Greater(t, float64(len(g.calls)), 60*rate*0.95*0.95, "calls in a minute")
			})
		})
	}
}

// TestRates_OneWorkerGetsAll of the rate if the others are idle.
func TestRates_OneWorkerGetsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTeam(50, 50)
		g.rates = g.rates[:1]
		g.run(t, time.Minute, 30)
		require.LessOrEqual(t, g.most(), 50)
		require.Greater(t, len(g.calls), 60*50*9/10)
	})
}

// TestRates_StoreIsDown: workers that cannot agree stay below the rate together.
func TestRates_StoreIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTeam(50, 50)
		g.ledger.down = true
		g.run(t, time.Minute, 8)
		require.LessOrEqual(t, g.most(), 50)
		require.Greater(t, len(g.calls), 60*50*2/5, "half of the rate")
		// A worker that does not know of the others yet.
		g = newTeam(1, 50)
		g.ledger.down = true
		g.rates[0].workers.Store(0)
		g.run(t, time.Minute, 8)
		require.LessOrEqual(t, g.most(), 6)
		require.NotEmpty(t, g.calls)
	})
}

// TestRates_WrongClock: one worker whose clock was wrong does not stop the others.
func TestRates_WrongClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTeam(5, 50)
		g.ledger.next = time.Now().Add(24 * time.Hour)
		g.run(t, 10*time.Second, 8)
		require.Greater(t, len(g.calls), 10*50*8/10)
		require.LessOrEqual(t, g.most(), 50)
	})
}

func TestRates_EndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newTeam(1, 0.01)
		turn := g.rates[0].of("vod")
		require.NoError(t, turn(t.Context(), "GetPlayInfo"), "not limited")
		require.NoError(t, turn(t.Context(), "RegisterMedia"), "the first one")
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(gone) })
		began := time.Now()
		require.ErrorIs(t, turn(ctx, "RegisterMedia"), gone)
		require.Equal(t, time.Second, time.Since(began))
		synctest.Wait()
	})
}

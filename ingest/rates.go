package ingest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// rates give the calls of this worker their turns. All calls of an operation in
// the fleet have slots on one timeline, a fixed distance apart. A worker reserves
// as many slots as it has calls that wait, and uses each at its time. So calls
// never come closer than the rate permits, however many workers there are.
//
// The time is that of the key-value store: each worker knows how far its own
// clock is from it.
type rates struct {
	limits  map[string]*timeline
	store   ledger
	workers atomic.Int64 // that were alive lately
	skew    atomic.Int64 // nanoseconds that the clock of the store is ahead

	kv  jetstream.KeyValue // of the workers
	now func() time.Time
}

// ledger stores when the next free slot of a timeline is.
type ledger interface {
	load(ctx context.Context, name string) (next time.Time, revision uint64, err error)
	// store fails with errMoved if the revision is not the latest.
	store(ctx context.Context, name string, next time.Time, revision uint64) error
}

var errMoved = errors.New("another worker has reserved")

const (
	reserveTime = 2 * time.Second // for one reservation
	maxAhead    = 10 * time.Minute
	minWorkers  = 5 // that are assumed while the store is not available
)

func newRates(f *Fleet, cfg WorkerConfig) *rates {
	r := &rates{limits: make(map[string]*timeline), store: &bucketLedger{f.shared}, kv: f.workers, now: time.Now}
	r.add("vod", cfg.Rates, cfg.Share)
	r.add("ice", cfg.ICERates, cfg.Share)
	return r
}

func (r *rates) add(product string, perSecond map[string]float64, share float64) {
	for operation, rate := range perSecond {
		if rate > 0 && share > 0 {
			name := product + "." + operation
			r.limits[name] = &timeline{rates: r, name: name, distance: time.Duration(float64(time.Second) / (rate * share))}
		}
	}
}

// of returns the turns of the operations of a product.
func (r *rates) of(product string) func(context.Context, string) error {
	return func(ctx context.Context, operation string) error {
		if t := r.limits[product+"."+operation]; t != nil {
			return t.wait(ctx)
		}
		return nil
	}
}

// observe learns how many workers there are and what time it is in the store,
// which has stored the entry of this worker between two times.
func (r *rates) observe(ctx context.Context, id string, from, to time.Time) error {
	entry, err := r.kv.Get(ctx, id)
	if err != nil {
		return err
	}
	half := to.Sub(from) / 2
	skew := entry.Created().Sub(from.Add(half))
	if skew.Abs() <= half+time.Millisecond { // the clocks may be the same
		skew = 0
	}
	r.skew.Store(int64(skew))
	keys, err := r.kv.ListKeys(ctx)
	if err != nil {
		return err
	}
	n := int64(0)
	for range keys.Keys() {
		n++
	}
	r.workers.Store(n)
	return nil
}

// timeline is one operation.
type timeline struct {
	*rates
	name     string
	distance time.Duration // between two calls

	mu        sync.Mutex
	waiting   []chan time.Time // of calls, in their order
	reserving bool
	alone     time.Time // the next free slot while the store is not available
}

// wait returns when the slot of the call has come.
func (t *timeline) wait(ctx context.Context) error {
	slot := make(chan time.Time, 1)
	t.mu.Lock()
	t.waiting = append(t.waiting, slot)
	if !t.reserving {
		t.reserving = true
		go t.reserve()
	}
	t.mu.Unlock()
	var at time.Time
	select {
	case at = <-slot:
	case <-ctx.Done():
		t.leave(slot)
		return context.Cause(ctx)
	}
	timer := time.NewTimer(at.Sub(t.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *timeline) leave(slot chan time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.waiting {
		if other == slot {
			t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
			return
		}
	}
}

// reserve reserves slots until no call waits for one.
func (t *timeline) reserve() {
	for {
		t.mu.Lock()
		n := len(t.waiting)
		if n == 0 {
			t.reserving = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		// Not more than those of one second, so that others get their share.
		first, n := t.slots(min(n, max(1, int(time.Second/t.distance))))
		t.mu.Lock()
		n = min(n, len(t.waiting))
		for i, slot := range t.waiting[:n] {
			slot <- first.Add(time.Duration(i) * t.distance)
		}
		t.waiting = append([]chan time.Time(nil), t.waiting[n:]...)
		t.mu.Unlock()
	}
}

// slots reserves up to n slots and returns the time of the first one.
func (t *timeline) slots(n int) (first time.Time, reserved int) {
	ctx, cancel := context.WithTimeout(context.Background(), reserveTime)
	defer cancel()
	skew := time.Duration(t.skew.Load())
	for {
		next, revision, err := t.store.load(ctx, t.name)
		if err == nil {
			now := t.now().Add(skew)
			if next.Before(now) || next.After(now.Add(maxAhead)) { // nobody waits that long: a clock was wrong
				next = now
			}
			err = t.store.store(ctx, t.name, next.Add(time.Duration(n)*t.distance), revision)
		}
		switch {
		case err == nil:
			return next.Add(-skew), n
		case !errors.Is(err, errMoved):
			return t.slotAlone(), 1
		}
		select {
		case <-ctx.Done():
			return t.slotAlone(), 1
		case <-time.After(rand.N(5 * time.Millisecond)):
		}
	}
}

// slotAlone takes a share that is safe although nobody knows of it: half of the
// share of each worker, of those that were alive lately.
func (t *timeline) slotAlone() time.Time {
	distance := t.distance * time.Duration(2*max(minWorkers, t.workers.Load()))
	if now := t.now(); t.alone.Before(now) {
		t.alone = now.Add(rand.N(distance)) // workers do not begin together
	}
	slot := t.alone
	t.alone = slot.Add(distance)
	return slot
}

// bucketLedger is a ledger in the key-value store.
type bucketLedger struct{ kv jetstream.KeyValue }

func (l *bucketLedger) load(ctx context.Context, name string) (time.Time, uint64, error) {
	entry, err := l.kv.Get(ctx, "rate."+name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return time.Time{}, 0, nil
	}
	if err != nil {
		return time.Time{}, 0, err
	}
	nanos, err := strconv.ParseInt(string(entry.Value()), 10, 64)
	if err != nil {
		nanos = 0 // not ours: begin now
	}
	return time.Unix(0, nanos), entry.Revision(), nil
}

func (l *bucketLedger) store(ctx context.Context, name string, next time.Time, revision uint64) error {
	_, err := l.kv.Update(ctx, "rate."+name, strconv.AppendInt(nil, next.UnixNano(), 10), revision)
	if isMismatch(err) {
		return errMoved
	}
	return err
}

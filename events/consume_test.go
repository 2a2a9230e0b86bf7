package events_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
)

// memory is a queue in memory that waits for messages for 20 seconds.
type memory struct {
	mu         sync.Mutex
	messages   []*inMemory
	visibility time.Duration
	silent     bool // does not say how long messages are hidden
	quick      bool // does not wait for messages
	fail       func(request string) error

	receives, hides int
	hidden          []time.Duration
	asked           []int
}

type inMemory struct {
	events.Message
	visible time.Time
	serial  int
}

func newMemory(bodies ...string) *memory {
	q := &memory{visibility: 30 * time.Second}
	for _, body := range bodies {
		q.add(body)
	}
	return q
}

func (q *memory) add(body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = append(q.messages, &inMemory{Message: events.Message{Id: fmt.Sprint("m", len(q.messages)), Body: []byte(body)}})
}

func (q *memory) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.messages)
}

func (q *memory) error(request string) error {
	if q.fail == nil {
		return nil
	}
	return q.fail(request)
}

func (q *memory) begin(limit int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.receives++
	q.asked = append(q.asked, limit)
	return q.error("Receive")
}

func (q *memory) Receive(ctx context.Context, limit int) ([]events.Message, error) {
	if err := q.begin(limit); err != nil {
		return nil, err
	}
	for end := time.Now().Add(20 * time.Second); ; {
		q.mu.Lock()
		var all []events.Message
		for _, m := range q.messages {
			if len(all) == limit || m.visible.After(time.Now()) {
				continue
			}
			m.Attempts++
			m.hide(q.visibility)
			copied := m.Message
			if copied.Visibility = q.visibility; q.silent {
				copied.Visibility = 0
			}
			all = append(all, copied)
		}
		q.mu.Unlock()
		if len(all) > 0 || q.quick || !time.Now().Before(end) {
			return all, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (m *inMemory) hide(d time.Duration) {
	m.serial++
	m.Receipt = fmt.Sprint(m.Id, "/", m.serial)
	m.visible = time.Now().Add(d)
}

// find finds the hidden message of a receipt.
func (q *memory) find(receipt string) (int, error) {
	for i, m := range q.messages {
		if m.Receipt == receipt && m.visible.After(time.Now()) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("memory: %w", events.ErrLost)
}

func (q *memory) Delete(_ context.Context, receipt string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.error("Delete"); err != nil {
		return err
	}
	i, err := q.find(receipt)
	if err == nil {
		q.messages = append(q.messages[:i:i], q.messages[i+1:]...)
	}
	return err
}

func (q *memory) Hide(_ context.Context, receipt string, d time.Duration) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hides++
	if err := q.error("Hide"); err != nil {
		return "", err
	}
	i, err := q.find(receipt)
	if err != nil {
		return "", err
	}
	q.hidden = append(q.hidden, d)
	q.messages[i].hide(d)
	return q.messages[i].Receipt, nil
}

func eventOf(id string) string { return `{"EventType":"FileUploadComplete","VideoId":"` + id + `"}` }

// consumed is a running Consume.
type consumed struct {
	log    bytes.Buffer
	cancel context.CancelFunc
	done   chan error
}

func consume(t *testing.T, q events.Queue, cfg events.ConsumeConfig, handle func(context.Context, events.Event) error) *consumed {
	ctx, cancel := context.WithCancel(t.Context())
	c := &consumed{cancel: cancel, done: make(chan error, 1)}
	cfg.Logger = slog.New(slog.NewTextHandler(&c.log, nil))
	go func() { c.done <- events.Consume(ctx, q, handle, cfg) }()
	return c
}

func (c *consumed) end(t *testing.T) {
	t.Helper()
	c.cancel()
	require.NoError(t, <-c.done, c.log.String())
}

func TestConsume_DeletesAfterHandling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory()
		for i := range 40 {
			q.add(eventOf(fmt.Sprint(i)))
		}
		var running, most, left atomic.Int32
		seen := map[string]int{}
		var mu sync.Mutex
		c := consume(t, q, events.ConsumeConfig{Concurrency: 3}, func(_ context.Context, e events.Event) error {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			left.Store(max(left.Load(), int32(q.left())))
			mu.Lock()
			seen[e.MediaId]++
			mu.Unlock()
			running.Add(-1)
			return nil
		})
		pass(20 * time.Second)
		require.Zero(t, q.left())
		c.end(t)
		require.Len(t, seen, 40)
		require.Equal(t, int32(3), most.Load())
		require.Equal(t, int32(40), left.Load(), "nothing is deleted before it is handled")
		for id, n := range seen {
			require.Equal(t, 1, n, id)
		}
		for _, n := range q.asked {
			require.LessOrEqual(t, n, 3, "no more is received than can be handled")
		}
		require.Less(t, q.receives, 60, "no busy loop")
		require.Empty(t, c.log.String())
	})
}

func TestConsume_KeepsAMessageHiddenWhileItIsHandled(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			q := newMemory(eventOf("v"))
			q.silent, q.visibility = silent, 10*time.Second
			calls := 0
			handle := func(ctx context.Context, _ events.Event) error {
				calls++
				select {
				case <-time.After(4 * time.Minute):
				case <-ctx.Done():
				}
				return ctx.Err()
			}
			c := consume(t, q, events.ConsumeConfig{}, handle)
			other := consume(t, q, events.ConsumeConfig{}, handle) // gets nothing
			pass(5 * time.Minute)
			require.Equal(t, 1, calls)
			require.Zero(t, q.left(), "deleted with the receipt of the last renewal")
			require.InDelta(t, 17, q.hides, 2)
			c.end(t)
			other.end(t)
			require.Empty(t, c.log.String()+other.log.String())
		})
	}
}

func TestConsume_RenewalIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory(eventOf("v"))
		q.fail = func(request string) error {
			if request == "Hide" && q.hides <= 3 {
				return errors.New("connection reset")
			}
			return nil
		}
		c := consume(t, q, events.ConsumeConfig{}, func(context.Context, events.Event) error { time.Sleep(2 * time.Minute); return nil })
		pass(3 * time.Minute)
		require.Zero(t, q.left())
		require.Greater(t, q.hides, 5)
		c.end(t)
		require.Contains(t, c.log.String(), "connection reset")
	})
}

func TestConsume_ALostMessageEndsItsHandler(t *testing.T) {
	t.Parallel()
	for what, failure := range map[string]error{"receipt": fmt.Errorf("x: %w", events.ErrLost), "network": errors.New("no route to host")} {
		synctest.Test(t, func(t *testing.T) {
			q := newMemory(eventOf("v"))
			q.fail = func(request string) error {
				if request == "Hide" {
					return failure
				}
				return nil
			}
			var causes []error
			began := time.Now()
			var after time.Duration
			c := consume(t, q, events.ConsumeConfig{}, func(ctx context.Context, _ events.Event) error {
				if len(causes) > 0 {
					return nil
				}
				<-ctx.Done()
				after = time.Since(began)
				causes = append(causes, context.Cause(ctx))
				return ctx.Err()
			})
			pass(5 * time.Minute)
			require.Zero(t, q.left(), "it was delivered again")
			c.end(t)
			require.Len(t, causes, 1)
			require.ErrorIs(t, causes[0], events.ErrLost)
			if what == "receipt" {
				require.InDelta(t, 15*time.Second, after, float64(time.Second))
			} else {
				require.InDelta(t, 30*time.Second, after, float64(time.Second), "while it is hidden, the handler goes on")
			}
		})
	}
}

func TestConsume_FailuresComeAgainLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory(eventOf("v"))
		var at []time.Time
		c := consume(t, q, events.ConsumeConfig{BaseDelay: 4 * time.Second, MaxDelay: 20 * time.Second}, func(context.Context, events.Event) error {
			at = append(at, time.Now())
			switch len(at) {
			case 1:
				return errors.New("database is locked; AccessKeySecret=topsecretvalue")
			case 2:
				panic("at the disco: password=topsecretvalue")
			case 3:
				runtime.Goexit()
			case 7:
				return nil
			}
			return errors.New("still")
		})
		pass(5 * time.Minute)
		require.Zero(t, q.left())
		c.end(t)
		require.Len(t, at, 7)
		for i, bound := range []time.Duration{4, 8, 0, 20, 20, 20} {
			if i == 2 {
				continue // Goexit ends with the visibility
			}
			bound *= time.Second
			require.GreaterOrEqual(t, at[i+1].Sub(at[i]), bound/2)
			require.LessOrEqual(t, at[i+1].Sub(at[i]), bound+2*time.Second)
		}
		require.Contains(t, c.log.String(), "database is locked")
		require.Contains(t, c.log.String(), "at the disco")
		require.NotContains(t, c.log.String(), "topsecretvalue")
	})
}

func TestConsume_Poison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory("no event", eventOf("bad"), eventOf("good"), strings.Repeat(" ", events.MaxBytes)+"{}")
		handled := map[string]int{}
		reasons := map[string]string{}
		refusals := 0
		failing := errors.New("cannot be handled")
		c := consume(t, q, events.ConsumeConfig{
			Concurrency: 1, MaxAttempts: 3, BaseDelay: time.Second, MaxDelay: 5 * time.Second,
			Reject: func(_ context.Context, m events.Message, reason error) error {
				if refusals++; refusals == 1 {
					return errors.New("the dead letters are full")
				}
				if refusals == 2 {
					panic("oops")
				}
				reasons[m.Id] = reason.Error()
				require.NotEmpty(t, m.Body)
				return nil
			},
		}, func(_ context.Context, e events.Event) error {
			if handled[e.MediaId]++; e.MediaId == "bad" {
				return failing
			}
			return nil
		})
		pass(2 * time.Minute)
		require.Zero(t, q.left())
		c.end(t)
		require.Equal(t, map[string]int{"bad": 3, "good": 1}, handled)
		require.Len(t, reasons, 3)
		require.Contains(t, reasons["m0"], events.ErrMalformed.Error())
		require.Equal(t, failing.Error(), reasons["m1"])
		require.Equal(t, events.ErrTooLarge.Error(), reasons["m3"])
		require.Contains(t, c.log.String(), "the dead letters are full")
	})
}

// Nothing is lost without a Reject, and messages that were delivered too often are
// not handled.
func TestConsume_PoisonWithoutReject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory("no event", eventOf("crashes"))
		q.messages[1].Attempts = 10 // processes died
		handled := 0
		c := consume(t, q, events.ConsumeConfig{MaxDelay: time.Minute}, func(context.Context, events.Event) error { handled++; return nil })
		pass(10 * time.Minute)
		c.end(t)
		require.Equal(t, 2, q.left())
		require.Zero(t, handled)
		require.InDelta(t, 10, q.messages[0].Attempts, 2, "about once a minute")
		require.Contains(t, c.log.String(), events.ErrAttempts.Error())
	})
}

func TestConsume_DamagedMessagesComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory(eventOf("v"))
		q.messages[0].Err = errors.New("checksum")
		handled := 0
		var reason error
		c := consume(t, q, events.ConsumeConfig{MaxAttempts: 4, BaseDelay: time.Second, Reject: func(_ context.Context, _ events.Message, r error) error { reason = r; return nil }},
			func(context.Context, events.Event) error { handled++; return nil })
		pass(time.Second)
		require.Equal(t, 1, q.left())
		pass(time.Minute)
		c.end(t)
		require.Zero(t, handled)
		require.EqualError(t, reason, "checksum")
		require.Zero(t, q.left())
	})
}

func TestConsume_Drain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory(eventOf("quick"), eventOf("slow"))
		ended := map[string]error{}
		var mu sync.Mutex
		c := consume(t, q, events.ConsumeConfig{DrainTimeout: time.Minute, Timeout: time.Hour}, func(ctx context.Context, e events.Event) error {
			d := 50 * time.Second
			if e.MediaId == "slow" {
				d = time.Hour
			}
			select {
			case <-time.After(d):
			case <-ctx.Done():
			}
			mu.Lock()
			defer mu.Unlock()
			ended[e.MediaId] = ctx.Err()
			return ctx.Err()
		})
		pass(1050 * time.Millisecond) // between two looks of the queue
		received := q.receives
		c.cancel()
		q.add(eventOf("late"))
		began := time.Now()
		require.NoError(t, <-c.done)
		require.Equal(t, time.Minute, time.Since(began))
		require.NoError(t, ended["quick"])
		require.ErrorIs(t, ended["slow"], context.Canceled)
		require.Equal(t, received, q.receives, "no more messages")
		require.Equal(t, 2, q.left(), "the slow one comes again: %s", c.log.String())
		require.GreaterOrEqual(t, q.hides, 2, "hidden while it drained")
	})
}

func TestConsume_HandlersThatIgnoreTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory(eventOf("v"))
		release := make(chan struct{})
		c := consume(t, q, events.ConsumeConfig{Timeout: time.Minute, DrainTimeout: time.Second}, func(context.Context, events.Event) error { <-release; return nil })
		pass(10 * time.Minute)
		require.Greater(t, q.messages[0].Attempts, 1, "others get a message whose handler hangs")
		c.cancel()
		require.ErrorIs(t, <-c.done, events.ErrNotDrained)
		close(release)
		synctest.Wait()
	})
}

func TestConsume_ErrorsOfTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory()
		failing := true
		q.fail = func(request string) error {
			switch {
			case !failing:
				return nil
			case q.receives%3 == 0:
				panic("queue")
			case q.receives%3 == 1:
				return &alimedia.Error{Action: "BatchReceiveMessage", Code: "QpsLimitExceeded", StatusCode: 503}
			}
			return errors.New("connection refused: SecurityToken=topsecretvalue")
		}
		handled := 0
		c := consume(t, q, events.ConsumeConfig{}, func(context.Context, events.Event) error { handled++; return nil })
		pass(10 * time.Minute)
		require.Less(t, q.receives, 60, "with growing delays")
		require.Greater(t, q.receives, 10)
		q.mu.Lock()
		failing = false
		q.mu.Unlock()
		q.add(eventOf("v"))
		pass(2 * time.Minute)
		require.Equal(t, 1, handled)
		c.end(t)
		require.NotContains(t, c.log.String(), "topsecretvalue")
	})
}

func TestConsume_ARefusalAtTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refusal := &alimedia.Error{Action: "BatchReceiveMessage", Code: "QueueNotExist", StatusCode: 404}
		q := newMemory()
		q.fail = func(string) error { return refusal }
		require.ErrorIs(t, <-consume(t, q, events.ConsumeConfig{}, nothing).done, refusal)

		// Later it may be a matter of time, such as a permission that changes.
		q = newMemory()
		q.fail = func(string) error {
			if q.receives == 1 || q.receives > 5 {
				return nil
			}
			return refusal
		}
		c := consume(t, q, events.ConsumeConfig{}, nothing)
		pass(5 * time.Minute)
		require.Greater(t, q.receives, 5)
		c.end(t)
	})
}

// A service may answer at once when too many requests wait.
func TestConsume_AQueueThatDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory()
		q.quick = true
		var handled atomic.Int32
		c := consume(t, q, events.ConsumeConfig{}, func(context.Context, events.Event) error { handled.Add(1); return nil })
		pass(10 * time.Minute)
		require.Less(t, q.receives, 300)
		for range 50 {
			q.add(eventOf("v"))
		}
		pass(10 * time.Second)
		require.Equal(t, int32(50), handled.Load())
		c.end(t)
	})
}

func TestConsume_DeleteIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newMemory(eventOf("v"))
		failures := 0
		q.fail = func(request string) error {
			if failures++; request == "Delete" && failures < 4 {
				return errors.New("connection reset")
			}
			return nil
		}
		handled := 0
		c := consume(t, q, events.ConsumeConfig{}, func(context.Context, events.Event) error { handled++; return nil })
		pass(20 * time.Second)
		require.Zero(t, q.left())
		require.Equal(t, 1, handled)
		c.end(t)
	})
}

// pass lets time pass until all goroutines wait again.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func nothing(context.Context, events.Event) error { return nil }

func TestConsume_RefusesItsConfig(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, events.Consume(t.Context(), nil, nothing, events.ConsumeConfig{}), "queue is nil")
	require.ErrorContains(t, events.Consume(t.Context(), newMemory(), nil, events.ConsumeConfig{}), "handle is nil")
	require.ErrorContains(t, events.Consume(t.Context(), newMemory(), nothing, events.ConsumeConfig{Visibility: -1}), "negative")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q := newMemory(eventOf("v"))
	require.NoError(t, events.Consume(ctx, q, nothing, events.ConsumeConfig{}))
	require.Zero(t, q.receives)
}

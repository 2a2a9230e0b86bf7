package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// ConsumeConfig configures [Consume]. The zero value is ready for use.
type ConsumeConfig struct {
	// Concurrency is the maximum number of events that are handled concurrently.
	// Zero means 10.
	Concurrency int

	// Timeout is how long handling one event may take. Then the context of handle
	// ends, and the message is delivered again. Zero means 5 minutes.
	Timeout time.Duration

	// Visibility is how long each renewal hides a message that is being handled.
	// Consume renews it after half of that time. If the process dies, the message
	// is delivered again after at most this time. Zero means 30 seconds; the
	// minimum is 2 seconds.
	Visibility time.Duration

	// MaxAttempts is how often a message is delivered before it is rejected. Zero
	// means 10. It has no effect on queues that do not count deliveries.
	MaxAttempts int

	// BaseDelay and MaxDelay bound the time until a message that was not handled is
	// delivered again: BaseDelay at first, twice as long after each attempt, at
	// most MaxDelay. The actual delay is random between half of that and all of it.
	// Zero means 5 seconds and 10 minutes; the minimum is 1 second.
	BaseDelay time.Duration
	MaxDelay  time.Duration

	// Reject receives the messages that are never handled: those that are no event
	// (the reason is [ErrMalformed] or [ErrTooLarge]), and those that were not
	// handled after MaxAttempts (the reason is the error of handle, or
	// [ErrAttempts]). If it returns nil, the message is deleted; store it first. If
	// it returns an error, it is called again later. Without Reject, such messages
	// stay in the queue until it drops them, and are logged each time.
	Reject func(ctx context.Context, message Message, reason error) error

	// DrainTimeout is how long handlers may go on after ctx has ended. Zero means
	// 30 seconds.
	DrainTimeout time.Duration

	// Logger receives a Warn record for each message that was not handled and for
	// each failed request to the queue. Records contain nothing of a message but
	// its Id; what looks like a secret is masked. Nil means slog.Default().
	Logger *slog.Logger
}

const (
	maxReceive   = 16               // messages of one request
	grace        = 5 * time.Second  // for handlers whose context has ended
	margin       = time.Second      // before a message becomes visible, its handler ends
	settleTime   = 15 * time.Second // to delete or hide a message
	quickReceive = time.Second      // a queue that waits for messages takes longer
)

var (
	receiveDelays = retry.Policy{BaseDelay: 500 * time.Millisecond, MaxDelay: time.Minute}
	emptyDelays   = retry.Policy{BaseDelay: 200 * time.Millisecond, MaxDelay: 5 * time.Second}
	settleDelays  = retry.Policy{MaxAttempts: 4, BaseDelay: 200 * time.Millisecond, MaxDelay: 2 * time.Second}
)

// Consume calls handle with the events of a queue until ctx ends. A message is
// deleted after handle returned nil for it, and delivered again if handle returns
// an error or panics. Every event is therefore handled at least once, and again if
// the process dies in between: make handle idempotent by [Event.Id]. Their order is
// not kept.
//
// While an event is handled, its message is kept hidden from other consumers. If
// that fails, the context of handle ends with the cause [ErrLost]. The context also
// ends after [ConsumeConfig].Timeout.
//
// When ctx ends, Consume receives no more messages, waits for the running handlers
// and returns nil. Handlers that run longer than DrainTimeout get the end of their
// context; Consume returns [ErrNotDrained] if one of them ignores it for 5 seconds.
//
// A failed Receive is repeated with growing delays. Only if the queue has refused
// every request since the start, for example because it does not exist, Consume
// returns that error.
func Consume(ctx context.Context, queue Queue, handle func(ctx context.Context, event Event) error, cfg ConsumeConfig) error {
	switch {
	case queue == nil:
		return errors.New("events: Consume: queue is nil")
	case handle == nil:
		return errors.New("events: Consume: handle is nil")
	case cfg.Concurrency < 0 || cfg.Timeout < 0 || cfg.Visibility < 0 || cfg.MaxAttempts < 0 || cfg.BaseDelay < 0 || cfg.MaxDelay < 0 || cfg.DrainTimeout < 0:
		return errors.New("events: ConsumeConfig: a value is negative")
	}
	c := &consumer{queue: queue, handle: handle, cfg: cfg}
	c.cfg.Concurrency = cmp.Or(cfg.Concurrency, 10)
	c.cfg.Timeout = cmp.Or(cfg.Timeout, 5*time.Minute)
	c.cfg.Visibility = max(cmp.Or(cfg.Visibility, 30*time.Second), 2*time.Second)
	c.cfg.MaxAttempts = cmp.Or(cfg.MaxAttempts, 10)
	c.cfg.BaseDelay = max(cmp.Or(cfg.BaseDelay, 5*time.Second), time.Second)
	c.cfg.MaxDelay = max(cmp.Or(cfg.MaxDelay, 10*time.Minute), c.cfg.BaseDelay)
	c.cfg.DrainTimeout = cmp.Or(cfg.DrainTimeout, 30*time.Second)
	c.cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	c.slots = make(chan struct{}, c.cfg.Concurrency)

	handling, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	err := c.receiveAll(ctx, handling)
	if drained := c.drain(end); err == nil {
		err = drained
	}
	return err
}

// consumer is one call of Consume.
type consumer struct {
	queue   Queue
	handle  func(context.Context, Event) error
	cfg     ConsumeConfig
	slots   chan struct{} // has one entry for each message at work
	running sync.WaitGroup
}

// receiveAll starts the handling of messages until ctx ends. handling is the
// context of the handlers.
func (c *consumer) receiveAll(ctx, handling context.Context) error {
	worked := false
	failures, empty := 0, 0
	for {
		free := c.reserve(ctx)
		if free == 0 {
			return nil
		}
		began := time.Now()
		var messages []Message
		err := c.contained(ctx, "Receive", func() (err error) {
			messages, err = c.queue.Receive(ctx, free)
			return err
		})
		messages = messages[:min(len(messages), free)] // others are delivered again
		for range free - len(messages) {
			<-c.slots
		}
		for _, message := range messages {
			c.running.Go(func() {
				defer func() { <-c.slots }()
				c.process(handling, message)
			})
		}
		var wait time.Duration
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if !worked && isRefused(err) {
				return fmt.Errorf("events: Consume: %w", err)
			}
			failures++
			wait = receiveDelays.Delay(failures, retryAfter(err))
			c.warn(ctx, "events: no messages received", "error", redact.Text(err.Error()), "failures", failures, "wait", wait)
		case len(messages) == 0 && time.Since(began) < quickReceive:
			worked, failures = true, 0
			empty++
			wait = growing(emptyDelays, empty)
		default:
			worked, failures, empty = true, 0, 0
		}
		if wait > 0 && retry.Sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// reserve waits for a free slot and takes as many as one request can fill. It
// returns 0 when ctx has ended.
func (c *consumer) reserve(ctx context.Context) int {
	select {
	case <-ctx.Done():
		return 0
	case c.slots <- struct{}{}:
	}
	if ctx.Err() != nil {
		<-c.slots
		return 0
	}
	for n := 1; n < maxReceive; n++ {
		select {
		case c.slots <- struct{}{}:
		default:
			return n
		}
	}
	return maxReceive
}

// drain waits for the handlers.
func (c *consumer) drain(end context.CancelCauseFunc) error {
	done := make(chan struct{})
	go func() {
		c.running.Wait()
		close(done)
	}()
	limit := time.NewTimer(c.cfg.DrainTimeout)
	defer limit.Stop()
	select {
	case <-done:
		return nil
	case <-limit.C:
	}
	end(fmt.Errorf("events: the consumer has waited for %v: %w", c.cfg.DrainTimeout, context.Canceled))
	limit.Reset(grace + settleTime)
	select {
	case <-done:
		return nil
	case <-limit.C:
		return ErrNotDrained
	}
}

// contained returns a panic of f as an error.
func (c *consumer) contained(ctx context.Context, what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.cfg.Logger.ErrorContext(ctx, "events: panic", "in", what, "panic", redact.Text(fmt.Sprint(p)), "stack", string(debug.Stack()))
			err = fmt.Errorf("events: %s panicked", what)
		}
	}()
	return f()
}

func (c *consumer) warn(ctx context.Context, text string, args ...any) {
	c.cfg.Logger.WarnContext(ctx, text, args...)
}

// growing is a delay between half of its bound and all of it, so that a queue has
// time to recover.
func growing(p retry.Policy, failures int) time.Duration {
	bound := p.BaseDelay << min(max(failures-1, 0), 20)
	if bound <= 0 || bound > p.MaxDelay {
		bound = p.MaxDelay
	}
	return p.Delay(failures, bound/2)
}

// isRefused reports whether an error means that the request is wrong.
func isRefused(err error) bool {
	var api *alimedia.Error
	if errors.As(err, &api) {
		return !api.Retryable() && api.StatusCode >= 400 && api.StatusCode <= 499
	}
	return !retry.Transient(err)
}

func retryAfter(err error) time.Duration {
	var api *alimedia.Error
	if errors.As(err, &api) {
		return api.RetryAfter
	}
	return 0
}

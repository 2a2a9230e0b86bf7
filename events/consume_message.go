package events

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// process handles one message and settles it.
func (c *consumer) process(ctx context.Context, m Message) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h := c.hold(ctx, m, cancel)
	defer h.release() // even if the handler ends its goroutine
	err := c.attempt(ctx, m)
	rejected := false
	if err != nil && c.isHopeless(m, err) {
		rejected = c.reject(ctx, m, err)
	}
	receipt, lost := h.release()
	// The message is settled even if the context of its handler has ended.
	settle, stop := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer stop()
	if err == nil || rejected {
		c.settle(settle, m, "Delete", func() error { return c.queue.Delete(settle, receipt) })
		return
	}
	delay := c.delay(m, err)
	c.warn(ctx, "events: message not handled", "message_id", redact.Line(m.Id), "attempts", m.Attempts, "delay", delay, "lost", lost, "error", redact.Text(err.Error()))
	if !lost {
		c.settle(settle, m, "Hide", func() error { _, err := c.queue.Hide(settle, receipt, delay); return err })
	}
}

// attempt calls handle with the event of a message.
func (c *consumer) attempt(ctx context.Context, m Message) error {
	if m.Attempts > c.cfg.MaxAttempts {
		return ErrAttempts
	}
	if m.Err != nil {
		return m.Err
	}
	event, err := Parse(m.Body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	return c.contained(ctx, "handle", func() error { return c.handle(ctx, event) })
}

// isHopeless reports whether a message is not delivered again.
func (c *consumer) isHopeless(m Message, err error) bool {
	return m.Err == nil && isMalformed(err) || m.Attempts >= c.cfg.MaxAttempts
}

func isMalformed(err error) bool { return errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge) }

// reject reports whether the message may be deleted.
func (c *consumer) reject(ctx context.Context, m Message, reason error) bool {
	if c.cfg.Reject == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Timeout)
	defer cancel()
	err := c.contained(ctx, "Reject", func() error { return c.cfg.Reject(ctx, m, reason) })
	if err != nil {
		c.warn(ctx, "events: message not rejected", "message_id", redact.Line(m.Id), "error", redact.Text(err.Error()))
	}
	return err == nil
}

// delay is the time until a message that failed is delivered again.
func (c *consumer) delay(m Message, err error) time.Duration {
	delay := c.cfg.MaxDelay
	if !c.isHopeless(m, err) {
		delay = growing(retry.Policy{BaseDelay: c.cfg.BaseDelay, MaxDelay: c.cfg.MaxDelay}, m.Attempts)
	}
	return max(delay.Round(time.Second), time.Second)
}

// settle deletes or hides a message, with retries. If it fails, the message is
// delivered again when its visibility ends.
func (c *consumer) settle(ctx context.Context, m Message, what string, do func() error) {
	for failures := 1; ; failures++ {
		err := c.contained(ctx, what, do)
		if err == nil {
			return
		}
		if errors.Is(err, ErrLost) || isRefused(err) || failures == settleDelays.MaxAttempts || retry.Sleep(ctx, settleDelays.Delay(failures, retryAfter(err))) != nil {
			c.warn(ctx, "events: message not settled", "request", what, "message_id", redact.Line(m.Id), "error", redact.Text(err.Error()))
			return
		}
	}
}

// hold is a message that is kept hidden from other consumers.
type hold struct {
	once sync.Once
	stop chan struct{}
	done chan struct{} // closed when nothing changes any more

	receipt string
	lost    bool
}

// hold keeps a message hidden until release. If that fails, it cancels the handler.
// It gives up a handler that ignores the end of its time.
func (c *consumer) hold(ctx context.Context, m Message, cancel context.CancelCauseFunc) *hold {
	h := &hold{stop: make(chan struct{}), done: make(chan struct{}), receipt: m.Receipt}
	end := time.Now().Add(max(m.Visibility-margin, 0))
	givenUp := time.Now().Add(2*c.cfg.Timeout + grace) // of handle and Reject
	go func() {
		defer close(h.done)
		for failures := 0; ; {
			if !h.wait(c.untilRenewal(end, failures)) {
				return
			}
			if time.Now().After(givenUp) {
				h.lost = true
				return
			}
			err := c.renew(ctx, h, &end)
			switch {
			case err == nil:
				failures = 0
				continue
			case m.Visibility <= 0 && !errors.Is(err, ErrLost) && failures == 0:
				end = time.Now().Add(c.cfg.Visibility - margin) // unknown: the best guess
			}
			failures++
			c.warn(ctx, "events: message not kept hidden", "message_id", redact.Line(m.Id), "failures", failures, "error", redact.Text(err.Error()))
			if errors.Is(err, ErrLost) || time.Until(end) <= 0 {
				h.lost = true
				cancel(fmt.Errorf("%w: %w", ErrLost, context.Canceled))
				return
			}
		}
	}()
	return h
}

// untilRenewal is half of the time that is left, and less after failures.
func (c *consumer) untilRenewal(end time.Time, failures int) time.Duration {
	left := max(time.Until(end), 0)
	if failures == 0 {
		return left / 2
	}
	return min(settleDelays.Delay(failures, 0), left)
}

// renew hides the message for another while. A request that takes longer than the
// time that is left is of no use.
func (c *consumer) renew(ctx context.Context, h *hold, end *time.Time) error {
	began := time.Now()
	limit := time.Until(*end)
	if limit <= 0 {
		limit = c.cfg.Visibility - margin
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(limit, settleTime))
	defer cancel()
	return c.contained(ctx, "Hide", func() error {
		receipt, err := c.queue.Hide(ctx, h.receipt, c.cfg.Visibility)
		if err == nil {
			h.receipt, *end = receipt, began.Add(c.cfg.Visibility-margin)
		}
		return err
	})
}

// wait reports whether d has passed before the release.
func (h *hold) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-h.stop:
		return false
	case <-timer.C:
		return true
	}
}

// release ends the hold. It returns the receipt that is valid now.
func (h *hold) release() (receipt string, lost bool) {
	h.once.Do(func() { close(h.stop) })
	<-h.done
	return h.receipt, h.lost
}

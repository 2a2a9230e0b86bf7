package alimedia

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/time/rate"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// RateLimit paces calls on our side, so that a batch does not run into the
// service's throttling and back-off. One RateLimit may serve several clients,
// which is right where they share an account: the services count per account.
// It is safe for concurrent use.
type RateLimit struct {
	named map[string]*rate.Limiter
	other *rate.Limiter
}

// NewRateLimit makes a RateLimit from calls per second by operation name. The
// name "*" is one limit for all operations that have none of their own;
// without it they are not paced. A rate that is not above zero means no limit.
// Each operation may run ahead by one second's worth of calls.
//
// Package vod has the documented rates: vod.DocumentedRates.
func NewRateLimit(perSecond map[string]float64) *RateLimit {
	l := &RateLimit{named: make(map[string]*rate.Limiter, len(perSecond))}
	for action, r := range perSecond {
		var limiter *rate.Limiter // nil: not paced
		if r > 0 && !math.IsInf(r, 1) {
			limiter = rate.NewLimiter(rate.Limit(r), max(1, int(r)))
		}
		if action == "*" {
			l.other = limiter
		} else {
			l.named[action] = limiter
		}
	}
	return l
}

// Wait returns when the operation may be called, or with an error when ctx
// ends before.
func (l *RateLimit) Wait(ctx context.Context, action string) error {
	if l == nil {
		return nil
	}
	limiter, ok := l.named[action]
	if !ok {
		limiter = l.other
	}
	if limiter == nil {
		return nil
	}
	if err := limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			err = retry.ContextError(ctx)
		} else {
			err = context.DeadlineExceeded // the turn would come after the deadline
		}
		return fmt.Errorf("waiting for the rate limit: %w", err)
	}
	return nil
}

package alimedia

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/time/rate"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// RateLimit limits the rate of calls in the client, so that a batch is not
// throttled by the service. Clients of the same account should share one
// RateLimit, because the services limit the rate per account. It is safe for
// concurrent use.
type RateLimit struct {
	named map[string]*rate.Limiter
	other *rate.Limiter
	turn  func(ctx context.Context, action string) error
}

// NewRateLimit returns a RateLimit with a number of calls per second for each
// operation name. The name "*" is one limit that all other operations share.
// Without it, other operations are unlimited. A rate of zero or less means
// unlimited. Each limit permits bursts of the calls of one second.
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

// NewRateLimitFunc returns a RateLimit whose Wait calls turn, so that several
// processes can share one limit. turn returns when the operation may be called,
// or an error that ends the call. It is called before every attempt and must be
// safe for concurrent use.
func NewRateLimitFunc(turn func(ctx context.Context, action string) error) *RateLimit {
	return &RateLimit{turn: turn}
}

// Wait returns when the operation may be called. It returns an error if ctx ends
// before, or if its deadline is too early.
func (l *RateLimit) Wait(ctx context.Context, action string) error {
	if l == nil {
		return nil
	}
	if l.turn != nil {
		if err := l.turn(ctx, action); err != nil {
			return fmt.Errorf("waiting for the rate limit: %w", err)
		}
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

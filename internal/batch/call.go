package batch

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// patience is how a batch goes on after its client has given up a call: some
// minutes in all, because a batch lasts longer than a short failure.
var patience = retry.Policy{MaxAttempts: 8, BaseDelay: time.Second, MaxDelay: 30 * time.Second}

// Call repeats do after throttling and failures of service or network. do is
// safe to repeat.
func Call(ctx context.Context, do func() error) error {
	for failures := 1; ; failures++ {
		err := do()
		if err == nil || ctx.Err() != nil || failures >= patience.MaxAttempts || !passing(err) {
			return err
		}
		var e *alimedia.Error
		var asked time.Duration
		if errors.As(err, &e) {
			asked = e.RetryAfter
		}
		if retry.Sleep(ctx, patience.Delay(failures, asked)) != nil {
			return err
		}
	}
}

// passing reports whether the failure may pass.
func passing(err error) bool {
	var e *alimedia.Error
	if errors.As(err, &e) {
		return alimedia.IsThrottled(err) || e.Retryable()
	}
	var network *net.OpError
	return retry.Transient(err) && (errors.Is(err, alimedia.ErrOutcomeUnknown) || errors.As(err, &network))
}

// Paced returns a change of a client's configuration: where it has no RateLimit
// the operation is called perSecond times a second at most. Attempts count, so
// that retries are paced, too.
func Paced(action string, perSecond float64) func(*alimedia.Config) {
	return func(c *alimedia.Config) {
		if c.RateLimit == nil {
			c.RateLimit = alimedia.NewRateLimit(map[string]float64{action: perSecond})
		}
	}
}

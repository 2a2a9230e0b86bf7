package alimedia

import (
	"context"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// Poll calls check until it is done or fails, or until ctx ends. The first call
// is immediate. The delay between calls starts at interval and grows by half each
// time, to at most eight times interval. An interval of zero means one second.
//
// Poll always returns the last value of check. If ctx ends, the error wraps
// ctx.Err() and the cause.
func Poll[T any](ctx context.Context, interval time.Duration, check func(context.Context) (value T, done bool, err error)) (T, error) {
	if interval <= 0 {
		interval = time.Second
	}
	longest := 8 * interval
	for {
		value, done, err := check(ctx)
		if done || err != nil {
			return value, err
		}
		if err := retry.Sleep(ctx, interval); err != nil {
			return value, fmt.Errorf("alimedia: stopped waiting: %w", err)
		}
		interval = min(interval+interval/2, longest)
	}
}

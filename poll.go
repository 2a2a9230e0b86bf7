package alimedia

import (
	"context"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// Poll calls check until it is done, fails or ctx ends. The first call is made
// at once; the waits between calls start at interval and grow by half to at
// most eight times that. An interval of zero means one second.
//
// The last value of check is returned in every case; the error of an ended ctx
// wraps ctx.Err() and its cause.
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

package transfer

import (
	"context"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// Grace periods: how long a call goes on after its context has ended, or waits
// for code of the user that does not return.
const (
	GracePeriod     = time.Second            // for a callback of the user
	LateGracePeriod = 200 * time.Millisecond // for the same after the context has ended

	cleanupGrace = 1500 * time.Millisecond // for what has to be done after the context has ended
	requestGrace = 800 * time.Millisecond  // for a request whose context has ended
)

// lateKey marks a context that outlives that of the transfer: what is done with
// it gets no more time after its end.
type lateKey struct{}

func isLate(ctx context.Context) bool { return ctx.Value(lateKey{}) != nil }

// outlive returns a context that ends d after ctx.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), lateKey{}, true))
	stop := context.AfterFunc(ctx, func() {
		_ = retry.Sleep(late, d)
		cancel()
	})
	return late, func() { stop(); cancel() }
}

// WaitFor waits for done, at most for d.
func WaitFor(done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

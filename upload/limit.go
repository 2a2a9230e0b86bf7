package upload

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// inSlot makes one attempt of a request that carries bytes. It holds one of the
// slots of all uploads while it is under way, but not during the pause before
// a repetition, so that a failing file does not hold up the others. Slots are
// given in the order of asking.
func inSlot[T any](ctx context.Context, s *sending, do func(attempt) (T, error)) (T, credentials.Credentials, error) {
	if err := acquire(ctx, s.slots); err != nil {
		var none T
		return none, credentials.Credentials{}, err
	}
	defer release(s.slots)
	return once(ctx, s.session, true, do)
}

func acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return retry.ContextError(ctx)
	}
}

func release(slots chan struct{}) { <-slots }

// limit is the bandwidth of all uploads together. Nil has no end.
type limit struct{ *rate.Limiter }

// newLimit lets an eighth of a second pass at once, which is also about how
// long a request waits for its next bytes.
func newLimit(bytesPerSecond int64) *limit {
	if bytesPerSecond <= 0 {
		return nil
	}
	return &limit{rate.NewLimiter(rate.Limit(bytesPerSecond), int(max(1, bytesPerSecond/8)))}
}

// of returns the admission of bytes for one request, see body. Our own
// throttling is not taken for a stalled connection.
func (l *limit) of(a attempt) func(int) (int, error) {
	if l == nil {
		return nil
	}
	return func(want int) (int, error) {
		n := min(want, l.Burst())
		turn := l.ReserveN(time.Now(), n)
		wait := turn.Delay()
		if wait == 0 {
			return n, nil
		}
		a.hold()
		if err := retry.Sleep(a, wait); err != nil {
			turn.Cancel()
			return 0, err
		}
		a.alive()
		return n, nil
	}
}

package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// flightLimit bounds one question to a source.
const flightLimit = 30 * time.Second

// errAbandoned ends a flight that nobody waits for any more.
var errAbandoned = errors.New("nobody waits any more")

// errSilent ends the wait for a source that does not end with its context.
var errSilent = retry.TimeLimit(fmt.Errorf("the source has not answered within %v: %w", flightLimit, os.ErrDeadlineExceeded))

type fetch func(context.Context) (Credentials, error)

// flights lets all callers of a moment share one fetch. There is never a
// second goroutine: one whose fetch ignores its context is waited for.
type flights struct {
	mu      sync.Mutex
	current *flight
}

type flight struct {
	cancel  context.CancelCauseFunc
	waiting int  // callers; guarded by flights.mu
	lasting bool // goes on without callers; guarded by flights.mu

	done      chan struct{} // closed when the fields below are set
	creds     Credentials
	err       error
	abandoned bool
}

// start sees to it that a fetch is under way, and does not wait for it.
func (g *flights) start(ctx context.Context, ask fetch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.join(ctx, ask).lasting = true
}

// do returns the outcome of the fetch under way or of a new one, or an error
// as soon as ctx ends or the source has used up its time. The last caller to
// leave ends the fetch.
func (g *flights) do(ctx context.Context, ask fetch) (Credentials, error) {
	// A source that keeps to its context ends a little earlier by itself.
	ctx, cancel := context.WithTimeoutCause(ctx, flightLimit+time.Second, errSilent)
	defer cancel()
	for {
		g.mu.Lock()
		f := g.join(ctx, ask)
		f.waiting++
		g.mu.Unlock()
		select {
		case <-f.done:
			if f.abandoned {
				continue // before this caller came
			}
			return f.creds, f.err
		case <-ctx.Done():
			g.leave(f)
			return Credentials{}, fmt.Errorf("stopped waiting: %w", retry.ContextError(ctx))
		}
	}
}

// join returns the flight under way, or starts one, which keeps the values of
// ctx but not its end: one caller's leaving must not fail the rest. The caller
// holds g.mu.
func (g *flights) join(ctx context.Context, ask fetch) *flight {
	if g.current == nil {
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		g.current = &flight{
			cancel: cancel,
			done:   make(chan struct{}),
			err:    errors.New("the source ended its goroutine"),
		}
		go g.run(ctx, g.current, ask)
	}
	return g.current
}

func (g *flights) leave(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.waiting--; f.waiting == 0 && !f.lasting {
		f.cancel(errAbandoned)
	}
}

func (g *flights) run(ctx context.Context, f *flight, ask fetch) {
	ctx, cancel := context.WithTimeout(ctx, flightLimit)
	defer cancel()
	defer func() {
		f.abandoned = f.err != nil && abandoned(ctx)
		g.mu.Lock()
		g.current = nil
		g.mu.Unlock()
		f.cancel(nil)
		close(f.done)
	}()
	f.creds, f.err = ask(ctx)
}

func abandoned(ctx context.Context) bool { return context.Cause(ctx) == errAbandoned }

package credentials

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// flightLimit bounds one question to a source, also when all who asked have
// gone. A source that ignores its context can outlast it, but only once: no
// second flight starts meanwhile.
const flightLimit = 30 * time.Second

type fetch func(context.Context) (Credentials, error)

// flights lets all callers of a moment share one fetch.
type flights struct {
	mu      sync.Mutex
	current *flight
}

type flight struct {
	done  chan struct{} // closed when the fields below are set
	creds Credentials
	err   error
}

// join returns the flight under way, or starts one. The flight keeps the
// values of ctx but not its end: one caller's leaving must not fail the rest.
func (g *flights) join(ctx context.Context, ask fetch) *flight {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current == nil {
		g.current = &flight{done: make(chan struct{}), err: errors.New(prefix + "the source ended its goroutine")}
		go g.run(context.WithoutCancel(ctx), g.current, ask)
	}
	return g.current
}

func (g *flights) run(ctx context.Context, f *flight, ask fetch) {
	ctx, cancel := context.WithTimeout(ctx, flightLimit)
	defer cancel()
	defer func() {
		g.mu.Lock()
		g.current = nil
		g.mu.Unlock()
		close(f.done)
	}()
	f.creds, f.err = ask(ctx)
}

// wait returns the outcome, or an error as soon as ctx ends.
func (f *flight) wait(ctx context.Context) (Credentials, error) {
	select {
	case <-f.done:
		return f.creds, f.err
	case <-ctx.Done():
		return Credentials{}, fmt.Errorf(prefix+"stopped waiting: %w", context.Cause(ctx))
	}
}

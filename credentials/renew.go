package credentials

import (
	"context"
	"errors"
	"fmt"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// Renew asks p for other credentials after a service has refused some, and
// reports whether p has them. It tells p of the refusal where p is an
// [Invalidator]; a Provider that is none is asked all the same, since it may
// have rotated its keys. The error says why p hands out none at all.
func Renew(ctx context.Context, p Provider, refused Credentials) (fresh Credentials, other bool, err error) {
	invalidate(p, refused)
	fresh, err = Ask(ctx, p)
	if err != nil {
		return Credentials{}, false, err
	}
	return fresh, !fresh.sameKeys(refused), nil
}

// Ask returns the credentials of p. It returns when ctx ends even where p does
// not, and a p that is nil, panics or hands out nothing usable is an error. A
// Provider that never returns keeps a goroutine of its own for each call.
func Ask(ctx context.Context, p Provider) (Credentials, error) {
	switch p.(type) {
	case local, *cache, *chain, *profileFile, *sdkProvider:
		return ask(ctx, p) // they keep to their contract
	}
	type outcome struct {
		creds Credentials
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		returned := false
		defer func() {
			if r := recover(); r != nil {
				// The value may be anything, a secret too.
				o = outcome{err: named(p, fmt.Errorf("it panicked (%T)", r))}
			} else if !returned {
				o = outcome{err: named(p, errors.New("it ended its goroutine"))}
			}
			done <- o
		}()
		o.creds, o.err = ask(ctx, p)
		if o.err == nil {
			if err := o.creds.verify(); err != nil {
				o = outcome{err: named(p, err)}
			}
		}
		returned = true
	}()
	select {
	case o := <-done:
		return o.creds, o.err
	case <-ctx.Done():
		return Credentials{}, named(p, fmt.Errorf("stopped waiting: %w", retry.ContextError(ctx)))
	}
}

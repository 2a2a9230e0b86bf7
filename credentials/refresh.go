package credentials

import (
	"context"
	"errors"
	"fmt"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// Refresh returns credentials of p after a service has rejected those in rejected,
// and reports whether the returned ones differ. If p is an [Invalidator], Refresh
// first calls Invalidate. It calls any other Provider too, because its keys may have
// been rotated. The error is that of p.
func Refresh(ctx context.Context, p Provider, rejected Credentials) (fresh Credentials, changed bool, err error) {
	invalidate(p, rejected)
	fresh, err = Ask(ctx, p)
	if err != nil {
		return Credentials{}, false, err
	}
	return fresh, !fresh.sameKeys(rejected), nil
}

// Ask returns the credentials of p. It returns when ctx ends, even if p does not. A
// p that is nil, panics or returns unusable credentials is an error. A Provider that
// never returns leaves a goroutine behind for each call.
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

package credentials

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

const (
	// refreshAhead is the least time before the expiry at which credentials are
	// refreshed. Short-lived ones are refreshed when a fifth of their life is left.
	refreshAhead = 5 * time.Minute

	// margin is the last part of a lifetime, which is not used: a request signed
	// within it could arrive too late.
	margin = 15 * time.Second

	// unknownLife is when credentials without an expiry are refreshed.
	unknownLife = 15 * time.Minute

	// errorLife is how long an error is returned again instead of calling the
	// source, while there are no valid credentials.
	errorLife = time.Second

	// longestBackoff is the maximum delay between attempts to refresh credentials
	// that are still valid.
	longestBackoff = time.Minute
)

// cache returns the credentials that it holds and calls its source only when a
// refresh is due. It has no goroutine of its own: a caller starts a flight, which
// ends by itself. Callers wait for a flight only if there are no valid credentials.
type cache struct {
	label
	ask     fetch
	drop    func(Credentials) // tells the source of refused credentials; may be nil
	flights flights

	mu        sync.Mutex
	held      *Credentials // behind a pointer, where fmt does not look
	refreshAt time.Time    // from here on they are to be replaced, though good
	expiresAt time.Time    // from here on they are no good; zero: never
	retryAt   time.Time    // the source is left alone until here
	failures  int          // since the last success
	failed    error        // the last failure
}

// Cached returns a provider that calls source once for all its callers and keeps
// the credentials. Use it for your own Provider. The providers of this package are
// already cached where that helps.
//
// Credentials are refreshed when five minutes, or a fifth, of their lifetime is
// left. Jitter makes that up to half of it earlier, so that processes that start
// together do not refresh together. During a refresh, and after a failed one,
// callers receive the old credentials while they are valid, and source is called at
// growing intervals of up to one minute. Credentials without Expires are refreshed
// every 15 minutes. Source has 30 seconds for each call.
//
// The provider implements [Invalidator].
func Cached(source Provider) Provider {
	if source == nil {
		return newCache("Cached", func(context.Context) (Credentials, error) {
			return Credentials{}, errors.New("the source is nil")
		})
	}
	c := newCache(label("Cached("+nameOf(source)+")"), source.Credentials)
	if i, ok := source.(Invalidator); ok {
		c.drop = i.Invalidate
	}
	return c
}

func newCache(name label, ask fetch) *cache { return &cache{label: name, ask: ask} }

func (c *cache) Credentials(ctx context.Context) (Credentials, error) {
	creds, err := c.credentials(ctx)
	if err != nil {
		return Credentials{}, c.fail(err)
	}
	return creds, nil
}

func (c *cache) credentials(ctx context.Context) (Credentials, error) {
	good, due, err := c.look(time.Now())
	if err != nil {
		return Credentials{}, err
	}
	if due && ctx.Err() != nil {
		return Credentials{}, retry.ContextError(ctx)
	}
	switch {
	case good == nil:
		return c.flights.do(ctx, c.refresh)
	case due:
		c.flights.start(ctx, c.refresh)
	}
	return *good, nil
}

// Invalidate implements Invalidator.
func (c *cache) Invalidate(refused Credentials) {
	c.mu.Lock()
	hit := c.held != nil && c.held.sameKeys(refused)
	if hit {
		c.held = nil
		c.retryAt = time.Time{}
	}
	c.mu.Unlock()
	if hit && c.drop != nil {
		c.drop(refused)
	}
}

// look returns the credentials that are valid now, or nil, and whether a refresh is
// due. The error is that of a source that failed shortly before.
func (c *cache) look(now time.Time) (good *Credentials, due bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	good = c.good(now)
	switch {
	case good != nil && now.Before(c.refreshAt):
		return good, false, nil
	case !now.Before(c.retryAt):
		return good, true, nil
	case good != nil:
		return good, false, nil
	default:
		return nil, false, c.failed
	}
}

// good returns the credentials if they are valid. The caller holds c.mu.
func (c *cache) good(now time.Time) *Credentials {
	if c.expiresAt.IsZero() || now.Before(c.expiresAt) {
		return c.held
	}
	return nil
}

// refresh calls the source and keeps the outcome.
func (c *cache) refresh(ctx context.Context) (Credentials, error) {
	// Another flight may have ended between the caller's look and its join.
	switch good, due, err := c.look(time.Now()); {
	case err != nil:
		return Credentials{}, err
	case !due:
		return *good, nil
	}
	creds, err := c.ask(ctx)
	if err == nil {
		err = creds.verify()
	}
	now := time.Now()
	if err == nil && !creds.Expires.IsZero() && !now.Before(creds.Expires) {
		err = fmt.Errorf("the credentials had expired at %s, before they arrived: check this machine's clock",
			creds.Expires.Format(time.RFC3339))
	}
	switch {
	case err != nil && abandoned(ctx):
		return Credentials{}, err // which says nothing about the source
	case err != nil:
		c.miss(now, err)
		return Credentials{}, err
	}
	c.keep(now, creds)
	return creds, nil
}

func (c *cache) keep(now time.Time, creds Credentials) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.failures, c.failed, c.retryAt = &creds, 0, nil, time.Time{}
	if creds.Expires.IsZero() {
		c.refreshAt, c.expiresAt = now.Add(unknownLife-upTo(unknownLife/5)), time.Time{}
		return
	}
	life := creds.Expires.Sub(now)
	ahead := min(refreshAhead, life/5)
	c.refreshAt = creds.Expires.Add(-ahead - upTo(ahead/2))
	c.expiresAt = creds.Expires.Add(-min(margin, life/10))
}

func (c *cache) miss(now time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
	c.retryAt = now.Add(errorLife)
	if c.good(now) != nil {
		backoff := min(time.Second<<min(c.failures, 6), longestBackoff)
		c.retryAt = now.Add(backoff/2 + upTo(backoff/2))
		// Once they are dead the source is needed, however often it failed.
		if !c.expiresAt.IsZero() && c.retryAt.After(c.expiresAt) {
			c.retryAt = c.expiresAt
		}
	}
	c.failures++
}

// upTo returns a random duration between zero and d, inclusive.
func upTo(d time.Duration) time.Duration { return rand.N(d + 1) }

package transfer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// Issued is an upload credential as a service has issued it.
type Issued struct {
	Credentials credentials.Credentials
	Object      string        // names the object that the credential is for
	Life        time.Duration // from the moment of issue
	// Uncertain tells that Life was counted by the local clock. The credential
	// is then used until it is refused.
	Uncertain bool
}

// RefreshingCredential is the upload credential of one asset. It is refreshed
// before it ends, once for all concurrent requests. It implements
// [credentials.Provider] and [credentials.Invalidator].
type RefreshingCredential struct {
	log *slog.Logger
	// refresh asks the service for a new credential of the same asset. Nil if
	// the service has no such operation.
	refresh func(context.Context) (Issued, error)
	// tolerant tells that a new credential for another object is ignored while
	// the old one is valid.
	tolerant bool

	lock    chan struct{} // held while the service is asked
	issued  Issued
	ends    time.Time // by the local clock, counted from when it was issued
	due     time.Time // for a refresh
	backoff time.Duration
	refused bool
	final   error // the service has named another object; it is not asked again
}

// refreshTimeout bounds one refresh with its repetitions.
const refreshTimeout = time.Minute

// NewRefreshingCredential returns a provider that begins with issued. refresh
// may be nil. With tolerant, a refreshed credential for another object is an
// error only when the old one has ended.
func NewRefreshingCredential(issued Issued, refresh func(context.Context) (Issued, error), tolerant bool, log *slog.Logger) *RefreshingCredential {
	c := &RefreshingCredential{log: log, refresh: refresh, tolerant: tolerant, lock: make(chan struct{}, 1)}
	c.accept(issued)
	return c
}

// accept takes a new credential. It is due for a refresh after 80 % of its
// life or 300 s before its end, whichever is first, but never before half of
// its life: a short life must not mean a refresh for every request.
func (c *RefreshingCredential) accept(issued Issued) {
	now := time.Now()
	life := issued.Life
	c.issued, c.refused, c.backoff = issued, false, 5*time.Second
	c.ends = now.Add(life)
	c.due = now.Add(max(life/2, min(life*8/10, life-300*time.Second)))
	c.issued.Credentials.Expires = c.ends
}

func (c *RefreshingCredential) acquire(ctx context.Context) error { return acquire(ctx, c.lock) }

// Credentials implements credentials.Provider. It returns an error that wraps
// [ErrCredentialExpired] or [ErrAddressChanged], or that of the refresh.
func (c *RefreshingCredential) Credentials(ctx context.Context) (credentials.Credentials, error) {
	return c.get(ctx, NoRequests{})
}

// get is Credentials. o is told of a refresh.
func (c *RefreshingCredential) get(ctx context.Context, o Requests) (credentials.Credentials, error) {
	if err := c.acquire(ctx); err != nil {
		return credentials.Credentials{}, err
	}
	defer release(c.lock)
	now := time.Now()
	valid := !c.refused && (c.issued.Uncertain || now.Before(c.ends))
	switch {
	case valid && (c.refresh == nil || now.Before(c.due)):
		return c.issued.Credentials, nil
	case c.refresh == nil:
		return credentials.Credentials{}, retry.Permanent(ErrCredentialExpired)
	case c.final != nil:
		return credentials.Credentials{}, c.final
	}
	reason := ReasonDue
	if c.refused {
		reason = ReasonRefused
	} else if !valid {
		reason = ReasonExpired
	}
	// Every request waits for it: a refresh that hangs has failed.
	asking, cancel := context.WithTimeout(ctx, refreshTimeout)
	fresh, err := c.refresh(asking)
	cancel()
	// A credential for another object would overwrite that object.
	if err == nil && fresh.Object != c.issued.Object {
		err = ErrAddressChanged
	}
	o.Refreshed(ctx, Refresh{Reason: reason, Duration: time.Since(now), Err: err})
	if err == nil {
		c.accept(fresh)
		c.log.InfoContext(ctx, "upload: credential refreshed", "object", fresh.Object)
		return c.issued.Credentials, nil
	}
	return c.notRefreshed(ctx, err, valid)
}

// notRefreshed continues with the old credential while that is valid.
func (c *RefreshingCredential) notRefreshed(ctx context.Context, err error, valid bool) (credentials.Credentials, error) {
	changed := errors.Is(err, ErrAddressChanged)
	switch wrapped := fmt.Errorf("refresh the upload credential: %w", err); {
	case changed && !(c.tolerant && valid):
		c.final = retry.Permanent(wrapped)
		return credentials.Credentials{}, c.final
	case !valid || ctx.Err() != nil:
		return credentials.Credentials{}, wrapped
	}
	c.log.WarnContext(ctx, "upload: credential not refreshed, the current one is still valid", "ends", c.ends, "error", shown(err))
	c.due = time.Now().Add(c.backoff)
	c.backoff *= 2
	if !Transient(err) || changed {
		c.due = c.ends
		if c.issued.Uncertain { // until it is refused
			c.due = c.due.Add(24 * time.Hour)
		}
	}
	return c.issued.Credentials, nil
}

// Invalidate implements credentials.Invalidator.
func (c *RefreshingCredential) Invalidate(refused credentials.Credentials) {
	c.lock <- struct{}{}
	defer release(c.lock)
	if sameCredentials(refused, c.issued.Credentials) {
		c.refused = true
	}
}

// current returns the credential as it is and asks for no other: it removes
// parts at an address that the service no longer names.
type current struct{ *RefreshingCredential }

// Credentials implements credentials.Provider.
func (c current) Credentials(ctx context.Context) (credentials.Credentials, error) {
	if err := c.acquire(ctx); err != nil {
		return credentials.Credentials{}, err
	}
	defer release(c.lock)
	return c.issued.Credentials, nil
}

package upload

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// store is what the engine asks of an object store about one object. Every
// error that is an answer of the store is a *refusal.
type store interface {
	put(ctx context.Context, b *body) (receipt, error)
	initiate(ctx context.Context) (uploadID string, err error)
	part(ctx context.Context, uploadID string, number int, b *body) (receipt, error)
	complete(ctx context.Context, uploadID string, parts []part) (receipt, error)
	abort(ctx context.Context, uploadID string) error
	list(ctx context.Context, uploadID string) ([]part, error)
	head(ctx context.Context) (receipt, error)
}

// receipt is what the store says it holds.
type receipt struct {
	etag     string
	size     int64 // of head only
	crc      uint64
	hasCRC   bool
	callback error // ErrCallback and why, where the object is stored nevertheless
}

// part is a part that the store has confirmed.
type part struct {
	number int
	etag   string
	size   int64
	crc    uint64
}

// refusal is an answer of the store that is an error.
type refusal struct {
	api        *alimedia.Error
	retryAfter time.Duration
	serverTime time.Time
}

func (r *refusal) Error() string { return r.api.Error() }

// Unwrap makes errors.As find the *alimedia.Error.
func (r *refusal) Unwrap() error { return r.api }

// clock is the time of the store, which may differ from ours.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) set(server time.Time) { c.offset.Store(int64(time.Until(server))) }
func (c *clock) skew() time.Duration  { return time.Duration(c.offset.Load()) }

// session is the road to one object: it signs with living credentials and
// repeats what is worth repeating.
type session struct {
	keys    credentials.Provider
	connect func(credentials.Credentials) (store, error)
	clock   *clock
	retry   alimedia.Retry
	stall   time.Duration
	log     *slog.Logger

	mu   sync.Mutex
	used credentials.Credentials // what open signs with
	open store
}

// attempt is one request: its context ends when no byte moves for too long,
// unless alive is called. Between hold and alive the time does not count.
type attempt struct {
	context.Context
	store
	alive func()
	hold  func()
}

// call makes a request until it succeeds or there is no hope.
func (s *session) call(ctx context.Context, operation string, quiet time.Duration, do func(attempt) error) error {
	return s.repeat(ctx, operation, func() (credentials.Credentials, error) { return s.once(ctx, quiet, do) })
}

// repeat mends refused credentials and a wrong clock and repeats transient
// failures after a pause.
func (s *session) repeat(ctx context.Context, operation string, once func() (credentials.Credentials, error)) error {
	var renewals, failures int
	var skewed bool
	for {
		keys, err := once()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx)
		}
		var answer *refusal
		errors.As(err, &answer)
		switch {
		case isDeadCredential(err) && renewals < 2 && s.invalidate(keys):
			renewals++
			continue
		case answer != nil && alimedia.HasCode(err, "RequestTimeTooSkewed") && !skewed && !answer.serverTime.IsZero():
			skewed = true
			s.clock.set(answer.serverTime)
			continue
		case !isTransient(err) || failures+1 >= s.retry.MaxAttempts:
			return err
		}
		pause := s.pause(failures)
		if answer != nil {
			pause = max(pause, min(answer.retryAfter, s.retry.MaxDelay))
		}
		failures++
		s.log.DebugContext(ctx, "upload: request failed, trying again", "operation", operation, "failures", failures, "pause", pause, "error", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// once makes one request and returns the credentials it was signed with.
func (s *session) once(ctx context.Context, quiet time.Duration, do func(attempt) error) (credentials.Credentials, error) {
	keys, err := s.keys.Credentials(ctx)
	if err != nil {
		return keys, err
	}
	st, err := s.storeFor(keys)
	if err != nil {
		return keys, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(quiet, func() { cancel(fmt.Errorf("%w: nothing moved for %v", ErrStalled, quiet)) })
	defer timer.Stop()
	err = do(attempt{Context: ctx, store: st, alive: func() { timer.Reset(quiet) }, hold: func() { timer.Stop() }})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrStalled) {
		err = cause
	}
	return keys, err
}

// storeFor returns a store that signs with keys, a new one when they changed.
func (s *session) storeFor(keys credentials.Credentials) (store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil && sameKeys(s.used, keys) {
		return s.open, nil
	}
	st, err := s.connect(keys)
	if err != nil {
		return nil, fatal(err)
	}
	s.open, s.used = st, keys
	return st, nil
}

// invalidate reports whether other credentials can be had.
func (s *session) invalidate(keys credentials.Credentials) bool {
	inv, ok := s.keys.(credentials.Invalidator)
	if ok {
		inv.Invalidate(keys)
	}
	return ok
}

// pause draws a wait evenly below a bound that doubles with each failure.
func (s *session) pause(failures int) time.Duration {
	bound := s.retry.BaseDelay << min(failures, 20)
	if bound <= 0 || bound > s.retry.MaxDelay {
		bound = s.retry.MaxDelay
	}
	return rand.N(bound) + 1
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func sameKeys(a, b credentials.Credentials) bool {
	return a.AccessKeyId == b.AccessKeyId && a.AccessKeySecret == b.AccessKeySecret && a.SecurityToken == b.SecurityToken
}

// isDeadCredential: a token that ended is first expired, later unknown.
func isDeadCredential(err error) bool {
	return alimedia.HasCode(err, "SecurityTokenExpired") ||
		alimedia.HasCode(err, "InvalidSecurityToken") ||
		alimedia.HasCode(err, "InvalidAccessKeyId")
}

// isTransient reports whether the same request may succeed in a moment.
func isTransient(err error) bool {
	var api *alimedia.Error
	if errors.As(err, &api) {
		return api.Retryable() || api.StatusCode == http.StatusRequestTimeout ||
			alimedia.HasCode(err, "RequestTimeout")
	}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var invalid *alimedia.ValidationError
	var fatal *fatalError
	return !errors.As(err, &certificate) && !errors.As(err, &record) &&
		!errors.As(err, &invalid) && !errors.As(err, &fatal)
}

// fatalError marks what no repetition mends, such as an error of the source.
type fatalError struct{ error }

// Unwrap returns the cause.
func (e *fatalError) Unwrap() error { return e.error }

func fatal(err error) error { return &fatalError{err} }

// grant is the credential of one upload. It is refreshed ahead of its end, and
// once whoever asks.
type grant struct {
	log *slog.Logger
	// renew asks the service for a new credential of the same asset. Nil
	// where there is no such operation.
	renew func(context.Context) (permit, error)

	lock   chan struct{} // held while one asks the service
	permit permit
	ends   time.Time // by our own clock, counted from when it was issued
	due    time.Time // for a refresh
	delay  time.Duration
	dead   bool
}

// renewTime bounds one refresh, its repetitions included.
const renewTime = time.Minute

func newGrant(p permit, renew func(context.Context) (permit, error), log *slog.Logger) *grant {
	g := &grant{log: log, renew: renew, lock: make(chan struct{}, 1)}
	g.accept(p)
	return g
}

// accept takes a new credential. It is due for a refresh after 80 % of its
// life or 300 s before its end, whichever is first, but never before half of
// its life, so that a short life does not mean a refresh for every request.
func (g *grant) accept(p permit) {
	now := time.Now()
	g.permit, g.dead, g.delay = p, false, 5*time.Second
	g.ends = now.Add(p.life)
	g.due = now.Add(max(p.life/2, min(p.life*8/10, p.life-300*time.Second)))
	g.permit.keys.Expires = g.ends
}

// Credentials implements credentials.Provider.
func (g *grant) Credentials(ctx context.Context) (credentials.Credentials, error) {
	select {
	case g.lock <- struct{}{}:
		defer func() { <-g.lock }()
	case <-ctx.Done():
		return credentials.Credentials{}, ended(ctx)
	}
	now := time.Now()
	alive := !g.dead && now.Before(g.ends)
	if alive && (g.renew == nil || now.Before(g.due)) {
		return g.permit.keys, nil
	}
	if g.renew == nil {
		return credentials.Credentials{}, fatal(ErrCredentialExpired)
	}
	// Everybody waits for it: one that hangs is one that failed.
	asking, cancel := context.WithTimeout(ctx, renewTime)
	fresh, err := g.renew(asking)
	cancel()
	// A credential for another object would write over that. The first
	// endpoint stays in use.
	if old := g.permit.address; err == nil && (fresh.Bucket != old.Bucket || fresh.Key != old.Key) {
		err = ErrAddressChanged
	}
	switch {
	case err == nil:
		g.accept(fresh)
		g.log.InfoContext(ctx, "upload: credential refreshed", "key", fresh.Key)
		return g.permit.keys, nil
	case errors.Is(err, ErrAddress) || errors.Is(err, ErrAddressChanged):
		return credentials.Credentials{}, fatal(fmt.Errorf("refresh the upload credential: %w", err))
	case !alive || ctx.Err() != nil:
		return credentials.Credentials{}, fmt.Errorf("refresh the upload credential: %w", err)
	}
	// The old one serves for a while.
	g.log.WarnContext(ctx, "upload: credential not refreshed, the old one is still valid", "ends", g.ends, "error", err)
	g.due = time.Now().Add(g.delay)
	g.delay *= 2
	if !isTransient(err) {
		g.due = g.ends
	}
	return g.permit.keys, nil
}

// Invalidate implements credentials.Invalidator.
func (g *grant) Invalidate(refused credentials.Credentials) {
	g.lock <- struct{}{}
	defer func() { <-g.lock }()
	if sameKeys(refused, g.permit.keys) {
		g.dead = true
	}
}

package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// store is what the engine asks of an object store about one object. Every
// error that is an answer of the store is a *refusal.
type store interface {
	put(ctx context.Context, b *body) (receipt, error)
	initiate(ctx context.Context) (uploadID string, err error)
	part(ctx context.Context, uploadID string, number int, b *body) (receipt, error)
	complete(ctx context.Context, uploadID string, parts []part) (receipt, error)
	abort(ctx context.Context, uploadID string) error
	// list returns the parts after the one given, and with what to ask for
	// the next page; 0 at the end.
	list(ctx context.Context, uploadID string, after int) (page []part, next int, err error)
	head(ctx context.Context) (receipt, error)
	// uploads lists the open multipart uploads of the object.
	uploads(ctx context.Context) ([]openUpload, error)
}

// receipt is what the store says it holds.
type receipt struct {
	etag     string
	size     int64         // of head only
	age      time.Duration // of head only: since the object was stored, by the clock of OSS; 0 where unknown
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

// clock is the time of one host, which may differ from ours. What a host says
// of it is corrected when it proves wrong.
type clock struct {
	offset atomic.Int64
	known  atomic.Bool // the host has told its time
}

func (c *clock) now() time.Time      { return time.Now().Add(c.skew()) }
func (c *clock) skew() time.Duration { return time.Duration(c.offset.Load()) }

// set takes the time that the host tells. It reports whether that can be.
func (c *clock) set(server time.Time) bool {
	if !plausible(server) {
		return false
	}
	c.offset.Store(int64(time.Until(server)))
	c.known.Store(true)
	return true
}

// correct takes the time of a host that found ours wrong. Unless it is the
// first correction it has to make a difference.
func (c *clock) correct(server time.Time, first bool) bool {
	if !first && server.Sub(c.now()).Abs() < time.Minute {
		return false
	}
	return c.set(server)
}

// reset forgets a correction that was of no use.
func (c *clock) reset() { c.offset.Store(0) }

// plausible bounds the time that is believed of a host. Further apart no
// certificate would be valid.
func plausible(server time.Time) bool {
	return !server.IsZero() && time.Until(server).Abs() < 400*24*time.Hour
}

// watch has c keep to the time of the services, which every answer of theirs
// tells. It reports whether they are reached on loopback.
func (cfg *Config) watch(c *clock) (local bool) {
	local = cfg.VOD != nil || cfg.ICE != nil
	change := func(client *alimedia.Config) {
		sender := *client.HTTPClient
		sender.Transport = timed{cmp.Or(sender.Transport, http.DefaultTransport), c}
		client.HTTPClient = &sender
		endpoint, err := parseEndpoint(client.Endpoint)
		local = local && err == nil && isLoopback(address{Endpoint: endpoint}.host())
	}
	if cfg.VOD != nil {
		cfg.VOD = cfg.VOD.With(change)
	}
	if cfg.ICE != nil {
		cfg.ICE = cfg.ICE.With(change)
	}
	return local
}

// timed is a transport whose answers set a clock.
type timed struct {
	http.RoundTripper
	clock *clock
}

// RoundTrip implements http.RoundTripper.
func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			t.clock.set(date)
		}
	}
	return answer, err
}

// clocks are those of all hosts that an Uploader speaks to.
type clocks struct{ hosts sync.Map }

func (c *clocks) of(host string) *clock {
	if known, ok := c.hosts.Load(host); ok {
		return known.(*clock)
	}
	known, _ := c.hosts.LoadOrStore(host, new(clock))
	return known.(*clock)
}

// session is the road to one object: it signs with living credentials and
// repeats what is worth repeating.
type session struct {
	keys    credentials.Provider
	connect func(credentials.Credentials) (store, error)
	clock   *clock
	retry   alimedia.Retry
	stall   time.Duration // between bytes of a body
	answer  time.Duration // from the last byte to the end of the answer
	log     *slog.Logger

	withoutCRC bool // Config.AllowMissingCRC

	mu   sync.Mutex
	used credentials.Credentials // what open signs with
	open store
}

// attempt is one request. While its body is sent, the context ends when no byte
// moves for too long, unless alive is called; between hold and alive the time
// does not count. After sent, and from the start where there is no body, the
// whole answer has a time of its own, however it comes.
type attempt struct {
	context.Context
	store
	alive func()
	hold  func()
	sent  func()
}

// call makes a request without bytes of the source, until it succeeds or there
// is no hope.
func (s *session) call(ctx context.Context, operation string, do func(attempt) error) error {
	_, err := request(ctx, s, operation, func(a attempt) (struct{}, error) { return struct{}{}, do(a) })
	return err
}

// request is call for a request that has a result.
func request[T any](ctx context.Context, s *session, operation string, do func(attempt) (T, error)) (T, error) {
	var result T
	err := s.repeat(ctx, operation, func() (keys credentials.Credentials, err error) {
		result, keys, err = once(ctx, s, false, do)
		return keys, err
	})
	return result, err
}

// maxCorrections of the clock: the first may have been a lie.
const maxCorrections = 3

// repeat mends refused credentials and a wrong clock and repeats transient
// failures after a pause.
func (s *session) repeat(ctx context.Context, operation string, try func() (credentials.Credentials, error)) error {
	var renewals, corrections, failures int
	for {
		keys, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return retry.ContextError(ctx)
		}
		if isDeadCredential(err) && renewals < 2 {
			renewals++
			changed, failed := s.renew(ctx, keys)
			if changed {
				continue
			}
			err = cmp.Or(failed, err)
		}
		var answer *refusal
		errors.As(err, &answer)
		skewed := answer != nil && alimedia.HasCode(err, "RequestTimeTooSkewed")
		switch {
		case ctx.Err() != nil:
			return retry.ContextError(ctx)
		case skewed && corrections < maxCorrections && s.clock.correct(answer.serverTime, corrections == 0):
			corrections++
			continue
		case skewed:
			s.clock.reset()
			return err
		case !isTransient(err) || failures+1 >= s.retry.MaxAttempts:
			return err
		}
		failures++
		var asked time.Duration
		if answer != nil {
			asked = answer.retryAfter
		}
		pause := retry.Policy(s.retry).Delay(failures, asked)
		s.log.DebugContext(ctx, "upload: request failed, trying again", "operation", operation, "failures", failures, "pause", pause, "error", shownCause(err))
		if err := retry.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// letGo is how long a request may take to end after its context did. Code of
// the user that does not return then is left to itself.
const letGo = 800 * time.Millisecond

// once makes one request and returns the credentials it was signed with. A
// panic of the user's code, such as a credentials provider, is its error.
func once[T any](ctx context.Context, s *session, hasBody bool, do func(attempt) (T, error)) (T, credentials.Credentials, error) {
	type outcome struct {
		result T
		keys   credentials.Credentials
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = protect("a request", func() (err error) {
			o.result, o.keys, err = onceHere(ctx, s, hasBody, do)
			return err
		})
		done <- o
	}()
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		more := letGo
		if ctx.Value(isLate{}) != nil {
			more = hurry / 4
		}
		timer := time.NewTimer(more)
		defer timer.Stop()
		select {
		case o = <-done:
		case <-timer.C:
			o.err = retry.ContextError(ctx)
		}
	}
	return o.result, o.keys, o.err
}

func onceHere[T any](ctx context.Context, s *session, hasBody bool, do func(attempt) (T, error)) (T, credentials.Credentials, error) {
	var none T
	keys, err := s.keys.Credentials(ctx)
	if err != nil {
		return none, keys, err
	}
	st, err := s.storeFor(keys)
	if err != nil {
		return none, keys, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(s.stall, func() { cancel(fmt.Errorf("%w: nothing moved for %v", ErrStalled, s.stall)) })
	defer stalled.Stop()
	late := time.AfterFunc(s.answer, func() { cancel(fmt.Errorf("%w: no answer within %v", ErrStalled, s.answer)) })
	defer late.Stop()
	if hasBody {
		late.Stop()
	} else {
		stalled.Stop()
	}
	var sent atomic.Bool
	result, err := do(attempt{
		Context: ctx, store: st,
		alive: func() {
			if !sent.Load() {
				stalled.Reset(s.stall)
			}
		},
		hold: func() { stalled.Stop() },
		sent: func() {
			if !sent.Swap(true) {
				stalled.Stop()
				late.Reset(s.answer)
			}
		},
	})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrStalled) {
		err = cause
	}
	return result, keys, err
}

// protect makes a panic of the user's code an error of the upload.
func protect(what string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(what, p)
		}
	}()
	return do()
}

// panicked is the error of code of the user that panicked with p.
func panicked(what string, p any) error {
	return fatal(fmt.Errorf("%w in %s: %s", ErrPanic, what, redact.Text(fmt.Sprint(p))))
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

// renew reports whether there are other credentials than the refused ones. A
// provider that cannot drop them may have them all the same.
func (s *session) renew(ctx context.Context, refused credentials.Credentials) (changed bool, err error) {
	if inv, ok := s.keys.(credentials.Invalidator); ok {
		inv.Invalidate(refused)
	}
	asking, cancel := context.WithTimeout(ctx, 2*renewTime)
	defer cancel()
	keys, err := s.keys.Credentials(asking)
	return err == nil && !sameKeys(keys, refused), err
}

func sameKeys(a, b credentials.Credentials) bool {
	return a.AccessKeyId == b.AccessKeyId && a.AccessKeySecret == b.AccessKeySecret && a.SecurityToken == b.SecurityToken
}

// isDeadCredential: a token that ended is first expired, later unknown.
func isDeadCredential(err error) bool {
	return alimedia.HasCode(err, "SecurityTokenExpired") ||
		alimedia.HasCode(err, "InvalidSecurityToken") ||
		alimedia.HasCode(err, "ExpiredToken") ||
		alimedia.HasCode(err, "InvalidAccessKeyId")
}

// isTransient reports whether the same request may succeed in a moment.
func isTransient(err error) bool {
	var api *alimedia.Error
	if errors.As(err, &api) {
		if retry.ServerFailure(api.StatusCode) || api.StatusCode == http.StatusRequestTimeout || api.StatusCode == http.StatusTooManyRequests || alimedia.IsThrottled(err) {
			return true
		}
		for _, code := range []string{"RequestTimeout", "InternalError", "ServiceUnavailable", "ServiceBusy", "SlowDown", "QpsLimitExceeded", "ConnectionTimeout"} {
			if alimedia.HasCode(err, code) {
				return true
			}
		}
		return false
	}
	var invalid *alimedia.ValidationError
	return !errors.As(err, &invalid) && retry.Transient(err)
}

// fatal marks what no repetition mends, such as an error of the source.
func fatal(err error) error { return retry.Permanent(err) }

// grant is the credential of one upload. It is refreshed ahead of its end, and
// once whoever asks.
type grant struct {
	log *slog.Logger
	// renew asks the service for a new credential of the same asset. Nil
	// where there is no such operation.
	renew func(context.Context) (permit, error)
	// stray tolerates a new credential that is for another object while the
	// old one is valid: the service does not say whether it renews this one.
	stray bool

	lock   chan struct{} // held while one asks the service
	permit permit
	ends   time.Time // by our own clock, counted from when it was issued
	due    time.Time // for a refresh
	delay  time.Duration
	dead   bool
	final  error // the service has named another object; nobody asks again
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
		return credentials.Credentials{}, retry.ContextError(ctx)
	}
	now := time.Now()
	// Where the time of the service is not known, OSS says when it ends.
	alive := !g.dead && (g.permit.doubt || now.Before(g.ends))
	if alive && (g.renew == nil || now.Before(g.due)) {
		return g.permit.keys, nil
	}
	switch {
	case g.renew == nil:
		return credentials.Credentials{}, fatal(ErrCredentialExpired)
	case g.final != nil:
		return credentials.Credentials{}, g.final
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
	case errors.Is(err, ErrAddressChanged) && !(g.stray && alive):
		g.final = fatal(fmt.Errorf("refresh the upload credential: %w", err))
		return credentials.Credentials{}, g.final
	case errors.Is(err, ErrAddress) && !alive:
		return credentials.Credentials{}, fatal(fmt.Errorf("refresh the upload credential: %w", err))
	case !alive || ctx.Err() != nil:
		return credentials.Credentials{}, fmt.Errorf("refresh the upload credential: %w", err)
	}
	// The old one serves for a while.
	g.log.WarnContext(ctx, "upload: credential not refreshed, the old one is still valid", "ends", g.ends, "error", shownCause(err))
	g.due = time.Now().Add(g.delay)
	g.delay *= 2
	if !isTransient(err) || errors.Is(err, ErrAddress) || errors.Is(err, ErrAddressChanged) {
		g.due = g.ends
		if g.permit.doubt { // until it is refused
			g.due = g.due.Add(24 * time.Hour)
		}
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

// last is the credential as it is, without asking for another: for the removal
// of parts at an address that the service no longer names.
type last struct{ *grant }

// Credentials implements credentials.Provider.
func (l last) Credentials(ctx context.Context) (credentials.Credentials, error) {
	select {
	case l.lock <- struct{}{}:
		defer func() { <-l.lock }()
		return l.permit.keys, nil
	case <-ctx.Done():
		return credentials.Credentials{}, retry.ContextError(ctx)
	}
}

package playurl

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// CacheConfig has the settings of a [Cache]. The zero value works.
type CacheConfig struct {
	// MaxEntries is the number of responses that are kept. If there are more, the
	// ones that were not used for the longest time are forgotten. 10,000 if zero. A
	// response takes some KiB.
	MaxEntries int
	// MaxAge is the age at which a response is renewed even if it is valid longer,
	// because an asset changes. 10 minutes if zero.
	MaxAge time.Duration
	// Ahead is how long before its end a response is renewed in the background,
	// while it is still handed out. A third of its time if zero, half of it at most.
	Ahead time.Duration
	// MinLeft is the time that a response is valid at least when it is handed out.
	// With less, Get waits for the renewal. A tenth of its time if zero, Ahead at
	// most.
	MinLeft time.Duration
	// TTL is the validity period of URL signing in the console, see [Config]. With
	// it, a URL with a signature of type A, B or C is valid until its time plus TTL.
	// Without it, until its time, which is known only if that is in the future.
	TTL time.Duration
	// Timeout limits one call, with its retries. 30 seconds if zero.
	Timeout time.Duration
	// Now returns the current time. time.Now if nil.
	Now func() time.Time
}

// Cached is a response from a [Cache].
type Cached[Res any] struct {
	Response *Res // a copy of your own
	// Expires is when the first URL or the credential in Response expires. It is zero
	// if none does, or if that is not known.
	Expires time.Time
}

// Cache keeps the responses of one operation of one client until shortly before
// they expire. It is safe for concurrent use.
//
// A response is renewed ahead of its end, when it is asked for. All who ask for the
// same request at the same time share one call. Requests are the same if all their
// parameters are the same, so that no one gets the response for another PlayDomain
// or ReAuthInfo. If your URLs have the user in them, every user costs a call.
//
// If a renewal fails, the response that is there is handed out as long as it is
// valid, and the next renewal is tried after at most 10 seconds. An asset that the
// service no longer has, or no longer lets play (Forbidden.IllegalStatus), is
// forgotten at once. Errors are not kept.
//
// The end of a response is the earliest of what its parts prove: the time in the
// signature of a URL, the expiry of a presigned URL of OSS, the ExpireTime of a
// PlayAuth, and the documented validity of the request (AuthTimeout,
// AuthInfoTimeout). All times are compared with the clock of this machine. A
// response whose end is not known is not kept: set TTL or AuthTimeout.
type Cache[Req, Res any] struct {
	cfg   CacheConfig
	call  func(context.Context, Req) (*Res, error)
	ends  func(req Req, res *Res, asked time.Time) end
	clone func(*Res) *Res

	life    context.Context // of all calls
	die     context.CancelFunc
	working sync.WaitGroup

	mu      sync.Mutex
	entries map[fingerprint]*list.Element // of *entry
	used    *list.List                    // latest first
	flights map[fingerprint]*flight[Res]
}

type fingerprint = [sha256.Size]byte

// entry is a response that is kept.
type entry[Res any] struct {
	key       fingerprint
	res       *Res
	expires   time.Time // zero: never
	renew     time.Time // from then on in the background
	must      time.Time // from then on at once
	untouched time.Time // no renewal before, because one has failed
}

// flight is a call that is running.
type flight[Res any] struct {
	done    chan struct{}
	res     *Res
	expires time.Time
	err     error
}

var (
	errClosed = errors.New("playurl: the Cache is closed")
	errSlow   = errors.New("playurl: no response within CacheConfig.Timeout")
)

// maxPause is the longest time between renewals that fail.
const maxPause = 10 * time.Second

func newCache[Req, Res any](cfg CacheConfig, call func(context.Context, Req) (*Res, error), ends func(Req, *Res, time.Time) end, clone func(*Res) *Res) *Cache[Req, Res] {
	if cfg.MaxEntries <= 0 {
		cfg.MaxEntries = 10_000
	}
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = 10 * time.Minute
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Cache[Req, Res]{cfg: cfg, call: call, ends: ends, clone: clone, entries: map[fingerprint]*list.Element{}, used: list.New(), flights: map[fingerprint]*flight[Res]{}}
	c.life, c.die = context.WithCancel(context.Background())
	return c
}

// Get returns the response to a request, from the cache or from the service. The
// error is that of the client, or that of ctx. If ctx ends, only this caller
// leaves: the call goes on for the others and for the cache, with the values of the
// ctx that began it.
func (c *Cache[Req, Res]) Get(ctx context.Context, req Req) (Cached[Res], error) {
	key, err := rpc.Fingerprint(req)
	if err != nil {
		return Cached[Res]{}, fmt.Errorf("playurl: %w", err)
	}
	if ctx.Err() != nil {
		return Cached[Res]{}, retry.ContextError(ctx)
	}
	e, f, err := c.find(ctx, key, req)
	switch {
	case err != nil:
		return Cached[Res]{}, err
	case f == nil:
		return Cached[Res]{c.clone(e.res), e.expires}, nil
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return Cached[Res]{}, retry.ContextError(ctx)
	}
	switch {
	case f.err == nil:
		return Cached[Res]{c.clone(f.res), f.expires}, nil
	case e != nil && e.valid(c.cfg.Now()) && !gone(f.err):
		return Cached[Res]{c.clone(e.res), e.expires}, nil
	}
	return Cached[Res]{}, f.err
}

// find returns the entry, if it is valid, and the flight to wait for, if there is
// one.
func (c *Cache[Req, Res]) find(ctx context.Context, key fingerprint, req Req) (*entry[Res], *flight[Res], error) {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() != nil {
		return nil, nil, errClosed
	}
	var e *entry[Res]
	if at := c.entries[key]; at != nil {
		if e = at.Value.(*entry[Res]); e.valid(now) {
			c.used.MoveToFront(at)
		} else {
			c.remove(at)
			e = nil
		}
	}
	if e != nil && now.Before(e.renew) {
		return e, nil, nil
	}
	f := c.flights[key]
	if f == nil {
		if e != nil && now.Before(e.untouched) {
			return e, nil, nil
		}
		f = c.begin(ctx, key, req)
	}
	if e != nil && now.Before(e.must) {
		return e, nil, nil
	}
	return e, f, nil
}

// begin starts a call. The caller holds mu.
func (c *Cache[Req, Res]) begin(ctx context.Context, key fingerprint, req Req) *flight[Res] {
	f := &flight[Res]{done: make(chan struct{})}
	c.flights[key] = f
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), c.cfg.Timeout, errSlow)
	stop := context.AfterFunc(c.life, cancel)
	c.working.Go(func() {
		defer cancel()
		defer stop()
		asked := c.cfg.Now()
		res, err := c.call(ctx, req)
		c.land(key, f, req, res, err, asked)
	})
	return f
}

// land ends a call.
func (c *Cache[Req, Res]) land(key fingerprint, f *flight[Res], req Req, res *Res, err error, asked time.Time) {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	delete(c.flights, key)
	at := c.entries[key]
	if err != nil {
		f.err = err
		switch {
		case at == nil:
		case gone(err):
			c.remove(at)
		default:
			e := at.Value.(*entry[Res])
			pause := maxPause
			if !e.expires.IsZero() {
				pause = min(pause, e.expires.Sub(now)/4)
			}
			e.untouched = now.Add(pause)
		}
		return
	}
	if at != nil {
		c.remove(at)
	}
	ends := c.ends(req, res, asked)
	f.res, f.expires = res, ends.at
	e := c.entry(key, res, ends, asked)
	if ends.unknown || !e.valid(now) {
		return
	}
	c.entries[key] = c.used.PushFront(e)
	for c.used.Len() > c.cfg.MaxEntries {
		c.remove(c.used.Back())
	}
}

// entry decides when a response is renewed.
func (c *Cache[Req, Res]) entry(key fingerprint, res *Res, ends end, asked time.Time) *entry[Res] {
	lasts := c.cfg.MaxAge
	if !ends.at.IsZero() {
		lasts = min(lasts, ends.at.Sub(asked))
	}
	ahead, least := c.cfg.Ahead, c.cfg.MinLeft
	if ahead <= 0 {
		ahead = lasts / 3
	}
	if least <= 0 {
		least = lasts / 10
	}
	ahead = min(ahead, lasts/2)
	least = min(least, ahead)
	last := asked.Add(lasts)
	return &entry[Res]{key: key, res: res, expires: ends.at, renew: last.Add(-ahead), must: last.Add(-least)}
}

func (e *entry[Res]) valid(now time.Time) bool { return e.expires.IsZero() || now.Before(e.expires) }

func (c *Cache[Req, Res]) remove(at *list.Element) {
	delete(c.entries, at.Value.(*entry[Res]).key)
	c.used.Remove(at)
}

// gone reports whether the service says that the asset does not exist or must not
// be played.
func gone(err error) bool {
	return alimedia.IsNotFound(err) || alimedia.HasCode(err, "Forbidden.IllegalStatus")
}

// Forget removes the response to a request, for example after an event says that
// the asset has changed.
func (c *Cache[Req, Res]) Forget(req Req) {
	key, err := rpc.Fingerprint(req)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.entries[key]; at != nil {
		c.remove(at)
	}
}

// Close cancels the calls that are running, waits for them and forgets all
// responses. Then Get returns an error.
func (c *Cache[Req, Res]) Close() {
	c.mu.Lock()
	c.die()
	clear(c.entries)
	c.used.Init()
	c.mu.Unlock()
	c.working.Wait()
}

// Format shows the number of responses, whatever the verb: they have secrets.
func (c *Cache[Req, Res]) Format(f fmt.State, _ rune) {
	c.mu.Lock()
	n := c.used.Len()
	c.mu.Unlock()
	fmt.Fprintf(f, "playurl.Cache(%d entries)", n)
}

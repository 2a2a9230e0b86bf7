package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// client makes the requests for one object: it signs with valid credentials and
// repeats what may succeed later.
type client struct {
	*Manager
	Destination
	observer Observer

	mu     sync.Mutex
	signer credentials.Credentials // of object
	object Object
}

func (m *Manager) client(d Destination, o Observer) *client {
	return &client{Manager: m, Destination: d, observer: o}
}

// call makes a request that carries no bytes of the source until it succeeds or
// cannot succeed.
func call[T any](ctx context.Context, c *client, operation string, do func(context.Context, Object) (T, error)) (T, error) {
	var result T
	err := c.repeat(ctx, Request{Operation: operation}, func(r Request) (signer credentials.Credentials, err error) {
		result, signer, err = once(ctx, c, r, do)
		return signer, err
	})
	return result, err
}

// once is call without repetition.
func once[T any](ctx context.Context, c *client, r Request, do func(context.Context, Object) (T, error)) (T, credentials.Credentials, error) {
	began := time.Now()
	ctx = c.observer.RequestStarted(ctx, r)
	result, signer, err := try(ctx, c, false, func(ctx context.Context, a *attempt) (T, error) { return do(ctx, a.object) })
	c.observer.RequestEnded(ctx, r, Outcome{Duration: time.Since(began), Err: err})
	return result, signer, err
}

func (c *client) abort(ctx context.Context, uploadID string) error {
	_, err := call(ctx, c, "AbortMultipartUpload", func(ctx context.Context, o Object) (struct{}, error) {
		return struct{}{}, o.AbortMultipart(ctx, uploadID)
	})
	return err
}

func (c *client) head(ctx context.Context) (Info, error) {
	return call(ctx, c, "HeadObject", func(ctx context.Context, o Object) (Info, error) { return o.Head(ctx) })
}

// headOnce is head without repetition.
func (c *client) headOnce(ctx context.Context) (Info, error) {
	found, _, err := once(ctx, c, Request{Operation: "HeadObject", Attempt: 1}, func(ctx context.Context, o Object) (Info, error) { return o.Head(ctx) })
	return found, err
}

// listParts lists all parts that the service has, page by page.
func (c *client) listParts(ctx context.Context, uploadID string) ([]Part, error) {
	type page struct {
		parts []Part
		next  int
	}
	var all []Part
	for after := 0; ; {
		p, err := call(ctx, c, "ListParts", func(ctx context.Context, o Object) (p page, err error) {
			p.parts, p.next, err = o.ListParts(ctx, uploadID, after)
			return p, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, p.parts...)
		if after = p.next; after == 0 {
			return all, nil
		}
	}
}

const (
	maxRefreshes   = 2
	maxCorrections = 3 // of the clock: the first may have been wrong
)

// repeat calls try until it succeeds or cannot succeed. It refreshes refused
// credentials, corrects the clock and repeats transient failures after a pause.
func (c *client) repeat(ctx context.Context, r Request, try func(Request) (credentials.Credentials, error)) error {
	var refreshes, corrections, failures int
	for {
		r.Attempt++
		signer, err := try(r)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return retry.ContextError(ctx)
		}
		if isExpiredCredential(err) && refreshes < maxRefreshes {
			refreshes++
			changed, failed := c.refresh(ctx, signer)
			if changed {
				c.observer.Retrying(ctx, r, Retry{Reason: ReasonCredential, Err: err})
				continue
			}
			err = cmp.Or(failed, err)
		}
		var response *ServiceError
		errors.As(err, &response)
		skewed := response != nil && alimedia.HasCode(err, "RequestTimeTooSkewed")
		switch {
		case ctx.Err() != nil:
			return retry.ContextError(ctx)
		case skewed && corrections < maxCorrections && c.Clock.correct(response.ServerTime, corrections == 0):
			corrections++
			c.observer.Retrying(ctx, r, Retry{Reason: ReasonClock, Err: err})
			continue
		case skewed:
			c.Clock.reset()
			return err
		case !Transient(err) || failures+1 >= c.Retry.MaxAttempts:
			return err
		}
		var retryAfter time.Duration
		if response != nil {
			retryAfter = response.API.RetryAfter
		}
		failures++
		pause := c.Retry.Delay(failures, retryAfter)
		c.Logger.DebugContext(ctx, "upload: request failed, retrying", "operation", r.Operation, "failures", failures, "pause", pause, "error", shown(err))
		c.observer.Retrying(ctx, r, Retry{Reason: ReasonFailure, Delay: pause, Err: err})
		if err := retry.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// refresh reports whether there are other credentials than the refused ones. A
// provider that cannot drop them may have others all the same.
func (c *client) refresh(ctx context.Context, refused credentials.Credentials) (changed bool, err error) {
	if p, ok := c.Credentials.(credentials.Invalidator); ok {
		p.Invalidate(refused)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*refreshTimeout)
	defer cancel()
	began := time.Now()
	fresh, err := c.ask(ctx)
	if _, reports := c.Credentials.(*RefreshingCredential); !reports {
		c.observer.Refreshed(ctx, Refresh{Reason: ReasonRefused, Duration: time.Since(began), Err: err})
	}
	return err == nil && !sameCredentials(fresh, refused), err
}

// openWith returns the object as signer reaches it, opened again when the
// credentials have changed.
func (c *client) openWith(signer credentials.Credentials) (Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.object != nil && sameCredentials(c.signer, signer) {
		return c.object, nil
	}
	o, err := c.Open(signer)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	c.object, c.signer = o, signer
	return o, nil
}

func sameCredentials(a, b credentials.Credentials) bool {
	return a.AccessKeyId == b.AccessKeyId && a.AccessKeySecret == b.AccessKeySecret && a.SecurityToken == b.SecurityToken
}

// attempt is one request. While its body is sent, the request ends when no byte
// moves for StallTimeout; the time between hold and alive does not count. After
// markSent, and from the start if there is no body, the whole response has
// ResponseTimeout, however slowly it arrives.
type attempt struct {
	object Object
	config *Config
	timer  *time.Timer
	sent   atomic.Bool
}

func (a *attempt) alive() {
	if !a.sent.Load() {
		a.timer.Reset(a.config.StallTimeout)
	}
}

func (a *attempt) hold() { a.timer.Stop() }

func (a *attempt) markSent() {
	if !a.sent.Swap(true) {
		a.timer.Reset(a.config.ResponseTimeout)
	}
}

// start begins to watch the time. end is called when it is over.
func (a *attempt) start(hasBody bool, end func(error)) {
	limit := a.config.StallTimeout
	if !hasBody {
		a.sent.Store(true)
		limit = a.config.ResponseTimeout
	}
	a.timer = time.AfterFunc(limit, func() {
		if a.sent.Load() {
			end(fmt.Errorf("%w: no response within %v", ErrStalled, a.config.ResponseTimeout))
			return
		}
		end(fmt.Errorf("%w: no byte moved for %v", ErrStalled, a.config.StallTimeout))
	})
}

// try makes one request and returns the credentials that signed it. A panic of
// the user's code, such as a credentials provider, is its error. Code of the
// user that does not return after ctx has ended is left to itself.
func try[T any](ctx context.Context, c *client, hasBody bool, do func(context.Context, *attempt) (T, error)) (T, credentials.Credentials, error) {
	type outcome struct {
		result T
		signer credentials.Credentials
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = Protect("a request", func() (err error) {
			o.result, o.signer, err = tryHere(ctx, c, hasBody, do)
			return err
		})
		done <- o
	}()
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		grace := requestGrace
		if isLate(ctx) {
			grace = LateGracePeriod / 4
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case o = <-done:
		case <-timer.C:
			o.err = retry.ContextError(ctx)
		}
	}
	return o.result, o.signer, o.err
}

// tryHere is try in the goroutine of the caller.
func tryHere[T any](ctx context.Context, c *client, hasBody bool, do func(context.Context, *attempt) (T, error)) (T, credentials.Credentials, error) {
	var none T
	signer, err := c.ask(ctx)
	if err != nil {
		return none, signer, err
	}
	object, err := c.openWith(signer)
	if err != nil {
		return none, signer, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &attempt{object: object, config: &c.Config}
	a.start(hasBody, cancel)
	defer a.timer.Stop()
	result, err := do(ctx, a)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrStalled) {
		err = cause
	}
	return result, signer, err
}

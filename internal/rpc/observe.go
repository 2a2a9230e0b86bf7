package rpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// watch tells the Observer of one call. Nil tells nobody.
type watch struct {
	*Client
	call  alimedia.Call
	began time.Time
	last  alimedia.CallEnd // what is known of it
}

var errPanic = errors.New("alimedia: panic in a transport or a credentials provider")

// doObserved is do for the Observer. A panic of the user's code goes on.
func (c *Client) doObserved(ctx context.Context, op Op, in, out any) (err error) {
	ctx, w := c.watch(ctx, op)
	err = errPanic
	defer func() { w.end(ctx, err) }()
	err = c.do(ctx, op, in, out, w)
	return err
}

// watch tells that a call begins and returns its context.
func (c *Client) watch(ctx context.Context, op Op) (context.Context, *watch) {
	w := &watch{Client: c, began: time.Now(), call: alimedia.Call{
		Product: c.svc.Product, Action: redact.Bounded(op.Action, 128), Version: c.svc.Version, Region: c.cfg.Region, Host: c.base.Host,
	}}
	w.protect(ctx, func() {
		if start := c.cfg.Observer.CallStart; start != nil {
			if derived := start(ctx, w.call); derived != nil {
				ctx = derived
			}
		}
	})
	return ctx, w
}

// tried takes note of an attempt.
func (w *watch) tried(a *attempt) {
	if w == nil {
		return
	}
	w.last.Attempts, w.last.StatusCode = a.number, a.status
	w.last.RequestId = redact.Bounded(a.redact(a.header.Get("x-acs-request-id")), maxCode)
}

// retry tells that another attempt follows.
func (w *watch) retry(ctx context.Context, s *schedule, err error) {
	if w == nil || w.cfg.Observer.CallRetry == nil {
		return
	}
	w.protect(ctx, func() {
		w.cfg.Observer.CallRetry(ctx, w.call, alimedia.CallRetry{
			Attempt: s.attempts, Reason: s.reason, Delay: s.delay, Code: alimedia.ErrorCode(err), Err: err,
		})
	})
}

// end tells what became of the call.
func (w *watch) end(ctx context.Context, err error) {
	if w.cfg.Observer.CallEnd == nil {
		return
	}
	w.last.Duration, w.last.Code, w.last.Err = time.Since(w.began), alimedia.ErrorCode(err), err
	var api *alimedia.Error
	if errors.As(err, &api) && w.last.RequestId == "" {
		w.last.RequestId = api.RequestId
	}
	w.protect(ctx, func() { w.cfg.Observer.CallEnd(ctx, w.call, w.last) })
}

// protect keeps a panic of the Observer away from the call.
func (w *watch) protect(ctx context.Context, do func()) {
	defer func() {
		if p := recover(); p != nil {
			w.cfg.Logger.ErrorContext(ctx, "alimedia: the observer panicked", "action", w.call.Action, "panic", redact.Text(fmt.Sprint(p)))
		}
	}()
	do()
}

package upload

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// observation tells the observers of one upload what happens. Nil tells nobody.
type observation struct {
	ctx   context.Context // of the upload, as the observers have returned it
	log   *slog.Logger
	start UploadStart
	began time.Time

	lock      sync.RWMutex // held for reading while observers are called
	over      bool
	observers []*watcher

	stage   Stage // of the upload; set by one goroutine at a time
	entered time.Time
}

// watcher is an Observer until it panics.
type watcher struct {
	*Observer
	mu     sync.Mutex
	broken bool
}

// observe begins the observation of the upload. It returns the context of the
// upload.
func (r *run) observe(ctx context.Context, src Source) context.Context {
	r.tracker.set(func(p *Progress) { p.Source = nameOf(src) })
	if r.cfg.Observer == nil && len(r.options.observers) == 0 {
		return ctx
	}
	t := &observation{ctx: ctx, log: r.log, began: time.Now(), start: UploadStart{Source: nameOf(src)}}
	if r.target != nil {
		t.start.Target = r.target.name()
	}
	for _, observer := range append([]*Observer{r.cfg.Observer}, r.options.observers...) {
		if observer != nil {
			t.observers = append(t.observers, &watcher{Observer: observer})
		}
	}
	if len(t.observers) == 0 {
		return ctx
	}
	r.tracker.watched = t
	t.tell(func(o *Observer) {
		if o.UploadStart != nil {
			t.ctx = either(o.UploadStart(t.ctx, t.start), t.ctx)
		}
	})
	return t.ctx
}

// observed ends the observation. res is nil if err is not.
func (r *run) observed(res *Result, err error) {
	if r.tracker.watched == nil {
		return
	}
	p := r.tracker.current()
	e := UploadEnd{
		Name: p.Name, MediaId: r.known.mediaID, Size: p.Total, Sent: r.tracker.safe.Load(), Resumed: p.Resumed, Stage: p.Stage,
		Code: ErrorCode(err), Err: err,
	}
	if res != nil {
		e.MediaId, e.AlreadyUploaded = res.MediaId, res.AlreadyUploaded
	}
	r.tracker.watched.end(e)
}

// either is the context that an observer has returned, or the one it was given.
func either(returned, given context.Context) context.Context {
	if returned == nil {
		return given
	}
	return returned
}

// tell calls do for each observer.
func (t *observation) tell(do func(*Observer)) {
	t.lock.RLock()
	defer t.lock.RUnlock()
	if t.over {
		return
	}
	for _, w := range t.observers {
		t.call(w, func() { do(w.Observer) })
	}
}

// call calls do unless an earlier call of w has panicked.
func (t *observation) call(w *watcher, do func()) {
	w.mu.Lock()
	broken := w.broken
	w.mu.Unlock()
	if broken {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			w.mu.Lock()
			w.broken = true
			w.mu.Unlock()
			t.log.ErrorContext(t.ctx, "upload: the observer panicked and is not called any more for this upload", "panic", redact.Text(fmt.Sprint(p)))
		}
	}()
	do()
}

// end tells how the upload ended, and then nothing more.
func (t *observation) end(e UploadEnd) {
	e.Duration = time.Since(t.began)
	t.tell(func(o *Observer) {
		if o.UploadEnd != nil {
			o.UploadEnd(t.ctx, t.start, e)
		}
	})
	t.lock.Lock()
	t.over = true
	t.lock.Unlock()
}

func (t *observation) enter(s Stage, size int64) {
	if t == nil || s == t.stage {
		return
	}
	now := time.Now()
	e := StageEvent{Stage: s, Previous: t.stage, Size: size}
	if t.stage != "" {
		e.Duration = now.Sub(t.entered)
	}
	t.stage, t.entered = s, now
	t.tell(func(o *Observer) {
		if o.Stage != nil {
			o.Stage(t.ctx, e)
		}
	})
}

func (t *observation) asset(mediaID string) {
	if t == nil {
		return
	}
	t.tell(func(o *Observer) {
		if o.Asset != nil {
			o.Asset(t.ctx, mediaID)
		}
	})
}

func (t *observation) bytes(b Bytes) {
	if t == nil || b == (Bytes{}) {
		return
	}
	t.tell(func(o *Observer) {
		if o.Bytes != nil {
			o.Bytes(t.ctx, b)
		}
	})
}

func (t *observation) poll(p Poll) {
	if t == nil {
		return
	}
	p.Code, p.Err = ErrorCode(p.Err), observed(p.Err)
	t.tell(func(o *Observer) {
		if o.Poll != nil {
			o.Poll(t.ctx, p)
		}
	})
}

// request is a request of the engine as observers see it.
func request(file string, r transfer.Request) Request {
	return Request{Operation: r.Operation, File: file, Part: r.Part, Attempt: r.Attempt, Size: r.Size, Queued: r.Queued}
}

// RequestStarted implements transfer.Requests.
func (t *tracker) RequestStarted(ctx context.Context, r transfer.Request) context.Context {
	if t.watched == nil {
		return ctx
	}
	t.watched.tell(func(o *Observer) {
		if o.RequestStart != nil {
			ctx = either(o.RequestStart(ctx, request(t.file, r)), ctx)
		}
	})
	return ctx
}

// RequestEnded implements transfer.Requests.
func (t *tracker) RequestEnded(ctx context.Context, r transfer.Request, end transfer.Outcome) {
	if t.watched == nil {
		return
	}
	e := RequestEnd{Duration: end.Duration, Sent: end.Sent, Code: ErrorCode(end.Err), Err: observed(end.Err)}
	t.watched.tell(func(o *Observer) {
		if o.RequestEnd != nil {
			o.RequestEnd(ctx, request(t.file, r), e)
		}
	})
}

// Retrying implements transfer.Requests.
func (t *tracker) Retrying(ctx context.Context, r transfer.Request, again transfer.Retry) {
	if t.watched == nil {
		return
	}
	e := RequestRetry{Reason: alimedia.RetryReason(again.Reason), Delay: again.Delay, Code: ErrorCode(again.Err), Err: observed(again.Err)}
	t.watched.tell(func(o *Observer) {
		if o.Retry != nil {
			o.Retry(ctx, request(t.file, r), e)
		}
	})
}

// Refreshed implements transfer.Requests.
func (t *tracker) Refreshed(ctx context.Context, r transfer.Refresh) {
	if t.watched == nil {
		return
	}
	e := Refresh{Reason: RefreshReason(r.Reason), Duration: r.Duration, Code: ErrorCode(r.Err), Err: observed(r.Err)}
	t.watched.tell(func(o *Observer) {
		if o.Refresh != nil {
			o.Refresh(ctx, e)
		}
	})
}

// observed is err with a text that has no secrets. Nil stays nil.
func observed(err error) error {
	if err == nil {
		return nil
	}
	return &observedError{err}
}

type observedError struct{ err error }

// Error implements error.
func (e *observedError) Error() string { return redact.Text(e.err.Error()) }

// GoString keeps what the cause holds out of logs.
func (e *observedError) GoString() string { return e.Error() }

// Unwrap returns the cause.
func (e *observedError) Unwrap() error { return e.err }

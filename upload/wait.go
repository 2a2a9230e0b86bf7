package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Notifier reports changes of assets, for example from the event callbacks of
// the service. [github.com/alimedia/alimedia-go/events.News] is one.
type Notifier interface {
	// Wait returns nil after a change of the asset. Changes before the call count,
	// so that none is missed. Wait returns an error when ctx ends or when there
	// will be no more notifications.
	Wait(ctx context.Context, mediaId string) error
}

// WithWait makes Upload wait until the service has processed the asset, see
// [Result].Status. It polls the state after one second at first and every eight
// seconds later. With a Notifier it polls after each notification, and once a
// minute in case one is lost.
//
// If processing fails, the error is an [*Error] with the MediaId that wraps an
// [*alimedia.JobError]. If ctx ends, Error.Status is the last known state.
//
// A video of ApsaraVideo VOD is ready in the state Normal: it is transcoded, or
// its template group needs no transcoding. A video that [RegisterMedia] registers
// without TemplateGroupId and WorkflowId is ready in the state UploadSucc. A
// stream is ready when its asset is. A [Bucket] without a registration has
// nothing to wait for.
func WithWait(news ...Notifier) Option {
	return func(o *options) {
		o.wait = true
		for _, n := range news {
			o.news = n
		}
	}
}

const (
	pollFirst = time.Second            // the first interval; it grows to eight times that
	pollNews  = 250 * time.Millisecond // the same with a Notifier
	newsTime  = time.Minute            // the longest interval with a Notifier

	// An asset that was just registered is not found for 2 to 3 seconds.
	registrationLag = 30 * time.Second
)

// statusFunc asks the service for the state of an asset.
type statusFunc func(ctx context.Context, mediaId string) (state, error)

// state is the state of an asset.
type state struct {
	status string
	done   bool // for better or worse
	failed bool
}

// wait polls the state of the asset until it is processed.
func (r *run) wait(ctx context.Context, res *Result) error {
	news, ask := r.options.news, r.target.status()
	if ask == nil {
		return nil
	}
	r.enter(ctx, StageWait)
	interval := pollFirst
	if news != nil {
		interval = pollNews
	}
	began, asked, failures := time.Now(), false, 0
	_, err := alimedia.Poll(ctx, interval, func(ctx context.Context) (struct{}, bool, error) {
		if asked && news != nil {
			if err := listen(ctx, news, res.MediaId); err != nil {
				r.log.WarnContext(ctx, "upload: no notifications, polling instead", "media_id", res.MediaId, "error", err)
				news = nil
			}
		}
		asked = true
		s, err := ask(ctx, res.MediaId)
		r.tracker.watched.poll(Poll{MediaId: res.MediaId, Status: s.status, Err: err})
		switch {
		case err == nil:
		case alimedia.IsNotFound(err) && time.Since(began) < registrationLag:
			return struct{}{}, false, nil
		case transfer.Transient(err) && failures+1 < r.cfg.Retry.MaxAttempts:
			failures++
			return struct{}{}, false, nil
		default:
			return struct{}{}, false, err
		}
		failures = 0
		res.Status, r.known.status = s.status, s.status
		if s.failed {
			return struct{}{}, true, &alimedia.JobError{JobId: res.MediaId, Status: s.status}
		}
		return struct{}{}, s.done, nil
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("the asset is not ready, its status is %q: %w", r.known.status, retry.ContextError(ctx))
	}
	return err
}

// listen waits for a notification, at most for newsTime. An error is the
// Notifier's own.
func listen(parent context.Context, news Notifier, mediaId string) error {
	ctx, cancel := context.WithTimeout(parent, newsTime)
	defer cancel()
	if err := news.Wait(ctx, mediaId); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

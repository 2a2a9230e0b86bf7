package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Notifier hears of assets by another way than asking, such as the service's
// event callbacks.
type Notifier interface {
	// Wait returns when there was news of the asset, and an error when ctx
	// ends or there will be none. News from before the call count, so that
	// none is missed.
	Wait(ctx context.Context, mediaId string) error
}

// WithWait makes Upload return when the service is through with the asset, see
// [Result].Status. It asks after one second at first, every eight seconds
// later. When processing fails the error is an [*alimedia.JobError] within an
// [*Error] that has the MediaId; when ctx ends, Error.Status is the last that
// the service said.
//
// A video of ApsaraVideo VOD is finished in the status Normal: transcoded, or
// playable without that by its template group. One of [RegisterMedia] without
// TemplateGroupId and WorkflowId stays in UploadSucc, which is the end then.
// A stream is finished when its asset is. A [Bucket] without registration is
// not waited for.
//
// With a Notifier the service is asked after news, and once a minute in case
// that the news got lost.
func WithWait(news ...Notifier) Option {
	return func(o *options) {
		o.wait = true
		for _, n := range news {
			o.news = n
		}
	}
}

const (
	pollFirst = time.Second            // between questions, growing to eight times that
	pollNews  = 250 * time.Millisecond // the same with a Notifier
	newsTime  = time.Minute            // the longest time without a question, with a Notifier

	// An asset that was just registered is not found for 2 to 3 seconds.
	registrationLag = 30 * time.Second
)

// statusFunc asks the service for the state of an asset.
type statusFunc func(ctx context.Context, mediaId string) (state, error)

// state is what the service says of an asset.
type state struct {
	status string
	done   bool // for better or worse
	failed bool
}

// wait asks the service until it is through with the asset.
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
				r.log.WarnContext(ctx, "upload: no news, asking instead", "media_id", res.MediaId, "error", err)
				news = nil
			}
		}
		asked = true
		s, err := ask(ctx, res.MediaId)
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

// listen waits for news, but not for ever. An error is the Notifier's own.
func listen(parent context.Context, news Notifier, mediaId string) error {
	ctx, cancel := context.WithTimeout(parent, newsTime)
	defer cancel()
	if err := news.Wait(ctx, mediaId); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

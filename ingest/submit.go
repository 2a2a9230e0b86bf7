package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Source gives the jobs of a submission, see [Folder], [URLs], [Objects] and
// [Jobs].
type Source interface {
	// ID identifies the source, so that an interrupted submission resumes. Empty
	// means that it cannot be resumed.
	ID() string
	// Items gives the jobs in an order that is always the same, without those up
	// to the position after. An error with a zero Item ends the submission, unless
	// SubmitConfig.Invalid returns nil for it.
	Items(ctx context.Context, after string) iter.Seq2[Item, error]
}

// Item is a job with its position in a source.
type Item struct {
	Job      Job
	Position string // what Source.Items takes to begin after this job
}

// Jobs is a source that cannot be resumed.
func Jobs(jobs iter.Seq2[Job, error]) Source { return sequence{jobs} }

type sequence struct{ jobs iter.Seq2[Job, error] }

// ID implements [Source].
func (sequence) ID() string { return "" }

// Items implements [Source].
func (s sequence) Items(context.Context, string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for job, err := range s.jobs {
			if !yield(Item{Job: job}, err) {
				return
			}
		}
	}
}

// SubmitConfig changes a submission. The zero value is a good default.
type SubmitConfig struct {
	// Invalid is called for a job that is not valid, and for an error of the
	// source. The submission goes on if it returns nil. A nil Invalid ends the
	// submission with the error.
	Invalid func(Job, error) error

	// Progress is called after each batch of up to 500 jobs, and at the end.
	Progress func(Submission)

	// Restart begins at the first job, although an earlier submission of this
	// source was interrupted.
	Restart bool
}

// Submission counts the jobs of a submission.
type Submission struct {
	Queued  int64 `json:"queued"`            // new in the queue
	Waiting int64 `json:"waiting"`           // were in the queue already
	Done    int64 `json:"done"`              // were done before
	Dead    int64 `json:"dead"`              // are in the dead-letter stream, see Fleet.Requeue
	Invalid int64 `json:"invalid"`           // were refused
	Resumed int64 `json:"resumed,omitempty"` // were submitted before the interruption
}

// Total counts all jobs that the source has given so far.
func (s Submission) Total() int64 {
	return s.Queued + s.Waiting + s.Done + s.Dead + s.Invalid + s.Resumed
}

// batchSize is the number of jobs after which the position of a submission is
// saved.
const batchSize = 500

// position is where a submission was interrupted.
type position struct {
	After string `json:"after"`
	Count int64  `json:"count"`
}

// Submit puts the jobs of a source into the queue. It waits while the queue is
// full. After an error or a crash the next Submit of the same source resumes
// after the last job that is known to be in the queue. After a complete
// submission it begins anew and adds what is new.
func (f *Fleet) Submit(ctx context.Context, src Source, opts ...SubmitConfig) (Submission, error) {
	s := &submitting{Fleet: f}
	if len(opts) > 0 {
		s.cfg = opts[0]
	}
	if id := src.ID(); id != "" {
		s.key = "submit." + digest(id)
	}
	err := s.run(ctx, src)
	if s.cfg.Progress != nil {
		s.cfg.Progress(s.count)
	}
	if err != nil {
		return s.count, fmt.Errorf("ingest: submit: %w", f.clean(err))
	}
	return s.count, nil
}

type submitting struct {
	*Fleet
	cfg   SubmitConfig
	key   string // of the saved position
	count Submission
	batch []*nats.Msg
	last  string
}

func (s *submitting) run(ctx context.Context, src Source) error {
	from, err := s.resume(ctx)
	if err != nil {
		return err
	}
	s.count.Resumed = from.Count
	for item, err := range src.Items(ctx, from.After) {
		if err == nil {
			err = s.add(ctx, item.Job)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errStore):
			return err
		case err != nil:
			s.count.Invalid++
			if s.cfg.Invalid == nil {
				return errors.Join(err, s.flush(ctx))
			}
			if err = s.cfg.Invalid(item.Job, err); err != nil {
				return errors.Join(err, s.flush(ctx))
			}
		}
		if item.Position != "" {
			s.last = item.Position
		}
		if len(s.batch) >= batchSize || s.count.Total()%batchSize == 0 && len(s.batch) == 0 {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if s.key != "" {
		return s.erase(ctx, s.key)
	}
	return nil
}

func (s *submitting) resume(ctx context.Context) (p position, err error) {
	if s.key == "" || s.cfg.Restart {
		return p, nil
	}
	entry, err := s.state.Get(ctx, s.key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("%w: %w", errStore, err)
	}
	if json.Unmarshal(entry.Value(), &p) != nil {
		return position{}, nil // begin anew: jobs are not doubled
	}
	return p, nil
}

// add prepares the message of a job, unless the job is done.
func (s *submitting) add(ctx context.Context, job Job) error {
	job, text, err := job.prepared()
	if err != nil {
		return err
	}
	h, err := s.load(ctx, digest(job.Key))
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	switch h.State {
	case StateDone:
		s.count.Done++
		return nil
	case StateDead:
		s.count.Dead++
		return nil
	}
	m := nats.NewMsg(s.subject(job))
	m.Data = text
	m.Header.Set(nats.MsgIdHdr, digest(job.Key)+"."+fmt.Sprint(h.revision))
	s.batch = append(s.batch, m)
	return nil
}

// flush sends the batch and saves the position behind it.
func (s *submitting) flush(ctx context.Context) error {
	if err := s.publish(ctx, s.batch); err != nil {
		return err
	}
	s.batch = s.batch[:0]
	if s.key != "" && s.last != "" {
		text, err := json.Marshal(position{After: s.last, Count: s.count.Total()})
		if err != nil {
			return err
		}
		if _, err := s.state.Put(ctx, s.key, text); err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
	}
	if s.cfg.Progress != nil {
		s.cfg.Progress(s.count)
	}
	return nil
}

// publish sends messages until all are in the queue.
func (s *submitting) publish(ctx context.Context, all []*nats.Msg) error {
	wait := 100 * time.Millisecond
	for failures := 0; len(all) > 0; {
		left, refused, err := s.publishOnce(ctx, all)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case refused: // the queue is full: as long as it takes
			failures = 0
		case err != nil:
			if failures++; failures > 60 {
				return fmt.Errorf("%w: %w", errStore, err)
			}
		}
		if len(left) < len(all) {
			wait = 100 * time.Millisecond
		}
		if all = left; len(all) == 0 {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		wait = min(2*wait, 2*time.Second)
	}
	return nil
}

// publishOnce returns the messages that are not in the queue yet, and whether it
// is full.
func (s *submitting) publishOnce(ctx context.Context, all []*nats.Msg) (left []*nats.Msg, refused bool, err error) {
	futures := make([]jetstream.PubAckFuture, len(all))
	for i, m := range all {
		again := nats.NewMsg(m.Subject)
		again.Data, again.Header = m.Data, m.Header
		if futures[i], err = s.js.PublishMsgAsync(again, jetstream.WithRetryAttempts(0)); err != nil {
			left = append(left, m)
		}
	}
	timeout := time.After(10 * time.Second)
	for i, future := range futures {
		if future == nil {
			continue
		}
		select {
		case ack := <-future.Ok():
			if ack.Duplicate {
				s.count.Waiting++
			} else {
				s.count.Queued++
			}
		case failure := <-future.Err():
			switch text := failure.Error(); {
			case strings.Contains(text, "maximum messages per subject"):
				s.count.Waiting++
			case strings.Contains(text, "maximum messages exceeded"), strings.Contains(text, "maximum bytes exceeded"):
				left, refused = append(left, all[i]), true
			default:
				left, err = append(left, all[i]), failure
			}
		case <-timeout:
			left, err = append(left, all[i]), nats.ErrTimeout
			timeout = time.After(0)
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
	return left, refused, err
}

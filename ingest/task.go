package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload"
)

// task is a job in the hands of this worker.
type task struct {
	*worker
	job   Job
	seq   uint64
	began time.Time

	mu     sync.Mutex // of all below
	msg    jetstream.Msg
	record *held
	memo   memo
	cancel context.CancelCauseFunc
	sent   atomic.Int64
}

// errPoison means that too many workers ended with the job in their hands.
var errPoison = errors.New("workers end when they do this job")

// errPanic means that code of this process panicked.
var errPanic = errors.New("panic")

// accept reads a job from its message, and takes note that it is worked on. It
// returns nil for a message that needs nothing else: an invalid one, one that is
// worked on already, or one of a job that is done.
func (w *worker) accept(msg jetstream.Msg) (*task, context.Context) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, nil // not of the queue
	}
	job, err := parseJob(msg.Data())
	if err == nil && msg.Subject() != w.subject(job) {
		err = fmt.Errorf("%w: the subject is not that of its key", ErrJob)
	}
	if err != nil {
		w.refuse(msg, meta.Sequence.Stream, err)
		return nil, nil
	}
	t := &task{worker: w, job: job, seq: meta.Sequence.Stream, msg: msg, began: time.Now()}
	w.mu.Lock()
	if running := w.running[t.seq]; running != nil { // delivered again although this worker is alive
		w.mu.Unlock()
		running.mu.Lock()
		running.msg = msg
		running.mu.Unlock()
		return nil, nil
	}
	w.running[t.seq] = t
	w.mu.Unlock()
	ctx, cancel := context.WithCancelCause(context.WithValue(w.tasks, taskKey{}, t))
	t.cancel = cancel
	return t, ctx
}

// end takes note that the job is not worked on any more.
func (t *task) end() {
	t.cancel(nil)
	t.worker.mu.Lock()
	defer t.worker.mu.Unlock()
	delete(t.running, t.seq)
}

// claim makes this worker the one that works on the job. It reports false if the
// job is done, or in other hands.
func (t *task) claim(ctx context.Context) (bool, error) {
	h, err := t.load(ctx, digest(t.job.Key))
	if err != nil {
		return false, fmt.Errorf("%w: %w", errStore, err)
	}
	t.record = h
	switch h.State {
	case StateDone:
		t.acknowledge(ctx)
		return false, nil
	case StateDead: // its worker ended before it acknowledged
		t.bury(ctx)
		return false, nil
	case StateWorking:
		alive, err := t.alive(ctx, h.Worker)
		if err != nil {
			return false, err
		}
		if alive {
			t.giveBack(t.Fleet.cfg.AckWait / 4)
			return false, nil
		}
		h.Deaths++
	}
	h.Key, h.Target, h.Input = t.job.Key, t.job.Target.Kind(), redact.Bounded(redact.Text(t.job.Input.String()), 1024)
	h.State, h.Worker = StateWorking, t.id
	if h.Deaths >= t.cfg.Deaths {
		return false, fmt.Errorf("%w: %d of them", errPoison, h.Deaths)
	}
	if err := t.save(ctx, h); err != nil {
		if errors.Is(err, errTaken) {
			t.giveBack(t.Fleet.cfg.AckWait / 4)
			return false, nil
		}
		return false, fmt.Errorf("%w: %w", errStore, err)
	}
	return true, nil
}

// alive reports whether a worker has been heard of within the last AckWait. A
// worker that cannot make itself heard for less than that has given up its jobs.
func (w *worker) alive(ctx context.Context, id string) (bool, error) {
	if id == w.id { // of an attempt whose end could not be recorded
		return false, nil
	}
	_, err := w.workers.Get(ctx, cmp.Or(id, "none"))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errStore, err)
	}
	return true, nil
}

// upload does one job of the class upload.
func (w *worker) upload(msg jetstream.Msg) {
	t, ctx := w.accept(msg)
	if t == nil {
		return
	}
	defer t.end()
	mine, err := t.claim(ctx)
	if err == nil && !mine {
		return
	}
	var res *upload.Result
	if err == nil {
		res, err = t.run(ctx)
	}
	t.finish(ctx, res, err)
}

// run uploads the file of the job.
func (t *task) run(ctx context.Context) (_ *upload.Result, err error) {
	defer func() {
		if p := recover(); p != nil { // one job does not end the others
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	dir, err := os.MkdirTemp(t.cfg.Dir, "ingest-")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", upload.ErrCheckpoint, err)
	}
	defer os.RemoveAll(dir)
	t.memo.dir = dir
	defer func() { // for who continues
		if cause := context.Cause(ctx); err != nil && !errors.Is(cause, errFenced) && !errors.Is(cause, errTaken) {
			_ = t.memorize(context.WithoutCancel(ctx), false)
		}
	}()
	if err := t.recall(ctx); err != nil {
		return nil, err
	}
	src, closeSource, err := t.source()
	if err != nil {
		return nil, err
	}
	defer closeSource()
	target, uploader, opts, err := t.target(ctx)
	if err != nil {
		return nil, err
	}
	opts = append(opts, upload.WithCheckpoint(dir), upload.WithCheckpointRequired(), upload.WithKey(uploadKey(t.job.Key)),
		upload.WithProgress(func(p upload.Progress) { t.sent.Store(p.Sent - p.Resumed) }))
	return uploader.Upload(ctx, src, target, opts...)
}

// target returns the target of the upload and what it needs to go on with the
// asset of an earlier delivery.
func (t *task) target(ctx context.Context) (upload.Target, *upload.Uploader, []upload.Option, error) {
	switch x := t.job.Target; {
	case x.VODVideo != nil:
		return *x.VODVideo, t.uploader, nil, nil
	case x.ICEStream != nil:
		return *x.ICEStream, t.inOneRequest(), []upload.Option{upload.WithRecreate()}, nil
	case x.YikeAsset != nil:
		return *x.YikeAsset, t.inOneRequest(), []upload.Option{upload.WithRecreate()}, nil
	case x.ICEMedia != nil:
		media, err := mark(*x.ICEMedia, t.record.hash)
		if err == nil && t.record.MediaId == "" && !t.record.Asked.IsZero() {
			t.record.MediaId, err = t.findMarked(ctx)
		}
		if err != nil {
			return nil, nil, nil, err
		}
		var opts []upload.Option
		if t.record.MediaId != "" { // it counts if the checkpoint does not know the asset
			opts = append(opts, upload.WithMediaId(t.record.MediaId))
		}
		return media, t.inOneRequest(), opts, nil
	}
	return nil, nil, nil, fmt.Errorf("%w: not a target of an upload", ErrJob)
}

// inOneRequest returns the uploader for targets whose multipart uploads nobody
// can remove without their ID. A stream would have to be in memory.
func (t *task) inOneRequest() *upload.Uploader {
	if t.job.Input.File == "" {
		return t.uploader
	}
	return t.whole
}

// finish records what has become of the job.
func (t *task) finish(ctx context.Context, res *upload.Result, err error) {
	cause := context.Cause(ctx)
	switch {
	case t.record == nil: // it is not even known what the job has come to
		t.giveBack(t.Fleet.cfg.AckWait / 4)
	case err == nil:
		t.succeed(ctx, func(r *Record) {
			r.MediaId, r.FileURL, r.RequestId = cmp.Or(res.MediaId, r.MediaId), withoutQuery(res.FileURL), res.RequestId
			r.Size, r.CRC64, r.AlreadyRegistered = res.Size, res.CRC64, res.AlreadyRegistered
		})
	case errors.Is(cause, errFenced) || errors.Is(err, errTaken): // it is not ours any more
		t.log.Warn("ingest: job given up", "key", t.job.Key, "error", err)
	case errors.Is(cause, errDrained):
		t.release()
	default:
		t.fail(ctx, err)
	}
}

// succeed records a success and acknowledges the message.
func (t *task) succeed(ctx context.Context, fill func(*Record)) {
	t.update(ctx, func(r *Record) {
		fill(r)
		r.State, r.Worker, r.Error, r.Asked, r.Seconds = StateDone, t.id, nil, time.Time{}, time.Since(t.began).Seconds()
	}, func(ctx context.Context) error {
		t.done.Add(1)
		t.bytes.Add(t.sent.Load())
		t.forget(ctx)
		t.acknowledge(ctx)
		return nil
	})
}

// fail gives the job back for another attempt, or puts it into the dead-letter
// stream.
func (t *task) fail(ctx context.Context, err error) {
	why, verdict := judge(err)
	t.failed.Add(1)
	failures := t.record.Failures
	if verdict != later {
		failures++
	}
	dead := verdict == permanent || failures >= t.cfg.Attempts
	t.log.Warn("ingest: job failed", "key", t.job.Key, "code", why.Code, "error", why.Message, "failures", failures, "dead", dead)
	t.update(ctx, func(r *Record) {
		r.State, r.Worker, r.Error, r.Failures, r.Seconds = StateWaiting, t.id, &why, failures, time.Since(t.began).Seconds()
		if failure, ok := errors.AsType[*upload.Error](err); ok && t.job.Target.ICEStream == nil {
			r.MediaId = cmp.Or(failure.MediaId, r.MediaId)
		}
		if dead {
			r.State = StateDead
		}
	}, func(ctx context.Context) error {
		if dead {
			t.bury(ctx)
			return nil
		}
		t.giveBack(t.cfg.Backoff << min(max(failures-1, 0), 6))
		return nil
	})
}

// release gives the job back at once, because the worker stops.
func (t *task) release() {
	t.update(context.Background(), func(r *Record) { r.State = StateWaiting }, func(context.Context) error {
		t.giveBack(0)
		return nil
	})
}

// update changes the record and, if that was possible, does what follows. It
// tries as long as this worker may act for the job.
func (t *task) update(ctx context.Context, change func(*Record), then func(context.Context) error) {
	ctx = context.WithoutCancel(ctx)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		t.mu.Lock()
		was := t.record.Record
		change(&t.record.Record)
		err := t.save(limited, t.record)
		if err != nil {
			t.record.Record = was
		}
		t.mu.Unlock()
		if err == nil {
			_ = then(limited)
		}
		cancel()
		switch {
		case err == nil:
			return
		case errors.Is(err, errTaken), t.fenced():
			t.log.Warn("ingest: the result of a job is not recorded, another worker continues", "key", t.job.Key, "error", err)
			return
		}
		time.Sleep(wait)
	}
}

// acknowledge removes the job from the queue. If that fails, the job is delivered
// again and found to be done.
func (t *task) acknowledge(ctx context.Context) {
	for range 3 {
		if t.message().DoubleAck(ctx) == nil || ctx.Err() != nil {
			return
		}
	}
}

// giveBack lets the job be delivered again after a while.
func (t *task) giveBack(after time.Duration) {
	var err error
	if after <= 0 {
		err = t.message().Nak()
	} else {
		err = t.message().NakWithDelay(after)
	}
	if err == nil {
		_ = t.nc.FlushTimeout(time.Second)
	}
}

func (t *task) message() jetstream.Msg {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.msg
}

// withoutQuery is what of a URL is no secret.
func withoutQuery(text string) string {
	text, _, _ = strings.Cut(text, "?")
	return text
}

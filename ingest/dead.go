package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// DeadLetter is a job that cannot be done, with the reason.
type DeadLetter struct {
	Version  int       `json:"version"`
	Job      *Job      `json:"job,omitempty"` // nil if the message was not a valid job
	Raw      string    `json:"raw,omitempty"` // the beginning of that message, on one line
	Error    Cause     `json:"error"`
	Failures int       `json:"failures,omitempty"`
	Deaths   int       `json:"deaths,omitempty"`
	Worker   string    `json:"worker"`
	Time     time.Time `json:"time"`
	MediaId  string    `json:"mediaId,omitempty"` // of the asset, if it was created

	seq uint64
}

const maxRaw = 512

// refuse puts a message that is not a job into the dead-letter stream.
func (w *worker) refuse(msg jetstream.Msg, seq uint64, err error) {
	why, _ := judge(err)
	w.log.Warn("ingest: invalid message in the queue", "sequence", seq, "error", why.Message)
	data := msg.Data()
	letter := DeadLetter{
		Version: Version, Raw: redact.Bounded(redact.Text(string(data[:min(len(data), 2*maxRaw)])), maxRaw),
		Error: why, Worker: w.id, Time: time.Now().UTC(),
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// A name of its own: an invalid message must not replace the letter of a job.
	if w.post(ctx, "invalid."+strconv.FormatUint(seq, 10), letter) == nil {
		_ = msg.DoubleAck(ctx)
	}
}

// bury puts a job whose record says that it is dead into the dead-letter stream,
// and removes it from the queue.
func (t *task) bury(ctx context.Context) {
	r := t.record.Record
	letter := DeadLetter{
		Version: Version, Job: &t.job, Failures: r.Failures, Deaths: r.Deaths, Worker: r.Worker, Time: r.Time, MediaId: r.MediaId,
	}
	if r.Error != nil {
		letter.Error = *r.Error
	}
	if err := t.post(ctx, "job."+t.record.hash, letter); err != nil {
		t.log.Warn("ingest: dead letter not written, the job is delivered again", "key", t.job.Key, "error", t.clean(err))
		t.giveBack(t.Fleet.cfg.AckWait / 4)
		return
	}
	t.died.Add(1)
	t.acknowledge(ctx)
}

// post writes a dead letter. It replaces an earlier one of the same name.
func (f *Fleet) post(ctx context.Context, name string, letter DeadLetter) error {
	text, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	_, err = f.js.Publish(ctx, f.cfg.Name+".dead."+name, text)
	return err
}

// Dead yields the dead-letter stream, the oldest first.
func (f *Fleet) Dead(ctx context.Context) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		info, err := f.dead.Info(ctx)
		if err != nil {
			yield(DeadLetter{}, fmt.Errorf("ingest: %w", f.clean(err)))
			return
		}
		for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
			msg, err := f.dead.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(f.cfg.Name+".dead.>"))
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				return
			}
			if err != nil {
				yield(DeadLetter{}, fmt.Errorf("ingest: %w", f.clean(err)))
				return
			}
			seq = msg.Sequence
			if seq > info.State.LastSeq {
				return
			}
			letter := DeadLetter{}
			if json.Unmarshal(msg.Data, &letter) != nil || letter.Version != Version {
				letter = DeadLetter{Raw: redact.Bounded(redact.Text(string(msg.Data[:min(len(msg.Data), 2*maxRaw)])), maxRaw), Error: Cause{Code: "InvalidLetter"}}
			}
			letter.seq = seq
			if !yield(letter, nil) {
				return
			}
		}
	}
}

// Requeue puts the jobs of the dead-letter stream that which accepts back into
// the queue, with all their attempts. A job whose asset was created continues
// with it. Messages that were not valid jobs stay. It returns the number of jobs.
func (f *Fleet) Requeue(ctx context.Context, which func(DeadLetter) bool) (n int, err error) {
	for letter, err := range f.Dead(ctx) {
		if err != nil {
			return n, err
		}
		if letter.Job == nil || !which(letter) {
			continue
		}
		if err := f.requeue(ctx, letter); err != nil {
			return n, fmt.Errorf("ingest: requeue %s: %w", redact.Bounded(letter.Job.Key, 200), f.clean(err))
		}
		n++
	}
	return n, nil
}

// requeue first changes the record, then the queue, then the dead-letter stream,
// so that a job is never lost. After an interruption it is requeued again.
func (f *Fleet) requeue(ctx context.Context, letter DeadLetter) error {
	job, text, err := letter.Job.prepared()
	if err != nil {
		return err
	}
	h, err := f.load(ctx, digest(job.Key))
	if err != nil {
		return err
	}
	if h.State == StateDead {
		h.State, h.Failures, h.Deaths = StateWaiting, 0, 0
		if err := f.save(ctx, h); err != nil {
			return err
		}
	}
	if h.State == StateWaiting { // done, or worked on: it was requeued before
		s := &submitting{Fleet: f}
		m := nats.NewMsg(f.subject(job))
		m.Data = text
		m.Header.Set(nats.MsgIdHdr, digest(job.Key)+"."+fmt.Sprint(h.revision))
		if err := s.publish(ctx, []*nats.Msg{m}); err != nil {
			return err
		}
	}
	return f.dead.DeleteMsg(ctx, letter.seq)
}

// Discard removes the messages that which accepts from the dead-letter stream.
// The records of their jobs stay dead, so that they are not submitted again. It
// returns the number of messages.
func (f *Fleet) Discard(ctx context.Context, which func(DeadLetter) bool) (n int, err error) {
	for letter, err := range f.Dead(ctx) {
		if err != nil {
			return n, err
		}
		if !which(letter) {
			continue
		}
		if err := f.dead.DeleteMsg(ctx, letter.seq); err != nil {
			return n, fmt.Errorf("ingest: discard: %w", f.clean(err))
		}
		n++
	}
	return n, nil
}

package ingest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Status is the progress of a fleet.
type Status struct {
	Name     string        `json:"name"`
	Waiting  int64         `json:"waiting"`  // jobs that no worker has
	Running  int64         `json:"running"`  // jobs in the hands of workers, and those whose next attempt is delayed
	Finished int64         `json:"finished"` // messages that left the queue: done jobs, and those that were done before
	Dead     int64         `json:"dead"`     // in the dead-letter stream
	Workers  []Worker      `json:"workers"`
	PerHour  float64       `json:"perHour"`   // jobs done by all workers, lately
	PerSec   float64       `json:"perSecond"` // bytes, lately
	ETA      time.Duration `json:"eta"`       // until the queue is empty, in nanoseconds; 0 when not known
}

// Status asks how far the fleet is. It takes the same time for any number of jobs.
func (f *Fleet) Status(ctx context.Context) (Status, error) {
	s, err := f.status(ctx)
	if err != nil {
		return s, fmt.Errorf("ingest: status: %w", f.clean(err))
	}
	return s, nil
}

func (f *Fleet) status(ctx context.Context) (Status, error) {
	s := Status{Name: f.cfg.Name}
	jobs, err := f.jobs.Info(ctx)
	if err != nil {
		return s, err
	}
	dead, err := f.dead.Info(ctx)
	if err != nil {
		return s, err
	}
	for _, c := range f.consumers {
		info, err := c.Info(ctx)
		if err != nil {
			return s, err
		}
		s.Running += int64(info.NumAckPending)
	}
	queued := int64(jobs.State.Msgs)
	s.Running = min(s.Running, queued)
	s.Waiting, s.Dead = queued-s.Running, int64(dead.State.Msgs)
	// Each message gets a number. Those that are not in the queue any more have
	// been done, or have a letter.
	s.Finished = max(0, int64(jobs.State.LastSeq)-queued-int64(dead.State.LastSeq))
	if s.Workers, err = f.listWorkers(ctx); err != nil {
		return s, err
	}
	for _, w := range s.Workers {
		s.PerHour += w.PerHour
		s.PerSec += w.PerSec
	}
	if s.PerHour > 0 && queued > 0 {
		s.ETA = time.Duration(float64(queued) / s.PerHour * float64(time.Hour)).Round(time.Second)
	}
	return s, nil
}

func (f *Fleet) listWorkers(ctx context.Context) ([]Worker, error) {
	all := []Worker{}
	for entry, err := range values(ctx, f.workers) {
		if err != nil {
			return nil, err
		}
		var w Worker
		if json.Unmarshal(entry.Value(), &w) == nil {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b Worker) int { return cmp.Or(a.Began.Compare(b.Began), strings.Compare(a.Id, b.Id)) })
	return all, nil
}

// values yields the entries of a bucket as they are now.
func values(ctx context.Context, kv jetstream.KeyValue) iter.Seq2[jetstream.KeyValueEntry, error] {
	return func(yield func(jetstream.KeyValueEntry, error) bool) {
		watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = watcher.Stop() }()
		for {
			select {
			case entry, ok := <-watcher.Updates():
				if !ok {
					yield(nil, cmp.Or(context.Cause(ctx), errStore))
					return
				}
				if entry == nil || !yield(entry, nil) {
					return
				}
			case <-ctx.Done():
				yield(nil, context.Cause(ctx))
				return
			}
		}
	}
}

// Result returns the record of a job. Its state is empty if no worker has taken
// the job yet.
func (f *Fleet) Result(ctx context.Context, key string) (Record, error) {
	h, err := f.load(ctx, digest(key))
	if err != nil {
		return Record{}, fmt.Errorf("ingest: result: %w", f.clean(err))
	}
	return h.Record, nil
}

// Results yields the records of all jobs that a worker has taken, in the order of
// their last change.
func (f *Fleet) Results(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for entry, err := range values(ctx, f.results) {
			var r Record
			if err == nil && (json.Unmarshal(entry.Value(), &r) != nil || r.Version != Version) {
				continue
			}
			if err != nil {
				err = fmt.Errorf("ingest: results: %w", f.clean(err))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Summary counts what has become of the jobs.
type Summary struct {
	States map[State]int64 `json:"states"`
	Bytes  int64           `json:"bytes"` // of the files of done jobs
	// Causes counts the jobs that are dead or wait for another attempt by the code
	// of their last failure.
	Causes map[string]CauseCount `json:"causes"`
}

// CauseCount is how often a cause is the last failure of a job.
type CauseCount struct {
	Dead    int64  `json:"dead"`
	Waiting int64  `json:"waiting"`
	Example string `json:"example"` // the message of one of them
}

// String is the summary for people, with the most frequent cause first.
func (s Summary) String() string {
	var b strings.Builder
	for _, state := range []State{StateDone, StateWorking, StateWaiting, StateDead} {
		fmt.Fprintf(&b, "%-8s %d\n", state, s.States[state])
	}
	codes := slices.SortedFunc(maps.Keys(s.Causes), func(x, y string) int {
		a, b := s.Causes[x], s.Causes[y]
		return cmp.Or(cmp.Compare(b.Dead+b.Waiting, a.Dead+a.Waiting), strings.Compare(x, y))
	})
	for _, code := range codes {
		c := s.Causes[code]
		fmt.Fprintf(&b, "%6d dead %6d waiting  %s: %s\n", c.Dead, c.Waiting, code, c.Example)
	}
	return b.String()
}

// Report writes the record of each job that a worker has taken as one line of
// JSON, and returns the summary. w may be nil.
func (f *Fleet) Report(ctx context.Context, w io.Writer) (Summary, error) {
	s := Summary{States: make(map[State]int64), Causes: make(map[string]CauseCount)}
	if w == nil {
		w = io.Discard
	}
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	for r, err := range f.Results(ctx) {
		if err != nil {
			return s, errors.Join(err, out.Flush())
		}
		if err := lines.Encode(r); err != nil {
			return s, fmt.Errorf("ingest: report: %w", err)
		}
		s.add(r)
	}
	if err := out.Flush(); err != nil {
		return s, fmt.Errorf("ingest: report: %w", err)
	}
	return s, nil
}

func (s *Summary) add(r Record) {
	s.States[r.State]++
	if r.State == StateDone {
		s.Bytes += r.Size
	}
	if r.Error == nil || r.State == StateDone {
		return
	}
	c, known := s.Causes[r.Error.Code]
	if !known && len(s.Causes) >= maxCauses {
		r.Error.Code = "more"
		c = s.Causes["more"]
	}
	if r.State == StateDead {
		c.Dead++
	} else {
		c.Waiting++
	}
	c.Example = cmp.Or(c.Example, r.Error.Message)
	s.Causes[r.Error.Code] = c
}

const maxCauses = 1000 // that are told apart

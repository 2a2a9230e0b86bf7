package upload

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Job is one file of [Uploader.UploadAll].
type Job struct {
	Source  Source
	Target  Target
	Key     string   // names the upload, see [WithKey]
	Options []Option // in addition to those of UploadAll
}

func (j Job) named(o *options) {
	if j.Key != "" {
		o.key = j.Key
	}
}

// BatchResult is the end of one [Job].
type BatchResult struct {
	Index  int // of the job in the sequence, counted from 0
	Job    Job
	Result *Result // nil on failure
	Err    error   // an [*Error], nil on success
}

// UploadAll uploads the jobs, [Config].Files of them at a time, and yields each
// result as soon as it is there. A failure does not end the other uploads. They
// take turns at the Uploader's slots, so that a long file and many short ones
// go on side by side.
//
// A job is taken from the sequence when there is room for it, so the memory
// does not grow with their number. The sequence runs in a goroutine of its own.
// A finished upload waits for the loop to take its result.
//
// When ctx ends, the jobs taken so far are yielded with that error, and one
// more if there is one, so that a cut does not go unnoticed. Leaving the loop
// ends the uploads under way as the end of ctx does in [Uploader.Upload].
//
// An option of UploadAll goes for every file: a callback of [WithProgress] is
// then called for several files at the same time.
//
// With [WithCheckpoint] the whole can be stopped at any moment and run again.
// Jobs that were under way continue, and jobs that were finished are not done
// again: their Result is yielded with AlreadyUploaded set. The list of finished
// uploads, finished.jsonl in the checkpoint directory, is kept, so that the
// same call can run every night and uploads what is new or has changed.
// [Uploader.Upload] reads and writes the same list. What makes an upload the
// same is told at [WithCheckpoint]. Each takes a line of less than 1 KiB as a
// rule, and some 40 bytes of memory. Several processes may share a directory; a
// job that another one is at fails with [ErrCheckpointLocked].
//
// Two jobs of a batch that end at the same object of an own bucket, or are the
// same upload without a checkpoint, never both succeed: the later one fails
// with [ErrDuplicate], unless the earlier one has failed by then. With a
// checkpoint the same upload yields the Result of the earlier job, or
// ErrCheckpointLocked while that is under way. Jobs for a [Bucket], and without
// a checkpoint those of files and with a key, take some 40 bytes of memory
// each.
func (u *Uploader) UploadAll(ctx context.Context, jobs iter.Seq[Job], opts ...Option) iter.Seq[BatchResult] {
	return func(yield func(BatchResult) bool) {
		batch := checkpoint.NewBatch()
		here := func(o *options) { o.batch = batch }
		ctx, cancel := context.WithCancel(ctx)
		queue, results, running := make(chan Job), make(chan BatchResult), 0
		left, pulled := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(pulled)
			pull(ctx, jobs, queue, left)
		}()
		defer func() {
			cancel()
			close(left)
			for range running {
				<-results
			}
			transfer.WaitFor(pulled, transfer.GracePeriod)
		}()
		ends, late := ctx.Done(), (<-chan time.Time)(nil)
		for index := 0; queue != nil || running > 0; {
			room := queue
			if running == u.cfg.Files {
				room = nil
			}
			select {
			case job, ok := <-room:
				if !ok {
					queue = nil
					continue
				}
				go func(index int) {
					res, err := u.Upload(ctx, job.Source, job.Target, slices.Concat(opts, job.Options, []Option{job.named, here})...)
					results <- BatchResult{index, job, res, err}
				}(index)
				index, running = index+1, running+1
			case r := <-results:
				running--
				if !yield(r) {
					return
				}
			case <-ends: // a sequence that never goes on does not keep us
				ends, late = nil, time.After(transfer.GracePeriod)
			case <-late:
				queue = nil
			}
		}
	}
}

// pull hands the jobs on until ctx has ended, and then one more, lest jobs that
// were not done go unnoticed.
func pull(ctx context.Context, jobs iter.Seq[Job], queue chan<- Job, left <-chan struct{}) {
	defer close(queue)
	for job := range jobs {
		over := ctx.Err() != nil
		select {
		case queue <- job:
		case <-left:
			return
		}
		if over {
			return
		}
	}
}

// Collect waits for all results and returns them in the order of the jobs, nil
// for those that failed. The error joins the failures in the same order.
func Collect(results iter.Seq[BatchResult]) ([]*Result, error) {
	all := slices.SortedFunc(results, func(a, b BatchResult) int { return cmp.Compare(a.Index, b.Index) })
	list, errs := make([]*Result, len(all)), make([]error, len(all))
	for i, r := range all {
		list[i], errs[i] = r.Result, r.Err
	}
	return list, errors.Join(errs...)
}

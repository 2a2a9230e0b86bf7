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

// Job is one file for [Uploader.UploadAll].
type Job struct {
	Source  Source
	Target  Target
	Key     string   // identifies the upload, see [WithKey]
	Options []Option // applied after those of UploadAll

	// Err is an error of the sequence itself, such as a folder that [Walk] cannot
	// read. UploadAll uploads nothing and yields it as the error of this job.
	Err error
}

func (j Job) named(o *options) {
	if j.Key != "" {
		o.key = j.Key
	}
}

// BatchResult is the result of one [Job].
type BatchResult struct {
	Index  int // of the job in the sequence, from 0
	Job    Job
	Result *Result // nil on failure
	Err    error   // an [*Error], nil on success
}

// UploadAll uploads many files, [Config].Files at a time. It returns a sequence
// that yields the result of each job when it is available. The uploads start
// when you range over the sequence, and not before. Use [Collect] if you need
// all results at the end.
//
// If a job fails, the others continue. All uploads share the concurrency limit
// of the Uploader, and a large file does not block small ones.
//
// UploadAll reads jobs in a goroutine of its own, one whenever an upload can
// start, so memory does not grow with the number of jobs. A completed upload
// occupies its place until the loop receives its result.
//
// If you leave the loop, the running uploads are canceled. If ctx ends, they are
// canceled, too, and each job that was read yields the error of ctx. One more job
// is read and yields that error, if there is one, so that an interrupted batch
// does not look complete. UploadAll does not wait for a sequence that blocks.
//
// opts apply to every job. A callback, such as that of [WithProgress], is called
// by several uploads concurrently. [WithBatchProgress] reports the sums of all.
//
// With [WithCheckpoint], UploadAll is safe to rerun, after a crash or every
// night. It resumes interrupted uploads, uploads new and modified files, and
// skips completed uploads: they yield their earlier Result with AlreadyUploaded
// set. WithCheckpoint says when two uploads are the same. Completed uploads are
// listed in the file finished.jsonl of the checkpoint directory, which
// [Uploader.Upload] uses, too. An entry usually takes less than 1 KiB on disk and
// about 40 bytes of memory. Several processes can share a directory. A job that
// another process is working on fails with [ErrCheckpointLocked].
//
// Two jobs of a batch cannot write the same object of a [Bucket]: the second one
// fails with [ErrDuplicate], unless the first one has failed before. The same is
// true for two jobs that are the same upload, if they have no checkpoint. With a
// checkpoint the second one yields the Result of the first, or
// ErrCheckpointLocked while the first one is running. To detect this, UploadAll
// keeps about 40 bytes of memory for each object of a Bucket, and for each job
// without a checkpoint whose source is a file or that has a key.
func (u *Uploader) UploadAll(ctx context.Context, jobs iter.Seq[Job], opts ...Option) iter.Seq[BatchResult] {
	return func(yield func(BatchResult) bool) {
		batch, progress := checkpoint.NewBatch(), newBatchTracker(opts, u.log)
		parent := ctx
		ctx, cancel := context.WithCancel(parent)
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
			progress.close(parent)
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
					progress.allRead()
					continue
				}
				counted := progress.start()
				here := func(o *options) {
					o.batch = batch
					o.started = func(t *tracker) { progress.follow(counted, t) }
				}
				go func(index int) {
					res, err := u.uploadJob(ctx, job, slices.Concat(opts, job.Options, []Option{job.named, here}))
					progress.end(counted, res)
					results <- BatchResult{index, job, res, err}
				}(index)
				index, running = index+1, running+1
			case r := <-results:
				running--
				if !yield(r) {
					return
				}
			case <-ends: // a sequence that blocks is not waited for
				ends, late = nil, time.After(transfer.GracePeriod)
			case <-late:
				queue = nil
			}
		}
	}
}

// uploadJob uploads one job, unless the sequence has failed there.
func (u *Uploader) uploadJob(ctx context.Context, job Job, opts []Option) (*Result, error) {
	if job.Err == nil {
		return u.Upload(ctx, job.Source, job.Target, opts...)
	}
	failure := &Error{Stage: StageOpen, Name: baseName(nameOf(job.Source)), Err: job.Err}
	u.log.InfoContext(ctx, "upload: failed", "upload", failure)
	return nil, failure
}

// pull sends the jobs to queue until ctx ends, and then one more: jobs that are
// not uploaded must not go unnoticed.
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

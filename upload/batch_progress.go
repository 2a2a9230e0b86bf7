package upload

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// BatchProgress is how far an [Uploader.UploadAll] is.
type BatchProgress struct {
	Files   int  // jobs that were read so far
	AllRead bool // there are no more jobs: Files and Total are final

	Running int // uploads under way
	Done    int // files that this batch has uploaded
	Skipped int // files that were uploaded before, see Result.AlreadyUploaded
	Failed  int

	Sent    int64         // bytes of all files, counted as in Progress
	Resumed int64         // bytes of Sent that earlier runs have sent, those of skipped files included
	Total   int64         // bytes of the files that were read so far; of a failed file, and of a stream whose size is not known, what was sent
	Rate    float64       // bytes per second of all files, lately
	ETA     time.Duration // until Total is sent, 0 when not known
}

// Percent is 100 only when all jobs were read and have ended, and 0 when Total
// is not known. It refers to the bytes of the files that were read so far.
func (p BatchProgress) Percent() float64 {
	switch {
	case p.AllRead && p.Running == 0:
		return 100
	case p.Total <= 0:
		return 0
	}
	return min(float64(p.Sent)/float64(p.Total)*100, 99.9)
}

// String is a line for people: "12/40 files  1 failed  3.1/8.4 GB  21.0 MB/s  ETA 4m12s".
// The number of files has a plus sign while there may be more jobs.
func (p BatchProgress) String() string {
	var b strings.Builder
	more := "+"
	if p.AllRead {
		more = ""
	}
	fmt.Fprintf(&b, "%d/%d%s files", p.Done+p.Skipped+p.Failed, p.Files, more)
	if p.Skipped > 0 {
		fmt.Fprintf(&b, "  %d skipped", p.Skipped)
	}
	if p.Failed > 0 {
		fmt.Fprintf(&b, "  %d failed", p.Failed)
	}
	unit, scale := "MB", 1e6
	if p.Total >= 1e10 {
		unit, scale = "GB", 1e9
	} else if p.Total < 1e6 {
		unit, scale = "kB", 1e3
	}
	fmt.Fprintf(&b, "  %.1f/%.1f %s", float64(p.Sent)/scale, float64(p.Total)/scale, unit)
	if p.Running > 0 && p.Rate > 0 {
		fmt.Fprintf(&b, "  %.1f MB/s", p.Rate/1e6)
	}
	if p.ETA > 0 {
		fmt.Fprintf(&b, "  ETA %v", p.ETA.Round(time.Second))
	}
	return b.String()
}

// WithBatchProgress calls report a few times a second and at the end of
// [Uploader.UploadAll], with the sums over all files. Calls do not overlap. After
// a slow call, report receives the latest state and skips the states in between.
// A panic of report ends the reports, but not the uploads. The last report comes
// before the loop ends. It is an option of UploadAll only: Upload returns an
// error, and in Job.Options it has no effect.
func WithBatchProgress(report func(BatchProgress)) Option {
	return func(o *options) { o.batchProgress = report }
}

// batchTracker adds up the uploads of one UploadAll. Nil counts nothing.
type batchTracker struct {
	mu      sync.Mutex
	ended   BatchProgress // the jobs that have ended, and how many were read
	running map[*batchJob]struct{}

	wake chan struct{} // a job was read or has ended
	quit chan struct{}
	done chan struct{}
}

// batchJob is one job of a batch. Its tracker is nil until its upload begins.
type batchJob struct{ tracker *tracker }

// newBatchTracker reports to the callback of opts until close. It is nil if there
// is none.
func newBatchTracker(opts []Option, log *slog.Logger) *batchTracker {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if o.batchProgress == nil {
		return nil
	}
	t := &batchTracker{running: make(map[*batchJob]struct{}), wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	go t.report(o.batchProgress, log)
	return t
}

func (t *batchTracker) change(do func()) {
	t.mu.Lock()
	do()
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// start counts a job that was read.
func (t *batchTracker) start() *batchJob {
	if t == nil {
		return nil
	}
	j := new(batchJob)
	t.change(func() {
		t.ended.Files++
		t.running[j] = struct{}{}
	})
	return j
}

// allRead tells that there are no more jobs.
func (t *batchTracker) allRead() {
	if t != nil {
		t.change(func() { t.ended.AllRead = true })
	}
}

// follow counts the bytes of the upload of a job.
func (t *batchTracker) follow(j *batchJob, upload *tracker) {
	if t != nil {
		t.change(func() { j.tracker = upload })
	}
}

// end counts the outcome of a job.
func (t *batchTracker) end(j *batchJob, res *Result) {
	if t == nil {
		return
	}
	t.change(func() {
		delete(t.running, j)
		if j.tracker != nil {
			p := j.tracker.current()
			if res == nil { // what is missing is not sent any more
				p.Sent = min(p.Sent, j.tracker.safe.Load())
				p.Total = p.Sent
			}
			t.ended.add(p)
		}
		switch {
		case res == nil:
			t.ended.Failed++
		case res.AlreadyUploaded:
			t.ended.Skipped++
		default:
			t.ended.Done++
		}
	})
}

func (p *BatchProgress) add(one Progress) {
	if one.Total > 0 {
		one.Sent = min(one.Sent, one.Total)
	}
	p.Sent += one.Sent
	p.Resumed += one.Resumed
	p.Total += max(one.Total, one.Sent)
}

func (t *batchTracker) current() BatchProgress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.ended
	p.Running = len(t.running)
	for j := range t.running {
		if j.tracker != nil {
			p.add(j.tracker.current())
		}
	}
	return p
}

// close makes the last report and waits for it, but not for ever.
func (t *batchTracker) close(ctx context.Context) {
	if t == nil {
		return
	}
	close(t.quit)
	grace := transfer.GracePeriod
	if ctx.Err() != nil {
		grace = transfer.LateGracePeriod
	}
	transfer.WaitFor(t.done, grace)
}

func (t *batchTracker) report(callback func(BatchProgress), log *slog.Logger) {
	defer close(t.done)
	defer func() {
		if r := recover(); r != nil {
			log.Error("upload: the callback of the batch's progress panicked and is not called any more", "panic", redact.Text(fmt.Sprint(r)))
		}
	}()
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	var last BatchProgress
	since, before := time.Now(), int64(0)
	for open := true; open; {
		select {
		case <-ticker.C:
		case <-t.wake:
		case <-t.quit:
			open = false
		}
		p := t.current()
		p.Rate = last.Rate
		if elapsed := time.Since(since); elapsed >= reportEvery {
			p.Rate = float64(max(0, p.Sent-p.Resumed-before)) / elapsed.Seconds()
			if last.Rate > 0 {
				p.Rate = 0.7*last.Rate + 0.3*p.Rate
			}
			since, before = time.Now(), p.Sent-p.Resumed
		}
		if p.Running > 0 && p.Rate > 0 {
			p.ETA = time.Duration(float64(max(0, p.Total-p.Sent)) / p.Rate * float64(time.Second))
		}
		if p != last {
			callback(p)
			last = p
		}
	}
}

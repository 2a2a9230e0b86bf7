package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/progress"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/upload"
)

// upload runs the command upload.
func (a *app) upload(f *uploadFlags, to *uploadTarget, args []string) error {
	if err := f.check(a); err != nil {
		return err
	}
	items, err := a.items(f, to, args)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.plan(f, to, items)
	}
	run := &uploadRun{app: a, opts: f, to: to, items: items, began: time.Now(), stopping: make(chan struct{}), slots: make(chan struct{}, f.files)}
	return run.run()
}

// outcome is how the upload of an item ended.
type outcome string

const (
	uploaded    outcome = "uploaded"
	failed      outcome = "failed"
	interrupted outcome = "interrupted"
)

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return uploaded
	case errors.Is(err, context.Canceled):
		return interrupted
	}
	return failed
}

// uploadRun is one run of the command upload.
type uploadRun struct {
	*app
	opts  *uploadFlags
	to    *uploadTarget
	items []uploadItem
	began time.Time

	display  progress.Display
	slots    chan struct{} // holds one element for each running upload
	stopping chan struct{} // closed by the first interrupt
	order    []int         // the items in the order of the jobs

	mu       sync.Mutex
	running  int
	results  map[int]outcome // of the items that ended
	existing int             // were uploaded before
	bytes    int64
	firstErr error
}

func (r *uploadRun) run() error {
	options, err := r.options()
	if err != nil {
		return err
	}
	uploader, err := r.uploader(func(cfg *upload.Config) {
		cfg.Files, cfg.Parallel, cfg.Bandwidth = r.opts.files, r.opts.parallel, int64(r.opts.limitRate)
		size := int64(r.opts.partSize)
		if size == 0 && r.app.flags.demo {
			size = demoPartSize
		}
		if size > 0 {
			cfg.PartSize, cfg.MultipartThreshold = size, min(2*size, 5<<30)
		}
	})
	if err != nil {
		return err
	}
	if err := r.checkCredentials(); err != nil {
		return err
	}
	if srv, _ := r.simulator(); srv != nil && r.to.bucket != "" {
		srv.CreateBucket(r.to.bucket) // the demo has every bucket that is named
	}
	r.results = map[int]outcome{}
	r.display = r.newDisplay()
	release := r.interrupts.drain(r.drain)
	defer release()
	for i, it := range r.items {
		if it.err != nil {
			r.ended(i, nil, it.err)
		}
	}
	for result := range uploader.UploadAll(r.ctx, r.jobs, options...) {
		r.mu.Lock()
		i := r.order[result.Index]
		r.running--
		r.mu.Unlock()
		r.ended(i, result.Result, result.Err)
		<-r.slots
	}
	r.display.Close()
	return r.summary()
}

// demoPartSize is small, so that small files show how an upload is resumed.
const demoPartSize = 1 << 20

// checkCredentials asks for credentials once, so that not every file fails for
// the want of them.
func (r *uploadRun) checkCredentials() error {
	cfg, err := r.config()
	if err != nil {
		return err
	}
	if _, err := credentials.Ask(r.ctx, cfg.Credentials); err != nil {
		if r.ctx.Err() != nil {
			return err
		}
		return &failure{code: exitDenied, err: err}
	}
	return nil
}

// options apply to all uploads.
func (r *uploadRun) options() (opts []upload.Option, err error) {
	if r.opts.wait {
		opts = append(opts, upload.WithWait())
	}
	if r.opts.verifyContent {
		opts = append(opts, upload.WithVerifyContent())
	}
	if r.opts.recreates || r.app.flags.demo { // a demo that was killed has forgotten what it began
		opts = append(opts, upload.WithRecreate())
	}
	if r.opts.mediaID != "" && (r.to.kind == "vod" || r.to.kind == "ice") {
		opts = append(opts, upload.WithMediaId(r.opts.mediaID))
	}
	if r.opts.noResume {
		return opts, nil
	}
	dir := r.opts.checkpoints
	if dir == "" {
		if dir, err = r.uploadsDir(); err != nil {
			return nil, err
		}
	}
	return append(opts, upload.WithCheckpoint(dir)), nil
}

// uploadsDir is the folder of the checkpoints.
func (a *app) uploadsDir() (string, error) {
	if a.flags.demo {
		if _, err := a.simulator(); err != nil {
			return "", err
		}
		return a.demo.Uploads(), nil
	}
	dir, err := a.stateDir()
	return filepath.Join(dir, "uploads"), err
}

func (r *uploadRun) newDisplay() progress.Display {
	items := make([]progress.Item, len(r.items))
	for i, it := range r.items {
		items[i] = progress.Item{Name: screen.Clean(it.label), Size: it.size}
		if it.err != nil {
			items[i].Size = 0
		}
	}
	mode := r.opts.progress
	if mode == "auto" {
		switch {
		case r.flags.quiet || r.flags.json:
			mode = "none"
		case r.term.Bars() && !r.app.flags.debug: // records would break the bars
			mode = "bars"
		default:
			mode = "lines"
		}
	}
	switch mode {
	case "bars":
		results := r.out
		if r.term.Out.TTY {
			results = nil // between the bars
		}
		return progress.Bars(results, r.err, r.term, items)
	case "lines":
		return progress.Lines(r.out, r.err, items)
	case "json":
		return &progressJSON{Display: progress.None(r.out, r.out), run: r}
	}
	if r.flags.json {
		return progress.None(r.out, r.out)
	}
	return progress.None(r.out, r.err)
}

// jobs yields a job whenever an upload can start, until the first interrupt.
func (r *uploadRun) jobs(yield func(upload.Job) bool) {
	for i, it := range r.items {
		if it.err != nil {
			continue
		}
		select {
		case <-r.stopping: // also when there is room
			return
		default:
		}
		select {
		case r.slots <- struct{}{}:
		case <-r.stopping:
			return
		case <-r.ctx.Done():
			return
		}
		job := upload.Job{Source: it.source, Target: r.opts.targetOf(r.to, it), Key: r.opts.expand(r.opts.key, it)}
		job.Options = []upload.Option{upload.WithProgress(func(p upload.Progress) { r.display.Update(i, p) })}
		r.mu.Lock()
		r.order = append(r.order, i)
		r.running++
		r.mu.Unlock()
		r.display.Start(i)
		if !yield(job) {
			return
		}
	}
}

// drain is what the first interrupt does.
func (r *uploadRun) drain(error) {
	close(r.stopping)
	r.mu.Lock()
	running, waiting := r.running, len(r.items)-len(r.results)-r.running
	r.mu.Unlock()
	r.interrupts.tell()
	text := fmt.Sprintf("Stopping: waiting for %s to finish", count(running, "running upload"))
	if waiting > 0 {
		text += fmt.Sprintf("; %d will not start", waiting)
	}
	text += ". Ctrl-C again ends at once"
	if r.resumable() {
		text += "; the same command resumes"
	}
	r.note(text + ".")
}

// resumable reports whether the same command goes on where this one ended.
func (r *uploadRun) resumable() bool {
	if r.opts.noResume || slices.Contains([]string{"vod-image", "stream", "yike"}, r.to.kind) {
		return false
	}
	return r.opts.key != "" || !slices.ContainsFunc(r.items, func(it uploadItem) bool { return it.stdin })
}

// note prints a line between the bars.
func (r *uploadRun) note(text string) {
	if r.flags.json {
		r.notef("%s", text)
		return
	}
	width := r.term.Err.Width()
	for _, line := range screen.Wrap(text, width) {
		r.display.Note(line + "\n")
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ended notes and prints how the upload of an item ended.
func (r *uploadRun) ended(i int, result *upload.Result, err error) {
	r.mu.Lock()
	r.results[i] = outcomeOf(err)
	if err != nil && r.firstErr == nil {
		r.firstErr = err
	}
	if result != nil {
		if result.AlreadyUploaded {
			r.existing++
		} else {
			r.bytes += result.Size
		}
	}
	r.mu.Unlock()
	r.display.Finish(i, err != nil, r.resultText(r.items[i], result, err))
}

// summary is the last line, and the error for the exit code.
func (r *uploadRun) summary() error {
	n := map[outcome]int{}
	for _, how := range r.results {
		n[how]++
	}
	left := len(r.items) - len(r.results)
	cause := r.interrupts.interrupted()
	if len(r.items) > 1 || cause != nil || left > 0 {
		r.summaryLine(n, left)
	}
	if r.existing > 0 {
		r.notef("what was uploaded before is not uploaded again; --no-resume makes new assets of it")
	}
	switch {
	case cause != nil:
		if r.resumable() && n[uploaded] < len(r.items) {
			r.notef("run the same command again to resume")
		}
		return &failure{code: exitCode(cause), err: cause, silent: true}
	case r.ctx.Err() != nil:
		return context.Cause(r.ctx)
	case n[failed] == 0:
		return nil
	}
	return partly(n[failed], len(r.items), r.firstErr)
}

func (r *uploadRun) summaryLine(n map[outcome]int, left int) {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(n[uploaded]-r.existing, "uploaded")
	add(r.existing, "uploaded before")
	add(n[failed], "failed")
	add(n[interrupted], "interrupted")
	add(left, "not started")
	text := strings.Join(parts, ", ")
	if r.bytes > 0 {
		text += fmt.Sprintf("; %s in %s", screen.Bytes(r.bytes), time.Since(r.began).Round(100*time.Millisecond))
	}
	r.notef("%s", text)
}

// resultText is what is printed of one item.
func (r *uploadRun) resultText(it uploadItem, result *upload.Result, err error) string {
	var b strings.Builder
	switch {
	case r.flags.json:
		_ = writeJSON(&b, r.resultJSON(it, result, err))
	case err != nil:
		writeComplaint(&b, r.app, it.label, uploadCause(err))
	default:
		r.resultLine(&b, it, result)
	}
	return b.String()
}

// uploadCause leaves out the name of the file, which is printed before it.
func uploadCause(err error) error {
	var up *upload.Error
	if !errors.As(err, &up) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return &failure{code: exitInterrupted, err: fmt.Errorf("interrupted, %s stored", screen.Bytes(up.Sent))}
	}
	text := string(up.Stage) + ": " + strings.TrimPrefix(up.Err.Error(), "alimedia: ")
	if up.MediaId != "" {
		text += " (MediaId " + up.MediaId + ")"
	}
	return &explained{text, err}
}

// explained is an error with a text of ours.
type explained struct {
	text string
	error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.error }

func (r *uploadRun) resultLine(w io.Writer, it uploadItem, result *upload.Result) {
	mark := "uploaded"
	switch {
	case result.AlreadyUploaded:
		mark = "uploaded before"
	case result.AlreadyRegistered:
		mark = "registered before"
	}
	id := result.MediaId
	if id == "" {
		id = result.FileURL
	}
	status := ""
	if result.Status != "" {
		status = "  " + result.Status
	}
	if r.flags.quiet {
		fmt.Fprintf(w, "%s\t%s\n", screen.Clean(id), screen.Clean(it.label))
		return
	}
	size, id, name := screen.Bytes(result.Size)+screen.Clean(status), screen.Clean(id), screen.Clean(it.label)
	format := "%s %s  %s  %s\n"
	if width := r.term.Width(); width > 0 {
		room := width - screen.Width(mark+" "+"  "+size+"  "+id)
		if room < min(screen.Width(name), 12) { // the id on a line of its own
			room, format = width-screen.Width(mark+" "+"  "+size), "%s %s  %s\n  %s\n"
		}
		name = screen.Pad(screen.FitMiddle(name, room), min(room, r.nameWidth()))
	}
	fmt.Fprintf(w, format, r.term.Paint(r.term.Out, screen.Green, mark), name, size, id)
}

// nameWidth is how wide the names of results are, so that columns are aligned.
func (r *uploadRun) nameWidth() int {
	const most = 40
	widest := 0
	for _, it := range r.items {
		widest = max(widest, min(most, screen.Width(it.label)))
	}
	return widest
}

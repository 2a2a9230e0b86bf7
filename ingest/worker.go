package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// WorkerConfig says what a worker may do, and how much at a time.
type WorkerConfig struct {
	// Upload configures the uploads. Its VOD and ICE are the clients for all
	// targets, with their own retries. Their rate limit and the CheckpointScope
	// are replaced by those of the fleet.
	Upload upload.Config

	// Roots are the folders that jobs may name, see [Input]. Links that lead out
	// of a root are refused. By default no file is read.
	Roots []Root

	// Buckets are the names of the buckets whose objects jobs may read and
	// register. "*" stands for all that the credentials can reach. The default is
	// none.
	Buckets []string

	// URLOptions apply to all jobs with a URL, for example upload.URLHeader with a
	// password or a token that must not be in the queue.
	URLOptions []upload.URLOption

	// Uploads is the maximum number of uploads at a time, Calls that of calls that
	// register. The defaults are 4.
	Uploads int
	Calls   int

	// Attempts is the number of failures after which a job is put into the
	// dead-letter stream. The default is 5. Failures that a repetition cannot mend
	// do that at once. Throttling, and a queue that is not available, do not count.
	Attempts int
	// Backoff is the delay before the second attempt. It doubles with each
	// attempt, up to 64 times as much. The default is 10 s.
	Backoff time.Duration
	// Deaths is the number of workers that may end with a job in their hands, for
	// example for lack of memory, before the job is put into the dead-letter
	// stream. The default is 10.
	Deaths int

	// Drain is how long jobs may continue after the context of Work has ended.
	// Then they are given back. The default is 30 s.
	Drain time.Duration

	// Dir holds the checkpoints of running uploads, less than 2 MiB each. The
	// default is the directory for temporary files.
	Dir string

	// Rates are the calls per second that the service permits to the account, by
	// the name of the operation, and ICERates those of Intelligent Media Services.
	// The default of Rates is [vod.DocumentedRates]; an empty map means unlimited.
	// For Intelligent Media Services no rates are documented.
	//
	// All workers of a fleet together stay below Share of a rate, 0.95 by default.
	// While the queue is not available, a worker takes a tenth of that, or less if
	// there are more than five workers.
	Rates    map[string]float64
	ICERates map[string]float64
	Share    float64

	// Account identifies the account of the credentials. The default is the
	// answer of STS GetCallerIdentity. Workers of different accounts cannot work
	// in one fleet.
	Account string

	// Idle ends Work if there has been no job for this time. Zero means never.
	Idle time.Duration
}

// Root is a folder that a worker reads files from. Name is what jobs call it,
// which is the path of the folder where they were submitted. The default is Dir.
type Root struct {
	Name string
	Dir  string
}

const maxFetch = 200 // messages that a worker asks for at a time

func (c *WorkerConfig) complete() error {
	c.Uploads, c.Calls = cmp.Or(c.Uploads, 4), cmp.Or(c.Calls, 4)
	c.Attempts, c.Deaths = cmp.Or(c.Attempts, 5), cmp.Or(c.Deaths, 10)
	c.Backoff, c.Drain = cmp.Or(c.Backoff, 10*time.Second), cmp.Or(c.Drain, 30*time.Second)
	c.Share = cmp.Or(c.Share, 0.95)
	if c.Rates == nil {
		c.Rates = vod.DocumentedRates()
	}
	switch {
	case c.Upload.VOD == nil && c.Upload.ICE == nil:
		return errors.New("WorkerConfig.Upload has neither VOD nor ICE")
	case c.Uploads < 0 || c.Calls < 0 || c.Attempts < 0 || c.Deaths < 0 || c.Backoff < 0 || c.Drain < 0 || c.Idle < 0:
		return errors.New("a negative number in WorkerConfig")
	case c.Uploads > maxFetch || c.Calls > 100:
		return fmt.Errorf("WorkerConfig.Uploads is at most %d, and Calls 100", maxFetch)
	case c.Share < 0 || c.Share > 1:
		return errors.New("WorkerConfig.Share is not between 0 and 1")
	}
	if c.Upload.Credentials == nil {
		c.Upload.Credentials = credentials.Default()
	}
	return nil
}

// worker is one call of Work.
type worker struct {
	*Fleet
	cfg      WorkerConfig
	id       string
	began    time.Time
	rates    *rates
	roots    map[string]*os.Root
	uploader *upload.Uploader // in parts
	whole    *upload.Uploader // in one request, where nobody could remove parts

	stop  <-chan struct{} // closed when no more jobs are to be taken
	tasks context.Context // of all jobs; canceled at the end of the drain
	abort context.CancelCauseFunc

	mu       sync.Mutex
	running  map[uint64]*task // by sequence of the message
	contact  time.Time        // when the fleet last heard of this worker
	observed time.Time        // when it last looked at the fleet
	history  []moment
	lastJob  time.Time

	done, failed, died, bytes atomic.Int64
}

var (
	errDrained = errors.New("the worker stops")
	errFenced  = errors.New("the worker has lost contact to the queue")
)

// Work takes jobs and does them until ctx ends. Then it takes no more jobs, and
// gives those that do not end within WorkerConfig.Drain back to the queue. It
// returns nil after a drain, and an error if it cannot begin.
//
// A program calls Work with a context that SIGTERM ends, see signal.NotifyContext.
func (f *Fleet) Work(ctx context.Context, cfg WorkerConfig) error {
	w, err := f.newWorker(ctx, cfg)
	if err != nil {
		return fmt.Errorf("ingest: worker: %w", f.clean(err))
	}
	defer w.close()
	ctx, idle := context.WithCancel(ctx)
	defer idle()
	w.stop = ctx.Done()

	over := make(chan struct{})
	var beating, taking sync.WaitGroup
	beating.Go(func() { w.beat(over, idle) })
	taking.Go(func() { w.takeUploads(ctx) })
	taking.Go(func() { w.takeRegistrations(ctx) })
	<-ctx.Done()
	timer := time.AfterFunc(w.cfg.Drain, func() { w.abort(errDrained) })
	taking.Wait()
	timer.Stop()
	close(over)
	beating.Wait()
	w.leave()
	return nil
}

func (f *Fleet) newWorker(ctx context.Context, cfg WorkerConfig) (w *worker, err error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	host = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '-'
	}, host)
	w = &worker{
		Fleet: f, cfg: cfg, began: time.Now(), contact: time.Now(), lastJob: time.Now(), running: make(map[uint64]*task),
		id: fmt.Sprintf("%.40s-%d-%s", cmp.Or(host, "host"), os.Getpid(), strings.ToLower(rand.Text()[:8])),
	}
	w.tasks, w.abort = context.WithCancelCause(context.Background())
	if err = w.openRoots(); err == nil {
		err = w.join(ctx)
	}
	if err == nil {
		err = w.newUploaders()
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *worker) close() {
	w.abort(errDrained)
	for _, root := range w.roots {
		root.Close()
	}
}

func (w *worker) openRoots() error {
	w.roots = make(map[string]*os.Root)
	for _, r := range w.cfg.Roots {
		root, err := os.OpenRoot(r.Dir)
		if err != nil {
			return err
		}
		w.roots[cmp.Or(r.Name, r.Dir)] = root
	}
	return nil
}

// join makes sure that all workers of the fleet have one account, and tells the
// fleet of this worker.
func (w *worker) join(ctx context.Context) error {
	if w.cfg.Account == "" {
		account, err := w.askAccount(ctx)
		if err != nil {
			return fmt.Errorf("which account the credentials belong to is not known; WorkerConfig.Account can say so: %w", err)
		}
		w.cfg.Account = account
	}
	entry, err := w.shared.Get(ctx, "account")
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		if _, err = w.shared.Create(ctx, "account", []byte(w.cfg.Account)); err == nil || !isMismatch(err) {
			return w.announce(ctx, err)
		}
		entry, err = w.shared.Get(ctx, "account")
	}
	if err == nil && string(entry.Value()) != w.cfg.Account {
		return fmt.Errorf("the credentials belong to account %.40s, the fleet %s works for account %.40s", w.cfg.Account, w.Fleet.cfg.Name, entry.Value())
	}
	return w.announce(ctx, err)
}

func (w *worker) announce(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	w.rates = newRates(w.Fleet, w.cfg)
	return w.pulse(ctx)
}

func (w *worker) askAccount(ctx context.Context) (string, error) {
	o := credentials.CallerIdentityOptions{HTTPClient: w.cfg.Upload.HTTPClient, Endpoint: w.cfg.Upload.STSEndpoint}
	keys := w.cfg.Upload.Credentials
	clientSettings(w.cfg.Upload, func(c settings) {
		keys = c.Credentials
		if o.HTTPClient == nil {
			o.HTTPClient = c.HTTPClient
		}
		if o.Endpoint == "" && onLoopback(c.Endpoint) {
			o.Endpoint = c.Endpoint
		}
	})
	id, err := credentials.GetCallerIdentity(ctx, keys, o)
	if err != nil {
		return "", err
	}
	return id.AccountId, nil
}

// stopping reports whether no more jobs are to be taken.
func (w *worker) stopping() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// takeUploads takes as many jobs as there are free places.
func (w *worker) takeUploads(ctx context.Context) {
	places := make(chan struct{}, w.cfg.Uploads)
	var working sync.WaitGroup
	defer working.Wait()
	for !w.stopping() {
		select {
		case places <- struct{}{}:
		case <-w.stop:
			return
		}
		free := cap(places) - len(places) + 1
		taken := 0
		for msg := range w.fetch(ctx, classUpload, free) {
			if taken++; taken > 1 {
				places <- struct{}{}
			}
			working.Go(func() {
				defer func() { <-places }()
				w.upload(msg)
			})
		}
		if taken == 0 {
			<-places
		}
	}
}

// fetch yields at most n messages, none if there are none for two seconds. After
// the stop it gives back what still arrives.
func (w *worker) fetch(ctx context.Context, class string, n int) func(yield func(jetstream.Msg) bool) {
	return func(yield func(jetstream.Msg) bool) {
		if w.fenced() {
			w.pause(time.Second)
			return
		}
		batch, err := w.consumers[class].Fetch(min(n, maxFetch), jetstream.FetchMaxWait(2*time.Second))
		if err != nil {
			w.log.Debug("ingest: no jobs", "class", class, "error", w.clean(err))
			w.pause(time.Second)
			return
		}
		for msg := range batch.Messages() {
			if ctx.Err() != nil {
				_ = msg.Nak()
				continue
			}
			w.mu.Lock()
			w.lastJob = time.Now()
			w.mu.Unlock()
			yield(msg)
		}
		if err := batch.Error(); err != nil {
			w.log.Debug("ingest: no jobs", "class", class, "error", w.clean(err))
			w.pause(time.Second)
		}
	}
}

func (w *worker) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.stop:
	}
}

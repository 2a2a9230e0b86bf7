package upload

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Progress is how far an upload is.
type Progress struct {
	Name    string        // of the source, without directories
	Source  string        // the name with its folders: the path, or the URL without its query
	Stage   Stage         // the step under way
	MediaId string        // of the asset, once it is created
	Sent    int64         // bytes, each counted once however often it was sent
	Resumed int64         // bytes of Sent that an earlier run has sent, see WithCheckpoint
	Total   int64         // bytes, UnknownSize until the end of a stream is seen
	Rate    float64       // bytes per second, lately
	ETA     time.Duration // until all bytes are sent, 0 when not known
}

// Percent is 100 only when all bytes are sent, and 0 when Total is not known.
func (p Progress) Percent() float64 {
	switch {
	case p.Total <= 0:
		return 0
	case p.Sent >= p.Total:
		return 100
	}
	return min(float64(p.Sent)/float64(p.Total)*100, 99.9)
}

// String is a line for people: "movie.mp4  42 %  8.4/20.0 MB  2.1 MB/s  ETA 6s".
func (p Progress) String() string {
	var b strings.Builder
	b.WriteString(p.Name)
	if p.Total > 0 {
		fmt.Fprintf(&b, "  %d %%", int(p.Percent()))
	}
	unit, scale := "MB", 1e6
	if largest := max(p.Sent, p.Total); largest >= 1e10 {
		unit, scale = "GB", 1e9
	} else if largest < 1e6 {
		unit, scale = "kB", 1e3
	}
	if p.Total > 0 {
		fmt.Fprintf(&b, "  %.1f/%.1f %s", float64(p.Sent)/scale, float64(p.Total)/scale, unit)
	} else {
		fmt.Fprintf(&b, "  %.1f %s", float64(p.Sent)/scale, unit)
	}
	if p.Stage != StageSend {
		b.WriteString("  " + string(p.Stage))
		return b.String()
	}
	if p.Rate > 0 {
		fmt.Fprintf(&b, "  %.1f MB/s", p.Rate/1e6)
	}
	if p.ETA > 0 {
		fmt.Fprintf(&b, "  ETA %v", p.ETA.Round(time.Second))
	}
	return b.String()
}

// tracker counts the bytes of one upload and reports them from a goroutine of
// its own, so that a slow callback holds up nothing.
type tracker struct {
	parent  *tracker     // nil, or of what this is a part of
	file    string       // of a playlist, what the part is for
	watched *observation // nil if nobody observes
	count   atomic.Int64 // bytes handed to connections, less those of failed requests
	safe    atomic.Int64 // bytes that OSS has confirmed

	mu    sync.Mutex
	state Progress

	wake chan struct{} // something other than the count has changed
	quit chan struct{}
	done chan struct{}
}

// newTracker reports to callback, which may be nil, until close.
func newTracker(callback func(Progress), log *slog.Logger) *tracker {
	t := &tracker{wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	if callback == nil {
		close(t.done)
	} else {
		go t.report(callback, log)
	}
	return t
}

// part counts for t too. It has stages of its own.
func (t *tracker) part(file string) *tracker {
	return &tracker{parent: t, file: file, watched: t.watched}
}

// Moved implements transfer.Observer.
func (t *tracker) Moved(n int64) {
	t.watched.bytes(Bytes{Sent: n})
	for ; t != nil; t = t.parent {
		t.count.Add(n)
	}
}

// Confirmed implements transfer.Observer.
func (t *tracker) Confirmed(n int64) {
	t.watched.bytes(Bytes{Confirmed: n})
	for ; t != nil; t = t.parent {
		t.safe.Add(n)
	}
}

// Restarted implements transfer.Observer.
func (t *tracker) Restarted() {
	count, safe, resumed := t.count.Load(), t.safe.Load(), t.current().Resumed
	t.watched.bytes(Bytes{Sent: resumed - count, Confirmed: resumed - safe, Resumed: -resumed})
	if t.parent == nil {
		t.watched.enter(StageSend, t.current().Total)
	}
	for ; t != nil; t = t.parent {
		t.set(func(p *Progress) {
			t.count.Add(-count)
			t.safe.Add(-safe)
			p.Resumed -= resumed
			p.Stage = StageSend
		})
	}
}

// Resumed implements transfer.Observer.
func (t *tracker) Resumed(n int64) {
	t.watched.bytes(Bytes{Resumed: n})
	for ; t != nil; t = t.parent {
		t.set(func(p *Progress) {
			t.count.Add(n)
			t.safe.Add(n)
			p.Resumed += n
		})
	}
}

func (t *tracker) set(change func(*Progress)) {
	t.mu.Lock()
	change(&t.state)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Completing implements transfer.Observer.
func (t *tracker) Completing() { t.stage(StageComplete) }

func (t *tracker) stage(s Stage) {
	t.set(func(p *Progress) { p.Stage = s })
	if t.parent == nil {
		t.watched.enter(s, t.current().Total)
	}
}

func (t *tracker) current() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.state
	p.Sent = t.count.Load()
	return p
}

// close makes the last report and waits for it, but not for ever.
func (t *tracker) close(ctx context.Context) {
	close(t.quit)
	if ctx.Err() != nil {
		transfer.WaitFor(t.done, transfer.LateGracePeriod)
		return
	}
	transfer.WaitFor(t.done, transfer.GracePeriod)
}

const reportEvery = 200 * time.Millisecond

func (t *tracker) report(callback func(Progress), log *slog.Logger) {
	defer close(t.done)
	defer func() {
		if r := recover(); r != nil {
			log.Error("upload: the progress callback panicked and is not called any more", "panic", redact.Text(fmt.Sprint(r)))
		}
	}()
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	var last Progress
	since, before := time.Now(), int64(0)
	for open := true; open; {
		select {
		case <-ticker.C:
		case <-t.wake:
		case <-t.quit:
			open = false
		}
		p := t.current()
		p.Sent = max(p.Sent, last.Sent) // a part that is sent again moves nothing back
		if p.Total > 0 {
			p.Sent = min(p.Sent, p.Total)
		}
		p.Rate = last.Rate
		if elapsed := time.Since(since); elapsed >= reportEvery {
			p.Rate = float64(max(0, p.Sent-p.Resumed-before)) / elapsed.Seconds()
			if last.Rate > 0 {
				p.Rate = 0.7*last.Rate + 0.3*p.Rate
			}
			since, before = time.Now(), p.Sent-p.Resumed
		}
		if p.Stage == StageSend && p.Rate > 0 && p.Total > 0 {
			p.ETA = time.Duration(float64(p.Total-p.Sent) / p.Rate * float64(time.Second))
		}
		opened := p.Name != "" || p.Stage != StageOpen
		if p != last && opened {
			callback(p)
			last = p
		}
	}
}

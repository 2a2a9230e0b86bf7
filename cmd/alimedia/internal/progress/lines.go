package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

// linesEvery is how often the lines say how far the uploads are.
const linesEvery = 10 * time.Second

// Lines writes results to one writer, and to another failures and how it goes, for files
// and for terminals that cannot move their cursor.
func Lines(results, notes io.Writer, items []Item) Display {
	l := &lines{batch: newBatch(items, time.Now), results: results, notes: notes, stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.run()
	return l
}

type lines struct {
	*batch
	results, notes io.Writer
	out            sync.Mutex
	stop, stopped  chan struct{}
}

func (l *lines) run() {
	defer close(l.stopped)
	ticker := time.NewTicker(linesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.Note(l.report())
		case <-l.stop:
			return
		}
	}
}

// report says how far the running uploads and the batch are.
func (l *lines) report() string {
	t := l.total()
	l.mu.Lock()
	var b strings.Builder
	for i, it := range l.items {
		if !l.running[i] {
			continue
		}
		p := l.state[i]
		figures := words(percent(p), amount(p.Sent, p.Total), rateText(p.Rate), leftText(p.ETA))
		if stage, ok := stages[p.Stage]; ok {
			figures = words(percent(p), stage)
		}
		fmt.Fprintf(&b, "%s: %s\n", it.Name, figures)
	}
	l.mu.Unlock()
	if t.files > 1 {
		bytes := t.bytes
		if t.unknown {
			bytes = upload.UnknownSize
		}
		fmt.Fprintf(&b, "%d/%d files: %s\n", t.done+t.failed, t.files, words(amount(t.sent, bytes), rateText(t.rate), leftText(t.left)))
	}
	return b.String()
}

func words(all ...string) string {
	var some []string
	for _, w := range all {
		if w != "" {
			some = append(some, w)
		}
	}
	return strings.Join(some, "  ")
}

func (l *lines) Start(i int) {
	l.start(i)
	it := l.items[i]
	size := ""
	if it.Size >= 0 {
		size = " (" + screen.Bytes(it.Size) + ")"
	}
	l.Note(it.Name + ": uploading" + size + "\n")
}

func (l *lines) Update(i int, p upload.Progress) { l.update(i, p) }

func (l *lines) Finish(i int, failed bool, line string) {
	l.finish(i, failed)
	if failed {
		l.Note(line)
		return
	}
	l.write(l.results, line)
}

func (l *lines) Note(line string) { l.write(l.notes, line) }

func (l *lines) write(w io.Writer, text string) {
	l.out.Lock()
	defer l.out.Unlock()
	_, _ = io.WriteString(w, text)
}

func (l *lines) Close() {
	close(l.stop)
	<-l.stopped
}

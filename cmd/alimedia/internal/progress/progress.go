// Package progress shows how a batch of uploads goes: as bars on a terminal,
// or as lines.
package progress

import (
	"io"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
	"github.com/alimedia/alimedia-go/upload"
)

// Display shows a batch. Its methods may be called concurrently.
type Display interface {
	// Start says that an upload begins.
	Start(index int)
	// Update says how far it is.
	Update(index int, p upload.Progress)
	// Finish says that it is over. The line says how, and may have colors.
	Finish(index int, failed bool, line string)
	// Note prints a line between.
	Note(line string)
	// Close ends the display.
	Close()
}

// Item is a file of the batch.
type Item struct {
	Name string // printable
	Size int64  // upload.UnknownSize if it is not known
}

// batch is the state that both displays draw from.
type batch struct {
	mu      sync.Mutex
	items   []Item
	state   []upload.Progress
	running map[int]bool
	over    map[int]bool
	failed  int
	began   time.Time
	speed   speed
	now     func() time.Time
}

func newBatch(items []Item, now func() time.Time) *batch {
	b := &batch{items: items, state: make([]upload.Progress, len(items)), running: map[int]bool{}, over: map[int]bool{}, began: now(), now: now}
	for i, it := range items {
		b.state[i].Total = it.Size
	}
	return b
}

func (b *batch) start(i int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running[i] = true
}

func (b *batch) update(i int, p upload.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Total <= 0 && b.items[i].Size > 0 {
		p.Total = b.items[i].Size
	}
	b.state[i] = p
}

func (b *batch) finish(i int, failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, i)
	b.over[i] = true
	if failed {
		b.failed++
	} else if b.items[i].Size > 0 { // also one that was uploaded before
		b.state[i].Total, b.state[i].Sent = b.items[i].Size, b.items[i].Size
	}
}

// total is how far the batch is.
type total struct {
	files, done, failed int
	sent, bytes         int64 // bytes is less than all while sizes are unknown
	unknown             bool  // the size of a file is not known
	rate                float64
	left                time.Duration // 0: not known
}

// total sums up. A failed upload counts with the bytes that it sent.
func (b *batch) total() total {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := total{files: len(b.items), done: len(b.over) - b.failed, failed: b.failed}
	var moved int64
	for i, p := range b.state {
		t.sent += p.Sent
		moved += p.Sent - p.Resumed
		switch {
		case b.over[i]:
			t.bytes += p.Sent
		case p.Total > 0:
			t.bytes += p.Total
		default:
			t.unknown = true
		}
	}
	t.rate = b.speed.at(b.now(), moved)
	if t.rate > 0 && !t.unknown && t.bytes > t.sent {
		t.left = time.Duration(float64(t.bytes-t.sent) / t.rate * float64(time.Second))
	}
	return t
}

// speed is a smoothed rate of bytes.
type speed struct {
	since time.Time
	bytes int64
	rate  float64
}

const speedEvery = 500 * time.Millisecond

func (s *speed) at(now time.Time, bytes int64) float64 {
	if s.since.IsZero() {
		s.since, s.bytes = now, bytes
	}
	if elapsed := now.Sub(s.since); elapsed >= speedEvery {
		latest := float64(max(0, bytes-s.bytes)) / elapsed.Seconds()
		if s.rate > 0 {
			latest = 0.7*s.rate + 0.3*latest
		}
		s.rate, s.since, s.bytes = latest, now, bytes
	}
	return s.rate
}

// None shows results, and elsewhere failures and notes.
func None(results, notes io.Writer) Display { return &quiet{results: results, notes: notes} }

type quiet struct {
	mu             sync.Mutex
	results, notes io.Writer
}

func (q *quiet) Start(int)                   {}
func (q *quiet) Update(int, upload.Progress) {}
func (q *quiet) Close()                      {}

func (q *quiet) Finish(_ int, failed bool, line string) {
	if failed {
		q.Note(line)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	_, _ = io.WriteString(q.results, line)
}

func (q *quiet) Note(line string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, _ = io.WriteString(q.notes, line)
}

func rateText(rate float64) string {
	if rate < 1 {
		return ""
	}
	return screen.Bytes(int64(rate)) + "/s"
}

// leftText is a duration as short as it can be read.
func leftText(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d <= 0:
		return ""
	case d < time.Minute:
		return d.String()
	case d < time.Hour:
		return d.Truncate(time.Second).String()
	case d < 100*time.Hour:
		text := d.Truncate(time.Minute).String()
		return text[:len(text)-len("0s")]
	}
	return ">4d"
}

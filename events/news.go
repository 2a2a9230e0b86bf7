package events

import (
	"context"
	"strings"
	"sync"

	"github.com/alimedia/alimedia-go/internal/retry"
)

const (
	maxNews    = 10_000 // assets of which unread news is kept
	maxMediaId = 256    // bytes; real ones have 32
)

// News notifies waiting uploads of events of their assets. With
// upload.WithWait(news), an upload requests the status of its asset when there is
// an event. The zero News is ready for use. It is safe for concurrent use.
//
// An event that no upload waits for is kept for the next Wait, for the last
// 10,000 assets. A callback reaches one process only. Uploads that wait in
// another process request the status once a minute.
type News struct {
	mu      sync.Mutex
	unread  bounded[string, struct{}]
	waiting map[string]*waiters // by MediaId
}

// waiters are the goroutines that wait for an event of one asset.
type waiters struct {
	told  chan struct{} // closed when there is an event
	count int
}

// Handle records an event. It always returns nil. Pass it to [New], or call it
// from your own function or queue consumer.
func (n *News) Handle(_ context.Context, event Event) error {
	if event.MediaId == "" || len(event.MediaId) > maxMediaId {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.waiting[event.MediaId]; w != nil {
		close(w.told)
		delete(n.waiting, event.MediaId)
		return nil
	}
	// A clone, because the id may be part of a longer text.
	n.unread.set(strings.Clone(event.MediaId), struct{}{}, maxNews)
	return nil
}

// Wait returns when there is an event of the asset. An event from before the call
// counts unless an earlier Wait returned for it. The error is that of ctx.
func (n *News) Wait(ctx context.Context, mediaId string) error {
	w := n.join(mediaId)
	if w == nil {
		return nil
	}
	select {
	case <-w.told:
		return nil
	case <-ctx.Done():
	}
	if n.leave(mediaId, w) {
		return nil // at the last moment
	}
	return retry.ContextError(ctx)
}

// join returns nil if there is an unread event, which it consumes.
func (n *News) join(mediaId string) *waiters {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.unread.get(mediaId); ok {
		n.unread.remove(mediaId)
		return nil
	}
	w := n.waiting[mediaId]
	if w == nil {
		w = &waiters{told: make(chan struct{})}
		if n.waiting == nil {
			n.waiting = map[string]*waiters{}
		}
		n.waiting[mediaId] = w
	}
	w.count++
	return w
}

// leave reports whether there was an event in the meantime.
func (n *News) leave(mediaId string, w *waiters) (told bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting[mediaId] != w {
		return true
	}
	if w.count--; w.count == 0 {
		delete(n.waiting, mediaId)
	}
	return false
}

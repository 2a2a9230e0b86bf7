package events

import (
	"crypto/sha256"
	"errors"
	"sync"
)

var (
	// ErrReplayed is a callback that was handled before: same time, signature
	// and body. The answer is 200, so that the service does not repeat it.
	ErrReplayed = errors.New("events: handled before")

	// ErrInProgress is a callback that is being handled: the service did not
	// get an answer in time and repeats it.
	ErrInProgress = errors.New("events: being handled")
)

// replays remembers the callbacks that were handled.
type replays struct {
	limit int // negative: remember nothing

	mu   sync.Mutex
	seen bounded[[sha256.Size]byte, bool] // whether it was handled; if not, it is on the way
}

// claim returns what to call when the callback was handled, well or not. One
// that failed is forgotten, because the service will repeat it.
func (r *replays) claim(p proof, body []byte) (settle func(handled bool), err error) {
	if r.limit < 0 || p.timestamp == "" { // what is not signed anybody can repeat
		return func(bool) {}, nil
	}
	h := sha256.New()
	h.Write(p.signature) // of a fixed length
	h.Write([]byte(p.timestamp + "|"))
	h.Write(body)
	key := [sha256.Size]byte(h.Sum(nil))

	r.mu.Lock()
	defer r.mu.Unlock()
	if handled, ok := r.seen.get(key); ok {
		if handled {
			return nil, ErrReplayed
		}
		return nil, ErrInProgress
	}
	r.seen.set(key, false, r.limit)
	return func(handled bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if handled {
			r.seen.set(key, true, r.limit)
		} else {
			r.seen.remove(key)
		}
	}, nil
}

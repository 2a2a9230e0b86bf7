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

	// ErrBusy is a callback that came while [Config].Replays others were being
	// handled. The service repeats it.
	ErrBusy = errors.New("events: too many callbacks are being handled")
)

// replays remembers the callbacks that were handled and those that are being
// handled. The latter are never forgotten, however many others come meanwhile.
type replays struct {
	limit int // of either kind; negative: remember nothing

	mu      sync.Mutex
	handled bounded[fingerprint, struct{}]
	active  map[fingerprint]struct{}
}

type fingerprint [sha256.Size]byte

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
	key := fingerprint(h.Sum(nil))

	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.handled.get(key); ok {
		return nil, ErrReplayed
	}
	if _, ok := r.active[key]; ok {
		return nil, ErrInProgress
	}
	if len(r.active) >= r.limit {
		return nil, ErrBusy
	}
	if r.active == nil {
		r.active = map[fingerprint]struct{}{}
	}
	r.active[key] = struct{}{}
	return func(handled bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.active, key)
		if handled {
			r.handled.set(key, struct{}{}, r.limit)
		}
	}, nil
}

package events

import (
	"crypto/sha256"
	"errors"
	"sync"
)

var (
	// ErrReplayed means that a callback with the same time, signature and body was
	// handled before. The response is 200, so that the service does not repeat it.
	ErrReplayed = errors.New("events: the callback was handled before")

	// ErrInProgress means that the same callback is being handled: the service did
	// not receive a response in time and repeats it.
	ErrInProgress = errors.New("events: the callback is being handled")

	// ErrBusy means that [Config].Replays other callbacks are being handled. The
	// service repeats the callback.
	ErrBusy = errors.New("events: too many callbacks are being handled")
)

// replays remembers the callbacks that were handled and those that are being
// handled. The latter are never dropped, however many others arrive.
type replays struct {
	limit int // of either kind; negative: remember nothing

	mu      sync.Mutex
	handled bounded[fingerprint, struct{}]
	active  map[fingerprint]struct{}
	unnamed int // callbacks without a signature that are being handled
}

type fingerprint [sha256.Size]byte

// claim returns a function to call after the callback was handled. A callback that
// failed is dropped, because the service repeats it.
func (r *replays) claim(p proof, body []byte) (settle func(handled bool), err error) {
	if r.limit < 0 {
		return func(bool) {}, nil
	}
	if p.timestamp == "" { // anyone can repeat an unsigned callback
		return r.claimUnnamed()
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
	if len(r.active)+r.unnamed >= r.limit {
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

// claimUnnamed is claim for a callback that is only counted.
func (r *replays) claimUnnamed() (settle func(handled bool), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.active)+r.unnamed >= r.limit {
		return nil, ErrBusy
	}
	r.unnamed++
	return func(bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unnamed--
	}, nil
}

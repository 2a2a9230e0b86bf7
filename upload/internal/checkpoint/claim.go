package checkpoint

import (
	"fmt"
	"hash/maphash"
	"sync"
)

// Claims are the objects that uploads of this process are writing. The zero
// value is ready to use.
type Claims struct {
	mu      sync.Mutex
	objects map[string]bool
}

// Claim reserves an object until release is called. The error matches
// [ErrDuplicate] if it is reserved already.
func (c *Claims) Claim(object string) (release func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.objects[object] {
		return nil, fmt.Errorf("%w: the object %s", ErrDuplicate, object)
	}
	if c.objects == nil {
		c.objects = make(map[string]bool)
	}
	c.objects[object] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.objects, object)
	}, nil
}

// Batch is what a batch has uploaded or is uploading: objects with the upload
// that each belongs to and, without a checkpoint, the uploads. Memory holds
// hashes of them, 16 bytes for each.
type Batch struct {
	mu   sync.Mutex
	seed maphash.Seed
	done map[uint64]uint64
}

// NewBatch returns a batch without uploads.
func NewBatch() *Batch {
	return &Batch{seed: maphash.MakeSeed(), done: make(map[uint64]uint64)}
}

// Claim reserves the object of an upload if it is known before the upload, and
// else the upload itself, unless it is saved in a checkpoint, which detects it.
// Both may be empty. completed means that the upload was completed before. The
// error matches [ErrDuplicate] if an earlier upload has the same reservation.
// release keeps the reservation if the upload is done.
func (b *Batch) Claim(object, upload string, completed, saved bool) (release func(done bool), err error) {
	none := func(bool) {}
	hash := uint64(0)
	if upload != "" {
		hash = maphash.String(b.seed, "upload "+upload)
	}
	what, claim := "the object "+object, uint64(0)
	switch {
	case object != "":
		claim = maphash.String(b.seed, "object "+object)
	case hash != 0 && !saved:
		what, claim = "the same upload", hash
	default:
		return none, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	was, taken := b.done[claim]
	switch {
	case taken && (!completed || was != hash || hash == 0):
		return nil, fmt.Errorf("%w: an earlier job of this batch is %s", ErrDuplicate, what)
	case taken:
		return none, nil
	}
	b.done[claim] = hash
	return func(done bool) {
		if !done {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.done, claim)
		}
	}, nil
}

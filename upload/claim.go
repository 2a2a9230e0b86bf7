package upload

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
)

// ErrDuplicate: another upload of this Uploader is writing the same object of
// an own bucket, or an earlier job of this batch has written it or is the same
// upload. Nothing was sent.
var ErrDuplicate = errors.New("another upload has the same destination")

// claims are the objects in own buckets that are being written.
type claims struct {
	mu      sync.Mutex
	objects map[string]bool
}

// batched is what a batch has uploaded or is uploading: objects of own buckets
// with the upload that each belongs to and, without a checkpoint, the uploads.
// In memory they are hashes, 16 bytes for each; other jobs take none.
type batched struct {
	mu   sync.Mutex
	seed maphash.Seed
	done map[uint64]uint64
}

func newBatched() *batched {
	return &batched{seed: maphash.MakeSeed(), done: make(map[uint64]uint64)}
}

// claim keeps others away from where the upload goes. finished tells that it
// was uploaded before. release keeps what was done for the batch.
func (r *run) claim(target binding, o options, finished bool) (release func(done bool), err error) {
	k := r.key(target, o)
	object := target.object(r.file.name)
	same := ""
	switch {
	case k.Key != "":
		same = k.name()
	case k.Source != "":
		same = k.name() + fmt.Sprintf(" %v", r.content.identity)
	}
	undo, err := o.batch.claim(object, same, finished, r.journal != nil)
	if err != nil || finished || object == "" {
		return undo, err
	}
	c := &r.claims
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.objects[object] {
		undo(false)
		return nil, fmt.Errorf("%w: the object %s", ErrDuplicate, object)
	}
	if c.objects == nil {
		c.objects = make(map[string]bool)
	}
	c.objects[object] = true
	return func(done bool) {
		undo(done)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.objects, object)
	}, nil
}

// claim of an upload by its object, where that is known beforehand, and by what
// it is, where that can be recognized.
func (b *batched) claim(object, same string, finished, recorded bool) (release func(done bool), err error) {
	none := func(bool) {}
	if b == nil {
		return none, nil
	}
	upload := uint64(0)
	if same != "" {
		upload = maphash.String(b.seed, "upload "+same)
	}
	what, where := "the object "+object, uint64(0)
	switch {
	case object != "":
		where = maphash.String(b.seed, "object "+object)
	case upload != 0 && !recorded: // otherwise the checkpoint tells
		what, where = "the same upload", upload
	default:
		return none, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	was, taken := b.done[where]
	switch {
	case taken && (!finished || was != upload || upload == 0):
		return nil, fmt.Errorf("%w: an earlier job of this batch is %s", ErrDuplicate, what)
	case taken:
		return none, nil
	}
	b.done[where] = upload
	return func(done bool) {
		if !done {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.done, where)
		}
	}, nil
}

package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
)

var hasCode = alimedia.HasCode

// put sends the object in one request.
func (r *run) put(ctx context.Context, c chunk) (Info, error) {
	done, err := r.send(ctx, c, true)
	if hasCode(err, "FileAlreadyExists") {
		crc, unread := r.source.checksum(ctx, c.data)
		if unread != nil {
			return Info{}, unread
		}
		found, unknown := r.head(ctx)
		if unknown != nil || !found.matches(c.data.Size(), crc) {
			return Info{}, err
		}
		r.observer.Resumed(found.Size)
		return found, nil
	}
	if err != nil {
		return Info{}, err
	}
	return r.verify(ctx, done, Info{Size: done.Size, CRC64: done.CRC64, HasCRC64: true})
}

// createMultipart learns the upload ID even when ctx ends meanwhile, if it can:
// an upload of unknown ID could not be removed. If the object must not be
// overwritten and exists with the same bytes, it is returned.
func (r *run) createMultipart(ctx context.Context) (*Info, error) {
	late, cancel := outlive(ctx, requestGrace)
	defer cancel()
	id, err := call(late, r.client, "InitiateMultipartUpload", func(ctx context.Context, o Object) (string, error) {
		id, err := o.CreateMultipart(ctx)
		if err != nil && isAmbiguous(err) {
			r.markLostIDs()
		}
		return id, err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		r.markLostIDs()
		return nil, retry.ContextError(ctx)
	case hasCode(err, "FileAlreadyExists"):
		return r.existing(ctx, err)
	case err != nil:
		return nil, err
	}
	r.uploadID = id
	return nil, r.checkpoint.Started(id, r.plan.partSize, r.lostIDs)
}

// existing returns the object that must not be overwritten if it has the bytes
// of the source, and refused otherwise.
func (r *run) existing(ctx context.Context, refused error) (*Info, error) {
	if r.source.ReaderAt == nil || r.plan.size == UnknownSize {
		return nil, refused
	}
	found, err := r.head(ctx)
	if err != nil || found.Size != r.plan.size || !found.HasCRC64 {
		return nil, refused
	}
	crc, err := r.source.checksumAll(ctx)
	if err != nil {
		return nil, err
	}
	if crc != found.CRC64 {
		return nil, refused
	}
	r.observer.Resumed(found.Size)
	return &found, nil
}

// sendParts sends all parts, several at once. The first failure ends the rest.
func (r *run) sendParts(parent context.Context, s *splitter, first chunk) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var wg sync.WaitGroup
	own := make(chan struct{}, r.Parallel) // the parts of this object that are being sent
	next := first
	for {
		c := next
		if acquire(ctx, own) != nil {
			break
		}
		wg.Go(func() {
			defer release(own)
			defer c.free()
			if err := r.storePart(ctx, c); err != nil {
				stop(err)
			}
		})
		if c.last {
			break
		}
		var err error
		if next, err = s.next(ctx); err != nil {
			if err != io.EOF {
				stop(err)
			}
			break
		}
	}
	wg.Wait()
	if parent.Err() != nil {
		return retry.ContextError(parent)
	}
	return context.Cause(ctx)
}

// storePart sends a part unless the service has it from an earlier run, with
// the bytes that the source has now.
func (r *run) storePart(ctx context.Context, c chunk) error {
	kept, ok := r.kept[c.number]
	if !ok {
		return r.sendPart(ctx, c)
	}
	crc, err := kept.CRC64, error(nil)
	if !r.source.Unchanged {
		crc, err = r.source.checksum(ctx, c.data)
	}
	switch {
	case err != nil:
		return err
	case crc != kept.CRC64 || c.data.Size() != kept.Size:
		r.Logger.InfoContext(ctx, "upload: a stored part differs from the source, sending it again", "part", c.number)
		return r.sendPart(ctx, c)
	}
	r.addPart(kept)
	r.observer.Resumed(kept.Size)
	return nil
}

func (r *run) sendPart(ctx context.Context, c chunk) error {
	done, err := r.send(ctx, c, false)
	if IsLost(err) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	if err != nil {
		return fmt.Errorf("part %d: %w", c.number, err)
	}
	p := Part{Number: c.number, ETag: done.ETag, Size: done.Size, CRC64: done.CRC64}
	r.addPart(p)
	return r.checkpoint.PartStored(p)
}

// delivery is the outcome of one request that carries bytes.
type delivery struct {
	Info
	sent int64  // bytes that were read for it
	crc  uint64 // of these
}

// sender sends one chunk and proves that the service got it as it was read.
type sender struct {
	*run
	chunk chunk
	isPut bool // the chunk is the whole object

	began     time.Time
	done      Info
	uncertain bool     // all bytes were sent, but whether they are stored is not known
	lost      delivery // what was sent then
}

// send makes a request that carries a chunk. The result has the size and CRC-64
// of what was sent. An object whose response was lost is looked at before it is
// sent again.
func (r *run) send(ctx context.Context, c chunk, isPut bool) (Info, error) {
	s := &sender{run: r, chunk: c, isPut: isPut, began: time.Now()}
	q := Request{Operation: "UploadPart", Part: c.number, Size: c.data.Size()}
	if isPut {
		q.Operation, q.Part = "PutObject", 0
	}
	err := r.repeat(ctx, q, func(q Request) (credentials.Credentials, error) { return s.try(ctx, q) })
	if err != nil && ctx.Err() == nil && isAmbiguous(err) && s.isStored(ctx) {
		err = nil
	}
	return s.done, err
}

// try makes one request. It holds a place in the concurrency limit of all
// transfers while the request lasts, but not during the pause before a
// repetition: a failing file must not delay the others.
func (s *sender) try(ctx context.Context, q Request) (credentials.Credentials, error) {
	if s.isStored(ctx) {
		return credentials.Credentials{}, nil
	}
	asked := time.Now()
	if err := acquire(ctx, s.requests); err != nil {
		return credentials.Credentials{}, err
	}
	began := time.Now()
	q.Queued = began.Sub(asked)
	ctx = s.observer.RequestStarted(ctx, q)
	d, signer, err := try(ctx, s.client, true, s.deliver)
	release(s.requests)
	err = s.prove(d, err)
	s.observer.RequestEnded(ctx, q, Outcome{Duration: time.Since(began), Sent: d.sent, Err: err})
	return signer, err
}

// prove returns nil if the service has what was sent.
func (s *sender) prove(d delivery, err error) error {
	size := s.chunk.data.Size()
	switch {
	case err != nil:
		if d.sent == size && isAmbiguous(err) {
			s.uncertain, s.lost = true, d
		}
	case d.sent != size:
		err = fmt.Errorf("OSS answered after %d of %d bytes", d.sent, size)
	case d.HasCRC64 && d.CRC64 != d.crc:
		err = fmt.Errorf("%w: sent %016x, stored %016x", ErrChecksum, d.crc, d.CRC64)
	default:
		s.done = d.Info
		s.done.Size, s.done.CRC64 = d.sent, d.crc
		s.observer.Confirmed(d.sent)
		return nil
	}
	s.observer.Moved(-d.sent)
	return err
}

func (s *sender) deliver(ctx context.Context, a *attempt) (d delivery, err error) {
	b := &body{data: s.chunk.data, source: s.source, observer: s.observer, attempt: a, admit: s.admit(ctx, a)}
	if s.isPut {
		d.Info, err = a.object.Put(ctx, b, s.chunk.data.Size())
	} else {
		d.Info, err = a.object.UploadPart(ctx, s.uploadID, s.chunk.number, b, s.chunk.data.Size())
	}
	var failed error
	if d.sent, d.crc, failed = b.end(); failed != nil {
		err = retry.Permanent(failed)
	}
	return d, err
}

// isStored reports whether the object has the bytes of a request whose response
// was lost. An older object of the same bytes may have other settings.
func (s *sender) isStored(ctx context.Context) bool {
	if !s.uncertain || !s.isPut {
		return false
	}
	const tolerance = 2 * time.Second // both times are in whole seconds
	found, err := s.headOnce(ctx)
	if err != nil || !found.matches(s.lost.sent, s.lost.crc) || found.Age > time.Since(s.began)+tolerance {
		return false
	}
	s.done = found
	s.observer.Moved(s.lost.sent)
	s.observer.Confirmed(s.lost.sent)
	return true
}

// complete makes one object of the parts. If the service did that and its
// response was lost, it no longer knows the upload: then the object decides.
func (r *run) complete(ctx context.Context) (Info, error) {
	sortParts(r.parts)
	want := totals(r.parts)
	done, err := call(ctx, r.client, "CompleteMultipartUpload", func(ctx context.Context, o Object) (Info, error) {
		return o.CompleteMultipart(ctx, r.uploadID, r.parts)
	})
	switch {
	case err == nil:
		return r.verify(ctx, done, want)
	case IsLost(err) || hasCode(err, "FileAlreadyExists"):
		return r.completed(ctx, want, err)
	case ctx.Err() == nil && isAmbiguous(err): // each response was lost
		if found, unknown := r.headOnce(ctx); unknown == nil && found.matches(want.Size, want.CRC64) {
			return found, nil
		}
	}
	return Info{}, err
}

// completed finds out whether an upload that the service no longer knows has
// become the object.
func (r *run) completed(ctx context.Context, want Info, lost error) (Info, error) {
	found, err := r.head(ctx)
	switch {
	case err == nil && found.matches(want.Size, want.CRC64):
		return found, nil
	case err == nil && found.Size == want.Size && !found.HasCRC64 && r.AllowMissingCRC && IsLost(lost):
		found.CRC64 = want.CRC64
		return found, nil
	case hasCode(lost, "FileAlreadyExists"):
		return Info{}, lost
	case err == nil || isMissing(err):
		return Info{}, fmt.Errorf("%w: %w", ErrLost, lost)
	case alimedia.IsAccessDenied(err) && r.Exists != nil:
		exists, unknown := r.Exists(ctx)
		if exists {
			return Info{Size: want.Size, CRC64: want.CRC64}, nil
		}
		if unknown == nil {
			return Info{}, fmt.Errorf("%w: %w", ErrLost, lost)
		}
		err = unknown
	}
	return Info{}, fmt.Errorf("%w, and whether the object is stored is not known: %w", lost, err)
}

// verify proves that the object has the bytes that were sent: by the response, or
// by Head if the response lacks something.
func (r *run) verify(ctx context.Context, done, want Info) (Info, error) {
	if !done.HasCRC64 || done.ETag == "" {
		found, err := r.head(ctx)
		switch {
		case err != nil:
			return Info{}, fmt.Errorf("%w: the response has no CRC-64, and HeadObject fails: %w", ErrUnproven, err)
		case found.Size != want.Size:
			return Info{}, fmt.Errorf("%w: sent %d bytes, stored %d", ErrChecksum, want.Size, found.Size)
		case !found.HasCRC64 && !r.AllowMissingCRC:
			return Info{}, fmt.Errorf("%w: neither the response nor HeadObject has a CRC-64, see Config.AllowMissingCRC", ErrUnproven)
		}
		found.CallbackErr = done.CallbackErr
		done = found
	}
	if done.HasCRC64 && done.CRC64 != want.CRC64 {
		return Info{}, fmt.Errorf("%w: sent %016x, stored %016x", ErrChecksum, want.CRC64, done.CRC64)
	}
	done.Size, done.CRC64 = want.Size, want.CRC64
	return done, nil
}

// isUseless reports whether err means that no later run can use the parts.
func isUseless(err error) bool {
	for _, reason := range []error{ErrChanged, ErrSize, ErrChecksum, ErrLost, ErrAddressChanged} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/crc64"
)

// What the store allows.
const (
	minPart   = 100 << 10 // bytes, the last part excepted
	maxPart   = 5 << 30   // bytes; also of a single put
	maxParts  = 10_000
	maxObject = maxPart * maxParts // bytes, 48.8 TiB
)

// plan says how an object is cut.
type plan struct {
	size   int64 // UnknownSize where the end is not known
	part   int64
	single bool // one put, no parts
}

// newPlan cuts size bytes into parts of at least part bytes, as many as the
// store allows; below threshold into none.
func newPlan(size, part, threshold int64) (plan, error) {
	switch {
	case size == UnknownSize:
		return plan{size: size, part: part}, nil
	case size == 0:
		return plan{}, ErrEmpty
	case size > maxObject:
		return plan{}, fmt.Errorf("%d bytes: the store takes objects of at most %d bytes", size, int64(maxObject))
	case size < threshold:
		return plan{size: size, part: size, single: true}, nil
	}
	if least := (size + maxParts - 1) / maxParts; part < least {
		const step = 1 << 20
		part = (least + step - 1) / step * step
	}
	return plan{size: size, part: part}, nil
}

// partSize is the length of a part, the first being number 1, and 0 after the
// last. Where the end is not known parts double every 2,000, so that 10,000 of
// them reach 62,000 times the first.
func (p plan) partSize(number int) int64 {
	if p.size == UnknownSize {
		return min(p.part<<((number-1)/2000), maxPart)
	}
	return max(0, min(p.part, p.size-int64(number-1)*p.part))
}

// sending is one object on its way into the store.
type sending struct {
	*session
	plan    plan
	content *content
	slots   chan struct{} // a request with bytes holds one; shared by all uploads
	limit   *limit
	tracker *tracker
	// arrived asks the service whether it has the object. It serves where the
	// store may not be asked. Nil where the service cannot tell.
	arrived func(context.Context) (bool, error)
	journal *journal

	uploadID string
	unlisted bool // parts are of an earlier run, and the store does not say whether it has them
	mu       sync.Mutex
	parts    []part
}

// run sends what the feed gives, first being the first of it. When it returns,
// nothing of the upload is under way any more, and on failure no part is kept
// that no checkpoint knows of.
func (s *sending) run(ctx context.Context, f *feed, first chunk) (receipt, error) {
	if done, stored, err := s.pickUp(ctx); stored || err != nil {
		return done, err
	}
	if s.plan.single || first.last && first.number == 1 && s.plan.size == UnknownSize {
		return s.put(ctx, first)
	}
	done, err := s.multipart(ctx, f, first)
	if err != nil && s.uploadID != "" {
		s.giveUp(ctx, err)
	}
	return done, err
}

func (s *sending) multipart(ctx context.Context, f *feed, first chunk) (receipt, error) {
	if s.uploadID == "" {
		if err := s.initiate(ctx); err != nil {
			return receipt{}, err
		}
	}
	err := s.sendParts(ctx, f, first)
	if err == nil {
		err = s.content.changed()
	}
	if err == nil {
		err = s.journal.update(func(r *record) { r.Step = stepCompleting })
	}
	if err != nil {
		return receipt{}, err
	}
	s.tracker.stage(StageComplete)
	done, err := s.complete(ctx)
	return done, s.doubtful(err)
}

// initiate learns the upload id even when ctx ends meanwhile, if it can: an
// upload of unknown id could not be removed.
func (s *sending) initiate(ctx context.Context) error {
	late, cancel := linger(ctx, patience)
	defer cancel()
	err := s.call(late, "InitiateMultipartUpload", s.stall, func(a attempt) (err error) {
		s.uploadID, err = a.initiate(a)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			err = ended(ctx)
		}
		return err
	}
	return s.journal.update(func(r *record) {
		r.UploadId, r.PartSize, r.Initiated = s.uploadID, s.plan.part, time.Now().UTC()
	})
}

// put sends the object in one request.
func (s *sending) put(ctx context.Context, c chunk) (receipt, error) {
	return s.send(ctx, "PutObject", c, func(a attempt, b *body) (receipt, error) { return a.put(a, b) })
}

// sendParts sends all parts, several at once. The first failure ends the rest.
func (s *sending) sendParts(parent context.Context, f *feed, first chunk) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var wg sync.WaitGroup
	own := make(chan struct{}, cap(s.slots)) // parts of this object under way
	next := first
	for {
		c := next
		there, err := s.has(c)
		if err != nil {
			stop(err)
		}
		if there {
			c.free()
		} else {
			if acquire(ctx, own) != nil {
				break
			}
			wg.Go(func() {
				defer release(own)
				defer c.free()
				if err := s.sendPart(ctx, c); err != nil {
					stop(err)
				}
			})
		}
		if c.last {
			s.cutOff(c.number)
			break
		}
		if next, err = f.next(ctx); err != nil {
			if err != io.EOF {
				stop(err)
			}
			s.cutOff(c.number)
			break
		}
	}
	wg.Wait()
	if parent.Err() != nil {
		return ended(parent)
	}
	return context.Cause(ctx)
}

// cutOff forgets parts of an earlier run behind the last one of a stream.
func (s *sending) cutOff(last int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = slices.DeleteFunc(s.parts, func(p part) bool { return p.number > last })
}

func (s *sending) sendPart(ctx context.Context, c chunk) error {
	done, err := s.send(ctx, "UploadPart", c, func(a attempt, b *body) (receipt, error) {
		return a.part(a, s.uploadID, c.number, b)
	})
	if isLost(err) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	if err != nil {
		return fmt.Errorf("part %d: %w", c.number, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := part{number: c.number, etag: done.etag, size: done.size, crc: done.crc}
	s.parts = append(s.parts, p)
	return s.journal.add(p)
}

// send makes a request that carries a chunk and proves that the store got it
// as it was read. The receipt has size and CRC of what was sent.
func (s *sending) send(ctx context.Context, operation string, c chunk, do func(attempt, *body) (receipt, error)) (receipt, error) {
	var done receipt
	err := s.inSlot(ctx, operation, func(a attempt) error {
		b := &body{data: c.data, intact: s.content.changed, admit: s.limit.of(a), moved: func(n int) {
			a.alive()
			s.tracker.moved(int64(n))
		}}
		var err error
		done, err = do(a, b)
		n, sum, broken := b.end()
		switch {
		case broken != nil:
			err = fatal(broken)
		case err != nil:
		case n != c.data.Size():
			err = fmt.Errorf("the store answered after %d of %d bytes", n, c.data.Size())
		case done.hasCRC && done.crc != sum:
			err = fmt.Errorf("%w: sent %016x, stored %016x", ErrChecksum, sum, done.crc)
		default:
			done.size, done.crc = n, sum
			s.tracker.confirmed(n)
			return nil
		}
		s.tracker.moved(-n)
		return err
	})
	return done, err
}

// complete makes one object of the parts. When the store did that and its
// answer was lost, it no longer knows the upload: then the object decides.
func (s *sending) complete(ctx context.Context) (receipt, error) {
	slices.SortFunc(s.parts, func(a, b part) int { return cmp.Compare(a.number, b.number) })
	var want receipt
	for _, p := range s.parts {
		want.crc = crc64.Combine(want.crc, p.crc, p.size)
		want.size += p.size
	}
	var done receipt
	// Joining many parts takes the store a while.
	err := s.call(ctx, "CompleteMultipartUpload", 5*s.stall, func(a attempt) (err error) {
		done, err = a.complete(a, s.uploadID, s.parts)
		return err
	})
	if isLost(err) {
		done, err = s.look(ctx, want, err)
	}
	if err == nil && done.hasCRC && done.crc != want.crc {
		err = fmt.Errorf("%w: sent %016x, stored %016x", ErrChecksum, want.crc, done.crc)
	}
	done.size, done.crc = want.size, want.crc
	return done, err
}

// look finds out whether an upload that the store no longer knows has become
// the object.
func (s *sending) look(ctx context.Context, want receipt, lost error) (receipt, error) {
	var found receipt
	err := s.call(ctx, "HeadObject", s.stall, func(a attempt) (err error) {
		found, err = a.head(a)
		return err
	})
	switch {
	case err == nil && found.size == want.size && found.hasCRC && found.crc == want.crc:
		return found, nil
	case err == nil || isMissing(err):
		return receipt{}, fmt.Errorf("%w: %w", ErrLost, lost)
	case alimedia.IsAccessDenied(err) && s.arrived != nil:
		ok, asked := s.arrived(ctx)
		if ok {
			return receipt{}, nil
		}
		if asked == nil {
			return receipt{}, fmt.Errorf("%w: %w", ErrLost, lost)
		}
		err = asked
	}
	return receipt{}, fmt.Errorf("%w, and whether the object is stored cannot be told: %w", lost, err)
}

const (
	cleanupTime = 10 * time.Second       // bounds the removal of parts after a failure
	settleTime  = 250 * time.Millisecond // for what was sent before a request was cut off
)

// discard removes the parts. An abort does not catch a part that the store is
// still taking in, so it is repeated while the store knows the upload. Its own
// failure is only logged: the store removes forgotten parts in a week.
func (s *sending) discard(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	for range 3 {
		err := s.call(ctx, "AbortMultipartUpload", s.stall, func(a attempt) error { return a.abort(a, s.uploadID) })
		if err != nil {
			if !isLost(err) {
				s.log.WarnContext(ctx, "upload: parts not removed", "upload_id", s.uploadID, "error", err)
			}
			return
		}
		if sleep(ctx, settleTime) != nil {
			return
		}
		err = s.call(ctx, "ListParts", s.stall, func(a attempt) error {
			_, err := a.list(a, s.uploadID)
			return err
		})
		if err != nil {
			return
		}
	}
}

// isLost reports whether the store does not know the multipart upload.
func isLost(err error) bool { return alimedia.HasCode(err, "NoSuchUpload") }

func isMissing(err error) bool {
	var api *alimedia.Error
	return errors.As(err, &api) && api.StatusCode == 404
}

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
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/internal/retry"
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
	// sweep asks the service to remove the parts of all multipart uploads of
	// the object. Nil where it has no operation for that.
	sweep   func(context.Context) error
	journal *journal

	uploadID string
	unlisted bool         // parts are of an earlier run, and OSS does not say whether it has them
	kept     map[int]part // of an earlier run; what they hold is still to be compared with the source
	strays   bool         // an upload ID may have been made whose answer was lost
	began    time.Time
	late     context.Context // outlives that of the upload by grace
	mu       sync.Mutex
	parts    []part
}

// grace is for what has to be done after the context of an upload has ended.
const grace = 1500 * time.Millisecond

// run sends what the feed gives, first being the first of it. When it returns,
// nothing of the upload is under way any more, and on failure no part is kept
// that no checkpoint knows of.
func (s *sending) run(ctx context.Context, f *feed, first chunk) (receipt, error) {
	var cancel context.CancelFunc
	s.late, cancel = linger(ctx, grace)
	defer cancel()
	s.began = time.Now()
	if done, stored, err := s.pickUp(ctx); stored || err != nil {
		if s.strays && stored && err == nil {
			s.removeStrays(true)
		}
		return done, err
	}
	if s.plan.single || first.last && first.number == 1 && s.plan.size == UnknownSize {
		return s.put(ctx, first)
	}
	done, err := s.multipart(ctx, f, first)
	if err != nil && s.uploadID != "" {
		s.giveUp(ctx, err)
	}
	if s.strays {
		s.removeStrays(err == nil || !s.journal.lasts())
	}
	return done, err
}

func (s *sending) multipart(ctx context.Context, f *feed, first chunk) (receipt, error) {
	if s.uploadID == "" {
		switch done, err := s.initiate(ctx); {
		case err != nil:
			return receipt{}, err
		case done != nil:
			return *done, nil
		}
	}
	err := s.sendParts(ctx, f, first)
	if err == nil {
		err = protect("the source", s.content.changed)
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

// initiate learns the upload ID even when ctx ends meanwhile, if it can: an
// upload of unknown ID could not be removed. Where the object must not be
// overwritten and is there already, of the same bytes, it is returned.
func (s *sending) initiate(ctx context.Context) (*receipt, error) {
	late, cancel := linger(ctx, letGo)
	defer cancel()
	id, err := request(late, s.session, "InitiateMultipartUpload", func(a attempt) (string, error) {
		id, err := a.initiate(a)
		if err != nil && isAmbiguous(err) {
			s.mark(&s.strays)
		}
		return id, err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		s.mark(&s.strays)
		return nil, retry.ContextError(ctx)
	case alimedia.HasCode(err, "FileAlreadyExists"):
		return s.same(ctx, err)
	case err != nil:
		return nil, err
	}
	s.uploadID = id
	return nil, s.journal.update(func(r *record) {
		r.UploadId, r.PartSize, r.Initiated = s.uploadID, s.plan.part, time.Now().UTC()
		r.Strays = s.strays
	})
}

func (s *sending) mark(flag *bool) {
	s.mu.Lock()
	*flag = true
	s.mu.Unlock()
}

// isAmbiguous reports whether a request may have had its effect in spite of
// err.
func isAmbiguous(err error) bool {
	var api *alimedia.Error
	if errors.As(err, &api) {
		return retry.ServerFailure(api.StatusCode) && !alimedia.IsThrottled(err)
	}
	return isTransient(err)
}

// removeStrays aborts the multipart uploads of this object whose IDs never
// arrived. Credentials need not allow it. In an own bucket others may upload
// to the same key: there only what has no parts is ours.
//
// useless tells that no part of the object is of use any more.
func (s *sending) removeStrays(useless bool) {
	ctx, cancel := context.WithTimeout(s.late, cleanupTime)
	defer cancel()
	all, err := request(ctx, s.session, "ListMultipartUploads", func(a attempt) ([]openUpload, error) { return a.uploads(a) })
	if alimedia.IsAccessDenied(err) && useless && s.sweep != nil {
		err = s.sweep(ctx)
	}
	_, exclusive := s.keys.(*grant)
	const slack = 2 * time.Second // both times are in whole seconds
	for _, u := range all {
		if u.id == s.uploadID || u.age > time.Since(s.began)+slack {
			continue
		}
		if !exclusive {
			parts, err := s.listParts(ctx, u.id)
			if err != nil || len(parts) > 0 {
				continue
			}
		}
		if failed := s.call(ctx, "AbortMultipartUpload", func(a attempt) error { return a.abort(a, u.id) }); failed != nil && !isLost(failed) {
			err = failed
		}
	}
	if err != nil {
		s.log.DebugContext(ctx, "upload: an upload ID may be left behind", "error", shownCause(err))
	}
}

// listParts lists all parts that OSS has, page by page.
func (s *sending) listParts(ctx context.Context, uploadID string) ([]part, error) {
	type page struct {
		parts []part
		next  int
	}
	var all []part
	for after := 0; ; {
		p, err := request(ctx, s.session, "ListParts", func(a attempt) (p page, err error) {
			p.parts, p.next, err = a.list(a, uploadID, after)
			return p, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, p.parts...)
		if after = p.next; after == 0 {
			return all, nil
		}
	}
}

// lookAt asks OSS for the object, again and again while that fails.
func (s *sending) lookAt(ctx context.Context) (receipt, error) {
	return request(ctx, s.session, "HeadObject", func(a attempt) (receipt, error) { return a.head(a) })
}

// put sends the object in one request.
func (s *sending) put(ctx context.Context, c chunk) (receipt, error) {
	done, err := s.send(ctx, "PutObject", c, func(a attempt, b *body) (receipt, error) { return a.put(a, b) })
	if alimedia.HasCode(err, "FileAlreadyExists") {
		sum, read := s.sum(ctx, c.data)
		if read != nil {
			return receipt{}, read
		}
		found, looked := s.lookAt(ctx)
		if looked != nil || !found.holds(c.data.Size(), sum) {
			return receipt{}, err
		}
		s.tracker.resumed(found.size)
		return found, nil
	}
	if err != nil {
		return receipt{}, err
	}
	return s.whole(ctx, done, receipt{size: done.size, crc: done.crc, hasCRC: true})
}

// holds reports whether OSS has said that the object is of these bytes.
func (r receipt) holds(size int64, crc uint64) bool {
	return r.size == size && r.hasCRC && r.crc == crc
}

// whole proves that the object is what was sent: by the answer, and by
// HeadObject where that lacks something.
func (s *sending) whole(ctx context.Context, done, want receipt) (receipt, error) {
	if !done.hasCRC || done.etag == "" {
		found, err := s.lookAt(ctx)
		switch {
		case err != nil:
			return receipt{}, fmt.Errorf("%w: the answer has no CRC-64, and HeadObject fails: %w", ErrUnproven, err)
		case found.size != want.size:
			return receipt{}, fmt.Errorf("%w: sent %d bytes, stored %d", ErrChecksum, want.size, found.size)
		case !found.hasCRC && !s.withoutCRC:
			return receipt{}, fmt.Errorf("%w: neither the answer nor HeadObject has a CRC-64, see Config.AllowMissingCRC", ErrUnproven)
		}
		found.callback = done.callback
		done = found
	}
	if done.hasCRC && done.crc != want.crc {
		return receipt{}, fmt.Errorf("%w: sent %016x, stored %016x", ErrChecksum, want.crc, done.crc)
	}
	done.size, done.crc = want.size, want.crc
	return done, nil
}

// same is the object that is there and must not be overwritten, where it is of
// the same bytes as the source; else refused.
func (s *sending) same(ctx context.Context, refused error) (*receipt, error) {
	if s.content.at == nil || s.plan.size == UnknownSize {
		return nil, refused
	}
	found, err := s.lookAt(ctx)
	if err != nil || found.size != s.plan.size || !found.hasCRC {
		return nil, refused
	}
	sum, err := s.checksum(ctx)
	if err != nil {
		return nil, err
	}
	if sum != found.crc {
		return nil, refused
	}
	s.tracker.resumed(found.size)
	return &found, nil
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
		if acquire(ctx, own) != nil {
			break
		}
		wg.Go(func() {
			defer release(own)
			defer c.free()
			if err := s.bringPart(ctx, c); err != nil {
				stop(err)
			}
		})
		if c.last {
			break
		}
		var err error
		if next, err = f.next(ctx); err != nil {
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

// bringPart sends a part, unless OSS has it from an earlier run: of the very
// bytes that the source has now.
func (s *sending) bringPart(ctx context.Context, c chunk) error {
	kept, ok := s.kept[c.number]
	if !ok {
		return s.sendPart(ctx, c)
	}
	sum, err := kept.crc, error(nil)
	if !s.content.proven {
		sum, err = s.sum(ctx, c.data)
	}
	switch {
	case err != nil:
		return err
	case sum != kept.crc || c.data.Size() != kept.size:
		s.log.InfoContext(ctx, "upload: the source has other bytes than an earlier run has sent, sending them", "part", c.number)
		return s.sendPart(ctx, c)
	}
	s.mu.Lock()
	s.parts = append(s.parts, kept)
	s.mu.Unlock()
	s.tracker.resumed(kept.size)
	return nil
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

// delivery is what became of one request with bytes.
type delivery struct {
	receipt
	sent int64  // bytes that were read for it
	sum  uint64 // of these
}

// send makes a request that carries a chunk and proves that OSS got it as it
// was read. The receipt has size and CRC of what was sent. An object whose
// answer was lost is looked at before it is sent again.
func (s *sending) send(ctx context.Context, operation string, c chunk, do func(attempt, *body) (receipt, error)) (receipt, error) {
	var done receipt
	var doubt *delivery // all bytes were sent, what became of them is not known
	began := time.Now()
	arrived := func() bool {
		if doubt == nil || operation != "PutObject" {
			return false
		}
		found, _, err := once(ctx, s.session, false, func(a attempt) (receipt, error) { return a.head(a) })
		const slack = 2 * time.Second // an older object of the same bytes may have other settings
		if err != nil || !found.holds(doubt.sent, doubt.sum) || found.age > time.Since(began)+slack {
			return false
		}
		done = found
		s.tracker.moved(doubt.sent)
		s.tracker.confirmed(doubt.sent)
		return true
	}
	err := s.repeat(ctx, operation, func() (credentials.Credentials, error) {
		if arrived() {
			return credentials.Credentials{}, nil
		}
		d, keys, err := inSlot(ctx, s, func(a attempt) (d delivery, err error) {
			b := &body{
				data: c.data, admit: s.limit.of(a), sent: a.sent,
				intact: func() error { return protect("the source", s.content.changed) },
				moved:  func(n int) { a.alive(); s.tracker.moved(int64(n)) },
			}
			d.receipt, err = do(a, b)
			var broken error
			if d.sent, d.sum, broken = b.end(); broken != nil {
				err = fatal(broken)
			}
			return d, err
		})
		switch {
		case err != nil:
			if d.sent == c.data.Size() && isAmbiguous(err) {
				doubt = &d
			}
		case d.sent != c.data.Size():
			err = fmt.Errorf("OSS answered after %d of %d bytes", d.sent, c.data.Size())
		case d.hasCRC && d.crc != d.sum:
			err = fmt.Errorf("%w: sent %016x, stored %016x", ErrChecksum, d.sum, d.crc)
		default:
			done = d.receipt
			done.size, done.crc = d.sent, d.sum
			s.tracker.confirmed(d.sent)
			return keys, nil
		}
		s.tracker.moved(-d.sent)
		return keys, err
	})
	if err != nil && ctx.Err() == nil && isAmbiguous(err) && arrived() {
		err = nil
	}
	return done, err
}

// complete makes one object of the parts. When OSS did that and its answer was
// lost, it no longer knows the upload: then the object decides.
func (s *sending) complete(ctx context.Context) (receipt, error) {
	slices.SortFunc(s.parts, func(a, b part) int { return cmp.Compare(a.number, b.number) })
	want := receipt{hasCRC: true}
	for _, p := range s.parts {
		want.crc = crc64.Combine(want.crc, p.crc, p.size)
		want.size += p.size
	}
	done, err := request(ctx, s.session, "CompleteMultipartUpload", func(a attempt) (receipt, error) {
		return a.complete(a, s.uploadID, s.parts)
	})
	switch {
	case err == nil:
		return s.whole(ctx, done, want)
	case isLost(err) || alimedia.HasCode(err, "FileAlreadyExists"):
		return s.look(ctx, want, err)
	case ctx.Err() == nil && isAmbiguous(err): // each answer was lost
		if found, _, looked := once(ctx, s.session, false, func(a attempt) (receipt, error) { return a.head(a) }); looked == nil && found.holds(want.size, want.crc) {
			return found, nil
		}
	}
	return receipt{}, err
}

// look finds out whether an upload that OSS no longer knows has become the
// object.
func (s *sending) look(ctx context.Context, want receipt, lost error) (receipt, error) {
	found, err := s.lookAt(ctx)
	switch {
	case err == nil && found.holds(want.size, want.crc):
		return found, nil
	case err == nil && found.size == want.size && !found.hasCRC && s.withoutCRC && isLost(lost):
		found.crc = want.crc
		return found, nil
	case alimedia.HasCode(lost, "FileAlreadyExists"):
		return receipt{}, lost
	case err == nil || isMissing(err):
		return receipt{}, fmt.Errorf("%w: %w", ErrLost, lost)
	case alimedia.IsAccessDenied(err) && s.arrived != nil:
		ok, asked := s.arrived(ctx)
		if ok {
			return receipt{size: want.size, crc: want.crc}, nil
		}
		if asked == nil {
			return receipt{}, fmt.Errorf("%w: %w", ErrLost, lost)
		}
		err = asked
	}
	return receipt{}, fmt.Errorf("%w, and whether the object is stored cannot be told: %w", lost, err)
}

const (
	cleanupTime = 10 * time.Second       // bounds the removal of parts after a failure, without an end of ctx
	settleTime  = 250 * time.Millisecond // for what was sent before a request was cut off
)

// discard removes the parts. An abort does not catch a part that the store is
// still taking in, so it is repeated while the store knows the upload. Its own
// failure is only logged: OSS removes forgotten parts in a week where the
// bucket has that rule. After ctx has ended it has what is left of grace.
func (s *sending) discard(ctx context.Context) {
	if s.late != nil {
		ctx = s.late
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	for range 3 {
		err := s.call(ctx, "AbortMultipartUpload", func(a attempt) error { return a.abort(a, s.uploadID) })
		if err != nil {
			if !isLost(err) {
				s.log.WarnContext(ctx, "upload: parts not removed", "upload_id", s.uploadID, "error", shownCause(err))
			}
			return
		}
		if retry.Sleep(ctx, settleTime) != nil {
			return
		}
		err = s.call(ctx, "ListParts", func(a attempt) error {
			_, _, err := a.list(a, s.uploadID, 0)
			return err
		})
		if err != nil {
			return
		}
	}
}

// isLost reports whether the store does not know the multipart upload.
func isLost(err error) bool { return alimedia.HasCode(err, "NoSuchUpload") }

// isMissing reports whether OSS says that there is no object. A page of
// somebody else with status 404 does not count.
func isMissing(err error) bool {
	var api *alimedia.Error
	return errors.As(err, &api) && api.StatusCode == 404 && (api.RequestId != "" || alimedia.HasCode(err, "NoSuchKey"))
}

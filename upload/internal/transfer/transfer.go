package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/crc64"
)

// Transfer is one source that is uploaded to one object. Its methods are not
// safe for concurrent use.
type Transfer struct {
	m        *Manager
	source   Source
	buffers  int
	plan     plan
	splitter *splitter
	first    chunk

	uploadID string // of the last run
}

// Prepare plans the parts of a source and reads the first of them, before
// anything is created at the service. At most buffers parts of a Reader are in
// memory. The caller must call Close, also after an error of Run.
func (m *Manager) Prepare(ctx context.Context, s Source, buffers int) (*Transfer, error) {
	p, err := newPlan(s.Size, m.PartSize, m.MultipartThreshold)
	if err != nil {
		return nil, err
	}
	t := &Transfer{m: m, source: s, buffers: buffers, plan: p}
	if err := t.split(ctx); err != nil {
		t.Close()
		return nil, err
	}
	if !t.first.last || s.ReaderAt != nil {
		return t, nil
	}
	// All of the stream is in memory.
	size := t.first.data.Size()
	t.source.ReaderAt, t.source.Reader, t.source.Size = t.first.data, nil, size
	if p.size == UnknownSize {
		t.plan = plan{size: size, partSize: size, single: true}
	}
	return t, nil
}

// split begins to split the source.
func (t *Transfer) split(ctx context.Context) (err error) {
	t.splitter = t.source.split(t.plan, t.buffers)
	t.first, err = t.splitter.next(ctx)
	return err
}

// Close ends the reading of the source.
func (t *Transfer) Close() { t.splitter.stop() }

// Size is the size of the source in bytes, or UnknownSize.
func (t *Transfer) Size() int64 { return t.source.Size }

// Head fills p with the first bytes of the source and returns how many.
func (t *Transfer) Head(p []byte) int {
	n, _ := t.first.data.ReadAt(p, 0)
	return n
}

// Multipart reports whether the source is sent in parts.
func (t *Transfer) Multipart() bool { return !t.plan.single }

// UploadID is that of the multipart upload of the last run, or empty.
func (t *Transfer) UploadID() string { return t.uploadID }

// Unchanged tells that an earlier run had the same bytes, see [Source].
func (t *Transfer) Unchanged() { t.source.Unchanged = true }

// Resume splits the source into parts of partSize bytes, as an earlier run did.
// It reports whether that is possible; otherwise nothing changes.
func (t *Transfer) Resume(ctx context.Context, partSize int64) (bool, error) {
	size := t.source.Size
	switch {
	case t.source.ReaderAt != nil && (size+partSize-1)/partSize <= MaxParts:
		t.plan = plan{size: size, partSize: partSize}
		return true, t.split(ctx)
	case t.source.ReaderAt == nil && t.plan.partSize == partSize && !t.plan.single:
		return true, nil // a stream is split already
	}
	return false, nil
}

// ReadAnywhere makes a stream a source that can be read at any offset, if it
// offers that. Otherwise nothing changes.
func (t *Transfer) ReadAnywhere(ctx context.Context) {
	if t.source.ReaderAt != nil || t.source.Ranges == nil {
		return
	}
	at, err := t.source.Ranges()
	if err != nil {
		t.m.Logger.InfoContext(ctx, "upload: the source is read from its beginning", "error", shown(err))
		return
	}
	t.splitter.stop()
	t.source.ReaderAt, t.source.Reader = at, nil
}

// Checksum reads the source to its end and returns its size and CRC-64. A
// stream cannot be sent afterwards.
func (t *Transfer) Checksum(ctx context.Context) (size int64, crc uint64, err error) {
	if t.source.ReaderAt != nil {
		crc, err = t.source.checksumAll(ctx)
		return t.source.Size, crc, err
	}
	for c := t.first; ; {
		sum, err := t.source.checksum(ctx, c.data)
		if err != nil {
			return 0, 0, err
		}
		crc = crc64.Combine(crc, sum, c.data.Size())
		size += c.data.Size()
		if c.free(); c.last {
			return size, crc, nil
		}
		if c, err = t.splitter.next(ctx); err == io.EOF {
			return size, crc, nil
		} else if err != nil {
			return 0, 0, err
		}
	}
}

// Run uploads the source to d. It returns only after its requests have ended.
// If it fails, no part stays at the service that no checkpoint remembers.
//
// When the service loses the multipart upload, Run starts again once if the
// source can be read again.
func (t *Transfer) Run(ctx context.Context, d Destination, c Checkpoint, o Observer) (Info, error) {
	client := t.m.client(d, o)
	for restarted := false; ; restarted = true {
		r := &run{client: client, plan: t.plan, source: &t.source, checkpoint: c}
		done, err := r.run(ctx, t.splitter, t.first)
		t.uploadID = r.uploadID
		if !errors.Is(err, ErrLost) || restarted {
			return done, err
		}
		t.ReadAnywhere(ctx)
		if t.source.ReaderAt == nil {
			return done, err
		}
		t.m.Logger.WarnContext(ctx, "upload: restarting the upload", "error", shown(err))
		o.Restarted()
		if err := t.split(ctx); err != nil {
			return Info{}, err
		}
	}
}

// run is one attempt at the whole transfer.
type run struct {
	*client
	plan       plan
	source     *Source
	checkpoint Checkpoint

	uploadID string
	unlisted bool         // kept is as recorded: the service does not let us list the parts
	kept     map[int]Part // stored by an earlier run; their bytes are still to be compared with the source
	lostIDs  bool         // there may be multipart uploads whose IDs never arrived
	began    time.Time
	late     context.Context // outlives that of the transfer by cleanupGrace

	mu    sync.Mutex
	parts []Part
}

func (r *run) run(ctx context.Context, s *splitter, first chunk) (Info, error) {
	var cancel context.CancelFunc
	r.late, cancel = outlive(ctx, cleanupGrace)
	defer cancel()
	r.began = time.Now()
	if done, stored, err := r.resume(ctx); stored || err != nil {
		if r.lostIDs && stored && err == nil {
			r.removeLostUploads(true)
		}
		return done, err
	}
	if r.plan.single {
		return r.put(ctx, first)
	}
	done, err := r.multipart(ctx, s, first)
	if err != nil && r.uploadID != "" {
		r.cleanUp(ctx, err)
	}
	if r.lostIDs {
		r.removeLostUploads(err == nil || !r.checkpoint.Durable())
	}
	return done, err
}

func (r *run) multipart(ctx context.Context, s *splitter, first chunk) (Info, error) {
	if r.uploadID == "" {
		switch done, err := r.createMultipart(ctx); {
		case err != nil:
			return Info{}, err
		case done != nil:
			return *done, nil
		}
	}
	err := r.sendParts(ctx, s, first)
	if err == nil {
		err = r.source.changed()
	}
	if err == nil {
		err = r.checkpoint.Completing()
	}
	if err != nil {
		return Info{}, err
	}
	r.observer.Completing()
	done, err := r.complete(ctx)
	if r.unlisted && hasCode(err, "InvalidPart") { // of parts that could not be listed
		err = fmt.Errorf("%w: %w", ErrLost, err)
	}
	return done, err
}

func (r *run) addPart(p Part) {
	r.mu.Lock()
	r.parts = append(r.parts, p)
	r.mu.Unlock()
}

func (r *run) markLostIDs() {
	r.mu.Lock()
	r.lostIDs = true
	r.mu.Unlock()
}

// totals is the size and CRC-64 of the object that parts make.
func totals(parts []Part) Info {
	whole := Info{HasCRC64: true}
	for _, p := range parts {
		whole.CRC64 = crc64.Combine(whole.CRC64, p.CRC64, p.Size)
		whole.Size += p.Size
	}
	return whole
}

func sortParts(parts []Part) {
	slices.SortFunc(parts, func(a, b Part) int { return a.Number - b.Number })
}

package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/vod"
)

// finder is a target that can find an asset it made without being told its id.
type finder interface {
	findable() bool
	find(ctx context.Context, u *Uploader) (place, bool, error)
}

// freshAsset is for how long a service may not find an asset that it has made.
const freshAsset = time.Minute

// openCheckpoint finds out whether an earlier run is to be gone on with. It
// returns the result of one that UploadAll need not repeat.
func (r *run) openCheckpoint(ctx context.Context, o checkpointOptions, target Target) (*Result, error) {
	if o.dir == "" {
		return nil, nil
	}
	source := r.content.identity
	if source.Source == "" || r.content.at == nil {
		r.log.WarnContext(ctx, "upload: no checkpoint: only a File can be recognised again", "name", r.file.name)
		return nil, nil
	}
	name, err := r.checkpointName(ctx, source, target)
	if err != nil {
		return nil, err
	}
	if r.journal, err = openJournal(o, name, source, r.log); err != nil {
		return nil, err
	}
	if done, err := r.finished(ctx, o, name); done != nil || err != nil {
		return done, err
	}
	was, earlier := r.journal.state()
	if earlier && was.Source != source {
		r.log.WarnContext(ctx, "upload: the file has changed, starting anew", "name", r.file.name, "media_id", was.MediaId)
		r.abandon(ctx, target, was)
		r.journal.start(source)
		was, earlier = r.journal.state()
	}
	r.file.token, r.file.asked, r.file.note = was.Token, was.Asked, r.journal.asked
	if !earlier || was.UploadId == "" {
		return nil, nil
	}
	// The parts were cut as it was set then.
	p := plan{size: r.content.size, part: was.PartSize}
	if (p.size+p.part-1)/p.part > maxParts {
		return nil, r.journal.keep(nil)
	}
	r.plan = p
	return nil, r.cut(ctx)
}

// abandon removes the parts of an upload that nobody will go on with.
func (r *run) abandon(ctx context.Context, target Target, was record) {
	if was.UploadId == "" || was.Step != stepSending && was.Step != stepCompleting {
		return
	}
	p, err := target.resume(ctx, r.Uploader, r.file, was.place(), false)
	if err == nil && !p.whole {
		s := r.session(p)
		err = s.call(ctx, "AbortMultipartUpload", s.stall, func(a attempt) error { return a.abort(a, was.UploadId) })
	}
	if err != nil && !isLost(err) {
		r.log.WarnContext(ctx, "upload: parts not removed", "upload_id", was.UploadId, "error", err)
	}
}

// settle gets a place for the bytes, that of an earlier run where there is one.
func (r *run) settle(ctx context.Context, o checkpointOptions, target Target) error {
	was, earlier := r.journal.state()
	if earlier && was.Step != stepCreating {
		anew, err := r.takeOver(ctx, o, target, was)
		if !anew {
			return err
		}
		r.log.WarnContext(ctx, "upload: not resumed, starting anew", "name", r.file.name, "media_id", was.MediaId, "error", err)
		r.journal.start(was.Source)
		was, earlier = r.journal.state()
		r.file.token, r.file.asked = was.Token, was.Asked
	}
	found := false
	var err error
	f, findable := target.(finder)
	findable = findable && f.findable() && r.journal != nil
	switch {
	case findable && earlier:
		r.place, found, err = f.find(ctx, r.Uploader)
	case findable || o.required: // before anything is made
		err = r.journal.update(func(*record) {})
	}
	if err != nil {
		return err
	}
	if !found {
		r.place, err = target.begin(ctx, r.Uploader, r.file)
	}
	if err == nil || r.place.mediaId != "" {
		p := r.place
		err = errors.Join(err, r.journal.update(func(rec *record) {
			rec.Step = stepSending
			rec.MediaId, rec.FileURL, rec.MediaURL, rec.RequestId = p.mediaId, p.fileURL, p.mediaURL, p.requestId
			rec.Address = p.address
		}))
	}
	return err
}

// takeOver goes on with the asset of an earlier run. anew tells that another
// may be made.
func (r *run) takeOver(ctx context.Context, o checkpointOptions, target Target, was record) (anew bool, err error) {
	r.place = was.place() // an error is to name the asset
	stored := was.Step == stepStored || was.Step == stepDone
	p, err := target.resume(ctx, r.Uploader, r.file, r.place, stored)
	switch {
	case err == nil:
		r.place = p
		r.log.InfoContext(ctx, "upload: resumed", "name", r.file.name, "media_id", p.mediaId, "step", was.Step)
		if p.whole {
			err = r.adopt(ctx)
		}
		return false, err
	case errors.Is(err, ErrNotResumable):
		anew = o.recreate || was.MediaId == ""
	case errors.Is(err, ErrAddressChanged):
		anew = o.recreate
	case alimedia.IsNotFound(err):
		// Somebody has deleted it.
		anew = o.recreate || time.Since(was.Created) > freshAsset
	}
	if anew {
		r.place = place{}
	}
	return anew, err
}

// adopt takes the object for stored because the service says so: there is no
// credential to ask the store.
func (r *run) adopt(ctx context.Context) error {
	s := sending{plan: r.plan, content: r.content}
	sum, err := s.checksum(ctx, nil)
	if err != nil {
		return err
	}
	return r.journal.update(func(rec *record) { rec.Step, rec.Size, rec.CRC64 = stepStored, s.plan.size, sum })
}

func (r record) place() place {
	return place{mediaId: r.MediaId, fileURL: r.FileURL, mediaURL: r.MediaURL, requestId: r.RequestId, address: r.Address}
}

// delivered is what an earlier run has brought to the store.
func (r *run) delivered() (receipt, bool) {
	was, earlier := r.journal.state()
	if !earlier || was.Step != stepStored && was.Step != stepDone {
		return receipt{}, false
	}
	r.tracker.resumed(r.content.slices.with(was.Size))
	return receipt{etag: was.ETag, size: was.Size, crc: was.CRC64}, true
}

// register makes an asset of the stored object, once.
func (r *run) register(ctx context.Context, done receipt, res *Result) error {
	if was, _ := r.journal.state(); was.Step == stepDone {
		res.MediaId, res.RequestId, res.AlreadyRegistered = was.MediaId, was.RequestId, was.Already
		return nil
	}
	err := r.journal.update(func(rec *record) {
		rec.Step = stepStored
		rec.ETag, rec.Size, rec.CRC64 = done.etag, done.size, done.crc
	})
	if err != nil || r.place.finish == nil {
		return err
	}
	if err := r.place.finish(ctx, res); err != nil {
		return err
	}
	return r.journal.update(func(rec *record) {
		rec.Step = stepDone
		rec.MediaId, rec.RequestId, rec.Already = res.MediaId, res.RequestId, res.AlreadyRegistered
	})
}

// spent reports whether the checkpoint is of no more use.
func (r *run) spent(ctx context.Context, err error) bool {
	if r.keep {
		return false
	}
	return err == nil || r.uploaded && ctx.Err() == nil && r.journal.finished(r.place) && !errors.Is(err, ErrCallback)
}

func (j *journal) finished(p place) bool {
	rec, _ := j.state()
	return rec.Step == stepDone || rec.Step == stepStored && p.finish == nil
}

// pickUp goes on where an earlier run has stopped. stored tells that the
// object is complete.
func (s *sending) pickUp(ctx context.Context) (done receipt, stored bool, err error) {
	was, earlier := s.journal.state()
	if !earlier {
		return receipt{}, false, nil
	}
	if was.UploadId == "" {
		return s.present(ctx, nil)
	}
	parts := s.journal.sound(s.plan)
	s.uploadID = was.UploadId
	var listed []part
	err = s.call(ctx, "ListParts", s.stall, func(a attempt) (err error) {
		listed, err = a.list(a, s.uploadID)
		return err
	})
	switch {
	case isLost(err):
		if done, stored, err = s.present(ctx, parts); stored || err != nil {
			return done, stored, err
		}
		s.log.WarnContext(ctx, "upload: the store has dropped the parts, sending them again", "upload_id", s.uploadID)
		return s.afresh()
	case alimedia.IsAccessDenied(err):
		s.unlisted = true // what was recorded has to do
	case err != nil:
		return receipt{}, false, err
	default:
		parts = confirmed(parts, listed)
	}
	if time.Since(was.Initiated) > partsLife {
		if done, stored, err = s.present(ctx, parts); stored || err != nil {
			return done, stored, err
		}
		s.log.WarnContext(ctx, "upload: the parts are too old, sending them again", "upload_id", s.uploadID)
		s.discard(ctx)
		return s.afresh()
	}
	s.parts = parts
	var size int64
	for _, p := range parts {
		size += p.size
	}
	s.tracker.resumed(size)
	return receipt{}, false, s.journal.keep(append([]part{}, parts...))
}

// afresh forgets the parts.
func (s *sending) afresh() (receipt, bool, error) {
	s.uploadID = ""
	return receipt{}, false, s.journal.keep(nil)
}

// sound is the recorded parts that fit the plan, by number.
func (j *journal) sound(p plan) []part {
	j.mu.Lock()
	defer j.mu.Unlock()
	parts := []part{}
	for _, number := range slices.Sorted(maps.Keys(j.parts)) {
		if q := j.parts[number]; q.size == p.partSize(number) {
			parts = append(parts, q)
		}
	}
	return parts
}

// confirmed is the parts that the store has as they were recorded.
func confirmed(parts, listed []part) []part {
	there := make(map[int]part, len(listed))
	for _, p := range listed {
		there[p.number] = p
	}
	return slices.DeleteFunc(parts, func(p part) bool {
		q, ok := there[p.number]
		return !ok || q.size != p.size || !sameTag(q.etag, p.etag)
	})
}

func sameTag(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, `" `), strings.Trim(b, `" `))
}

// has reports whether a part is in the store already.
func (s *sending) has(number int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.parts, func(p part) bool { return p.number == number })
}

// present asks whether the object is in the store, made of these bytes.
func (s *sending) present(ctx context.Context, parts []part) (receipt, bool, error) {
	var found receipt
	err := s.call(ctx, "HeadObject", s.stall, func(a attempt) (err error) {
		found, err = a.head(a)
		return err
	})
	asked := false
	switch {
	case isMissing(err):
		return receipt{}, false, nil
	case alimedia.IsAccessDenied(err):
		if s.arrived == nil {
			return receipt{}, false, nil
		}
		if asked, err = s.arrived(ctx); err != nil || !asked {
			return receipt{}, false, err
		}
	case err != nil:
		return receipt{}, false, err
	case found.size != s.plan.size || !found.hasCRC:
		return receipt{}, false, nil
	}
	sum, err := s.checksum(ctx, parts)
	if err != nil || !asked && sum != found.crc {
		return receipt{}, false, err
	}
	s.tracker.resumed(s.plan.size)
	return receipt{etag: found.etag, size: s.plan.size, crc: sum}, true, nil
}

// checksum is the CRC of the whole, from that of its parts where all are known.
func (s *sending) checksum(ctx context.Context, parts []part) (uint64, error) {
	var sum uint64
	var size int64
	for _, p := range parts {
		sum = crc64.Combine(sum, p.crc, p.size)
		size += p.size
	}
	if size == s.plan.size {
		return sum, nil
	}
	hash := new(crc64.Hash)
	_, err := io.Copy(hash, &contextReader{ctx, io.NewSectionReader(s.content.at, 0, s.plan.size)})
	if err == nil {
		err = s.content.changed()
	}
	if ctx.Err() != nil {
		err = ended(ctx)
	}
	return hash.Sum64(), err
}

type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// giveUp leaves the parts to a later run, or removes them where none could use
// them.
func (s *sending) giveUp(ctx context.Context, err error) {
	if s.journal.lasts() {
		useless := errors.Is(err, ErrChanged) || errors.Is(err, ErrSize) || errors.Is(err, ErrChecksum) || errors.Is(err, ErrLost)
		if !useless {
			return
		}
	}
	s.discard(ctx)
	_ = s.journal.keep(nil) // the error is that of the upload
}

// doubtful makes a refusal of parts that could not be listed a loss of them.
func (s *sending) doubtful(err error) error {
	if s.unlisted && alimedia.HasCode(err, "InvalidPart") {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return err
}

// resumed takes over p with new credentials. They must be for the same object.
func (u *Uploader) resumed(ctx context.Context, p place, renew renewal) (place, error) {
	uploadAddress, uploadAuth, err := renew(ctx)
	if err != nil {
		return p, err
	}
	was := p.address
	p, err = u.granted(p, uploadAddress, uploadAuth, renew)
	if err == nil && was != (address{}) && (p.address.Bucket != was.Bucket || p.address.Key != was.Key) {
		return p, ErrAddressChanged
	}
	return p, err
}

func (t VODVideo) resume(ctx context.Context, u *Uploader, _ subject, was place, stored bool) (place, error) {
	switch {
	case stored:
		return was, nil
	case u.cfg.VOD == nil:
		return was, needs("VODVideo", "Config.VOD")
	}
	was.arrived = u.videoArrived(was.mediaId)
	return u.resumed(ctx, was, u.refreshVideo(was.mediaId))
}

func (t VODVideo) findable() bool { return t.ReferenceId != "" }

// find implements finder: an asset with our ReferenceId.
func (t VODVideo) find(ctx context.Context, u *Uploader) (place, bool, error) {
	if u.cfg.VOD == nil {
		return place{}, false, needs("VODVideo", "Config.VOD")
	}
	out, err := u.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{ReferenceId: t.ReferenceId})
	if alimedia.IsNotFound(err) {
		return place{}, false, nil
	}
	if err != nil {
		return place{}, false, err
	}
	p := place{mediaId: out.VideoId, requestId: out.RequestId, arrived: u.videoArrived(out.VideoId)}
	p, err = u.granted(p, out.UploadAddress, string(out.UploadAuth), u.refreshVideo(p.mediaId))
	return p, err == nil, err
}

func (t VODImage) resume(ctx context.Context, u *Uploader, _ subject, was place, stored bool) (place, error) {
	if !stored && u.cfg.VOD == nil {
		return was, needs("VODImage", "Config.VOD")
	}
	return was.kept(ctx, stored, u.imageState)
}

func (t VODAttachedMedia) resume(ctx context.Context, u *Uploader, _ subject, was place, stored bool) (place, error) {
	if !stored && u.cfg.VOD == nil {
		return was, needs("VODAttachedMedia", "Config.VOD")
	}
	return was.kept(ctx, stored, u.attachedState)
}

// kept is a place for which there is no other credential. Nothing can be sent
// there, but all may have been.
func (p place) kept(ctx context.Context, stored bool, ask func(context.Context, string) (state, error)) (place, error) {
	if stored {
		return p, nil
	}
	s, err := ask(ctx, p.mediaId)
	switch {
	case err == nil && s.done:
		p.whole = true
		return p, nil
	case err == nil:
		return p, ErrNotResumable
	case alimedia.IsAccessDenied(err):
		return p, fmt.Errorf("%w: %w", ErrNotResumable, err)
	}
	return p, err
}

func (t ICEMedia) resume(ctx context.Context, u *Uploader, _ subject, was place, stored bool) (place, error) {
	switch {
	case stored:
		return was, nil
	case u.cfg.ICE == nil:
		return was, needs("ICEMedia", "Config.ICE")
	}
	was.arrived = u.mediaArrived(was.mediaId)
	return u.resumed(ctx, was, u.refreshMedia(was.mediaId))
}

func (t ICEStream) resume(ctx context.Context, u *Uploader, file subject, was place, stored bool) (place, error) {
	switch {
	case stored:
		return was, nil
	case u.cfg.ICE == nil:
		return was, needs("ICEStream", "Config.ICE")
	}
	p, err := u.resumed(ctx, was, u.refreshMedia(was.mediaId))
	if !errors.Is(err, ErrAddressChanged) {
		return p, err
	}
	// The credential is for the asset's own file: what is sent has been sent.
	stream, unknown := streamOf(ctx, u.cfg.ICE, was.mediaId, was.fileURL, time.Time{})
	if unknown == nil && stream != nil && stream.FileSize == strconv.FormatInt(file.size, 10) {
		was.whole = true
		return was, nil
	}
	return was, fmt.Errorf("%w: %w", ErrNotResumable, err)
}

func (t YikeAsset) resume(_ context.Context, u *Uploader, file subject, was place, stored bool) (place, error) {
	switch {
	case !stored:
		return was, ErrNotResumable
	case u.cfg.ICE == nil:
		return was, needs("YikeAsset", "Config.ICE")
	}
	t, err := t.complete(file)
	if err != nil {
		return was, err
	}
	was.finish = t.finish(u, file)
	return was, nil
}

func (t Bucket) resume(ctx context.Context, u *Uploader, file subject, was place, _ bool) (place, error) {
	p, err := t.begin(ctx, u, file)
	if err == nil && (p.address.Bucket != was.address.Bucket || p.address.Key != was.address.Key) {
		return was, ErrNotResumable
	}
	return p, err
}

func (u *Uploader) refreshVideo(videoId string) renewal {
	return func(ctx context.Context) (string, string, error) {
		out, err := u.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{VideoId: videoId})
		if err != nil {
			return "", "", err
		}
		return out.UploadAddress, string(out.UploadAuth), nil
	}
}

func (u *Uploader) videoArrived(videoId string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		out, err := u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: videoId})
		if err != nil {
			return false, err
		}
		return out.Video.Status != vod.VideoStatusUploading && out.Video.Status != vod.VideoStatusUploadFail, nil
	}
}

func (u *Uploader) mediaArrived(mediaId string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		out, err := u.cfg.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: mediaId})
		if err != nil {
			return false, err
		}
		return out.MediaInfo.MediaBasicInfo.Status != ice.MediaStatusInit, nil
	}
}

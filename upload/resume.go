package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
)

// finder is a target that can find an asset it made without being told its id.
type finder interface {
	findable() bool
	find(ctx context.Context, u *Uploader, file subject) (place, bool, error)
}

// continuer is a target that uploads into an asset that was created before.
type continuer interface {
	continued(ctx context.Context, u *Uploader, mediaId string) (place, error)
}

// freshAsset is for how long a service may not find an asset that it has made.
const freshAsset = time.Minute

// openCheckpoint finds out whether an earlier run is to be continued. It
// returns the result of one that is not to be repeated.
func (r *run) openCheckpoint(ctx context.Context, o options, target Target) (*Result, error) {
	c, source := o.checkpoint, r.content.identity
	if c.dir == "" {
		return nil, nil
	}
	if source.Source == "" && o.key == "" {
		r.log.WarnContext(ctx, "upload: no checkpoint: the source cannot be recognized in a later run; name the upload by WithKey", "name", r.file.name)
		return nil, nil
	}
	names, err := r.openJournal(ctx, o, target)
	if r.journal == nil || err != nil {
		return nil, err
	}
	if done, err := r.finished(ctx, o, names); done != nil || err != nil {
		return done, err
	}
	was, earlier := r.journal.state()
	unchanged := earlier && r.content.versioned && was.Source.sameContent(source)
	if unchanged {
		r.transfer.Unchanged()
	}
	if stored := was.Step == stepStored || was.Step == stepDone; earlier {
		switch {
		case o.key != "" && stored: // what is stored under a key stays
		case o.key != "": // parts of other content are found when they are compared
			if err := r.journal.update(func(rec *record) { rec.Source = source }); err != nil {
				return nil, err
			}
		case was.Source != source || stored && was.Size != r.content.size && r.content.size != UnknownSize:
			r.log.WarnContext(ctx, "upload: the file has changed, starting anew", "name", r.file.name, "media_id", was.MediaId)
			r.abandon(ctx, target, was)
			r.journal.start(source)
		}
		was, earlier = r.journal.state()
	}
	r.file.token, r.file.asked, r.file.note = was.Token, was.Asked, r.journal.asked
	r.file.began, r.file.repeated = was.Created, earlier
	if !earlier || was.UploadId == "" {
		return nil, nil
	}
	if unchanged {
		r.transfer.ReadAnywhere(ctx)
	}
	// The source is split as it was then.
	if resumed, err := r.transfer.Resume(ctx, was.PartSize); resumed || err != nil {
		return nil, err
	}
	r.abandon(ctx, target, was)
	return nil, r.journal.drop()
}

// openJournal opens the checkpoint and returns the names that it may have. The
// journal is nil where the upload continues without one.
func (r *run) openJournal(ctx context.Context, o options, target Target) ([]string, error) {
	dir, err := openStateDir(o.checkpoint.dir)
	if err != nil {
		return nil, r.without(ctx, o, err)
	}
	var names []string
	owned, err := r.owner(ctx, target.signer(r.Uploader), dir)
	if err == nil {
		k := r.key(target, o)
		for _, k.Owner = range owned {
			names = append(names, k.name())
		}
		r.journal, err = openJournal(dir, names, o.checkpoint, r.content.identity, r.log)
	}
	if err != nil {
		dir.close()
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, retry.ContextError(ctx)
	case errors.Is(err, ErrCheckpointLocked) || errors.Is(err, errNoKeys):
		return nil, err
	case err != nil:
		return nil, r.without(ctx, o, err)
	}
	return names, nil
}

// without is what becomes of an upload that can have no checkpoint.
func (r *run) without(ctx context.Context, o options, err error) error {
	if o.checkpoint.required {
		return retry.Permanent(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	r.log.WarnContext(ctx, "upload: checkpoint not written, the upload goes on and could not be resumed", "directory", o.checkpoint.dir, "error", err)
	return nil
}

// abandon removes the parts of an upload that nobody will go on with.
func (r *run) abandon(ctx context.Context, target Target, was record) {
	if was.Step != stepSending && was.Step != stepCompleting || was.UploadId == "" && len(r.journal.segments()) == 0 {
		return
	}
	p, err := target.resume(ctx, r.Uploader, r.file, was.place(), false)
	if err == nil {
		r.abandonSegments(ctx, p)
	}
	if err == nil && !p.whole && was.UploadId != "" {
		err = r.engine.Abort(ctx, r.destination(p), was.UploadId)
	}
	if err != nil {
		r.log.WarnContext(ctx, "upload: parts not removed", "upload_id", was.UploadId, "error", err)
	}
}

// settle gets a place for the bytes, that of an earlier run where there is one.
func (r *run) settle(ctx context.Context, all options, target Target) error {
	o := all.checkpoint
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
		r.file.began, r.file.repeated = was.Created, earlier
	}
	found := false
	var err error
	f, findable := target.(finder)
	findable = findable && f.findable() && all.mediaId == ""
	switch {
	case findable && earlier:
		r.place, found, err = f.find(ctx, r.Uploader, r.file)
	case findable || o.required: // before anything is made
		err = r.journal.update(func(*record) {})
	}
	if err != nil {
		return err
	}
	switch {
	case found:
	case all.mediaId != "":
		r.place, err = target.(continuer).continued(ctx, r.Uploader, all.mediaId)
	default:
		r.place, err = target.begin(ctx, r.Uploader, r.file)
		if err != nil && r.place.mediaId == "" && findable && mayExist(ctx, err) {
			// An earlier run, or an attempt whose answer was lost, has made it.
			if p, there, unknown := f.find(ctx, r.Uploader, r.file); there && unknown == nil {
				r.place, err = p, nil
			}
		}
	}
	if r.place.done != nil {
		return err
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

// mayExist reports whether err, of the operation that creates an asset, leaves
// open that there is one with the same ReferenceId.
func mayExist(ctx context.Context, err error) bool {
	var api *alimedia.Error
	var invalid *alimedia.ValidationError
	switch {
	case ctx.Err() != nil || errors.As(err, &invalid):
		return false
	case errors.As(err, &api):
		return !alimedia.IsAccessDenied(err) && !alimedia.IsThrottled(err)
	}
	return true
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
	size, sum, err := r.transfer.Checksum(ctx)
	if err != nil {
		return err
	}
	return r.journal.update(func(rec *record) { rec.Step, rec.Size, rec.CRC64 = stepStored, size, sum })
}

func (r record) place() place {
	return place{mediaId: r.MediaId, fileURL: r.FileURL, mediaURL: r.MediaURL, requestId: r.RequestId, address: r.Address}
}

// delivered is what an earlier run has brought to the store.
func (r *run) delivered() (transfer.Info, bool) {
	was, earlier := r.journal.state()
	if !earlier || was.Step != stepStored && was.Step != stepDone {
		return transfer.Info{}, false
	}
	r.tracker.Resumed(r.content.segments.size(was.Size))
	return transfer.Info{ETag: was.ETag, Size: was.Size, CRC64: was.CRC64}, true
}

// register makes an asset of the stored object, once.
func (r *run) register(ctx context.Context, done transfer.Info, res *Result) error {
	if was, _ := r.journal.state(); was.Step == stepDone {
		res.MediaId, res.RequestId, res.AlreadyRegistered = was.MediaId, was.RequestId, was.Already
		return nil
	}
	err := r.journal.update(func(rec *record) {
		rec.Step = stepStored
		rec.ETag, rec.Size, rec.CRC64 = done.ETag, done.Size, done.CRC64
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

// resumed takes over p with new credentials. They must be for the same object.
func (u *Uploader) resumed(ctx context.Context, p place, renew renewal) (place, error) {
	uploadAddress, uploadAuth, err := renew(ctx)
	if err != nil {
		return p, err
	}
	was := p.address
	p, err = u.granted(p, uploadAddress, uploadAuth, renew)
	if err == nil && was != (ossobject.Address{}) && (p.address.Bucket != was.Bucket || p.address.Key != was.Key) {
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
	was.arrived, was.sweep = u.videoArrived(was.mediaId), u.sweepVideo(was.mediaId)
	return u.resumed(ctx, was, u.refreshVideo(was.mediaId))
}

func (t VODVideo) findable() bool { return t.ReferenceId != "" }

// find implements finder: an asset with our ReferenceId. One that has its file
// is done.
func (t VODVideo) find(ctx context.Context, u *Uploader, file subject) (place, bool, error) {
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
	p := u.videoPlace(out.VideoId, out.RequestId)
	p, err = u.granted(p, out.UploadAddress, string(out.UploadAuth), u.refreshVideo(p.mediaId))
	if err != nil {
		return p, false, err
	}
	info, err := u.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: p.mediaId})
	if err != nil {
		return p, false, err
	}
	switch info.Video.Status {
	case vod.VideoStatusUploading, vod.VideoStatusUploadFail:
		return p, true, nil
	}
	p.done = &Result{
		MediaId: p.mediaId, FileURL: p.fileURL, RequestId: info.RequestId,
		Bucket: p.address.Bucket, Key: p.address.Key, Size: cmp.Or(info.Video.Size, max(file.size, 0)),
		AlreadyUploaded: true,
	}
	return p, true, nil
}

// continued implements continuer.
func (t VODVideo) continued(ctx context.Context, u *Uploader, mediaId string) (place, error) {
	if u.cfg.VOD == nil {
		return place{}, needs("VODVideo", "Config.VOD")
	}
	return u.intoAsset(ctx, u.videoPlace(mediaId, ""), u.refreshVideo(mediaId))
}

// continued implements continuer.
func (t ICEMedia) continued(ctx context.Context, u *Uploader, mediaId string) (place, error) {
	if u.cfg.ICE == nil {
		return place{}, needs("ICEMedia", "Config.ICE")
	}
	return u.intoAsset(ctx, place{mediaId: mediaId, arrived: u.mediaArrived(mediaId)}, u.refreshMedia(mediaId))
}

func (u *Uploader) intoAsset(ctx context.Context, p place, renew renewal) (place, error) {
	uploadAddress, uploadAuth, err := renew(ctx)
	if err != nil {
		return p, err
	}
	return u.granted(p, uploadAddress, uploadAuth, renew)
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
	if was.address.Key != "" { // the source of a user's key may have another name by now
		t.Key = was.address.Key
	}
	p, err := t.begin(ctx, u, file)
	if err == nil && p.address.Bucket != was.address.Bucket {
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

func (u *Uploader) videoPlace(videoId, requestId string) place {
	return place{mediaId: videoId, requestId: requestId, arrived: u.videoArrived(videoId), sweep: u.sweepVideo(videoId)}
}

func (u *Uploader) sweepVideo(videoId string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := u.cfg.VOD.DeleteMultipartUpload(ctx, vod.DeleteMultipartUploadRequest{MediaId: videoId, MediaType: "video"})
		return err
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

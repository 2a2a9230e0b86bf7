package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// freshAsset is for how long a service may not find an asset that it has made.
const freshAsset = time.Minute

// openCheckpoint finds out whether an earlier run is to be continued. It
// returns the result of one that is not to be repeated.
func (r *run) openCheckpoint(ctx context.Context, o options, target binding) (*Result, error) {
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
func (r *run) openJournal(ctx context.Context, o options, target binding) ([]string, error) {
	dir, err := openStateDir(o.checkpoint.dir)
	if err != nil {
		return nil, r.without(ctx, o, err)
	}
	var names []string
	owned, err := r.owner(ctx, target.signer(), dir)
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
func (r *run) abandon(ctx context.Context, target binding, was record) {
	if was.Step != stepSending && was.Step != stepCompleting || was.UploadId == "" && len(r.journal.segments()) == 0 {
		return
	}
	p, err := target.resume(ctx, r.file, was.place(), false)
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
func (r *run) settle(ctx context.Context, all options, target binding) error {
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
	find := target.lookup()
	if all.mediaId != "" {
		find = nil
	}
	switch {
	case find != nil && earlier:
		r.place, found, err = find(ctx, r.file)
	case find != nil || o.required: // before anything is made
		err = r.journal.update(func(*record) {})
	}
	if err != nil {
		return err
	}
	switch {
	case found:
	case all.mediaId != "":
		r.place, err = target.reopen()(ctx, all.mediaId)
	default:
		r.place, err = target.create(ctx, r.file)
		if err != nil && r.place.mediaId == "" && find != nil && mayExist(ctx, err) {
			// An earlier run, or an attempt whose answer was lost, has made it.
			if p, there, unknown := find(ctx, r.file); there && unknown == nil {
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
func (r *run) takeOver(ctx context.Context, o checkpointOptions, target binding, was record) (anew bool, err error) {
	r.place = was.place() // an error is to name the asset
	stored := was.Step == stepStored || was.Step == stepDone
	p, err := target.resume(ctx, r.file, r.place, stored)
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

package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// freshAsset is for how long a service may not find an asset that it has made.
const freshAsset = time.Minute

// openCheckpoint finds out whether an earlier run is to be resumed. It returns
// the result of an upload that was completed before.
func (r *run) openCheckpoint(ctx context.Context, o options, target binding) (*Result, error) {
	source := r.content.identity
	if o.checkpoint.dir == "" {
		return nil, nil
	}
	if source.Source == "" && o.key == "" {
		r.log.WarnContext(ctx, "upload: no checkpoint: the source cannot be recognized in a later run; name the upload by WithKey", "name", r.file.name)
		return nil, nil
	}
	f, err := r.openFile(ctx, o, target)
	if f == nil || err != nil {
		return nil, err
	}
	r.checkpoint = f
	if done, err := r.completed(ctx, o); done != nil || err != nil {
		return done, err
	}
	return nil, r.recall(ctx, o, target)
}

// recall prepares the transfer of an earlier run to be resumed, unless the
// source has changed.
func (r *run) recall(ctx context.Context, o options, target binding) error {
	source := r.content.identity
	was, earlier := r.checkpoint.State()
	unchanged := earlier && r.content.versioned && was.Source.SameContent(source)
	if unchanged {
		r.transfer.Unchanged()
	}
	if earlier {
		switch {
		case o.key != "" && was.Stored(): // what is stored under a key stays
		case o.key != "": // parts of other content are found when they are compared
			if err := r.checkpoint.SaveSource(source); err != nil {
				return err
			}
		case was.Source != source || was.Stored() && was.Size != r.content.size && r.content.size != UnknownSize:
			r.log.WarnContext(ctx, "upload: the file has changed, restarting the upload", "name", r.file.name, "media_id", was.MediaID)
			r.abandon(ctx, target, was)
			r.checkpoint.Reset(source)
		}
		was, earlier = r.checkpoint.State()
	}
	r.file.note = func(at time.Time) error {
		if err := r.checkpoint.SaveAsked(at); err != nil {
			return retry.Permanent(err)
		}
		return nil
	}
	r.file.token, r.file.asked = was.Token, was.Asked
	r.file.began, r.file.repeated = was.Created, earlier
	if !earlier || was.UploadID == "" {
		return nil
	}
	if unchanged {
		r.transfer.ReadAnywhere(ctx)
	}
	// The source is split as it was then.
	if resumed, err := r.transfer.Resume(ctx, was.PartSize); resumed || err != nil {
		return err
	}
	r.abandon(ctx, target, was)
	return r.checkpoint.DropParts()
}

// openFile opens the checkpoint. It returns nil if the upload continues without
// one.
func (r *run) openFile(ctx context.Context, o options, target binding) (*checkpoint.File, error) {
	dir, err := checkpoint.OpenDir(o.checkpoint.dir)
	if err != nil {
		return nil, r.withoutCheckpoint(ctx, o, err)
	}
	owned, err := r.owner(ctx, target.signer(), dir)
	var f *checkpoint.File
	if err == nil {
		var keys []checkpoint.Key
		key := r.key(target, o)
		for _, key.Owner = range owned {
			keys = append(keys, key)
		}
		f, err = checkpoint.Open(dir, keys[0], checkpoint.Options{
			Source: r.content.identity, Aliases: keys[1:], Required: o.checkpoint.required,
			Index: r.indexes.Of(o.checkpoint.dir, r.log), Logger: r.log, CheckAddress: checkAddress,
		})
	}
	if err != nil {
		dir.Close()
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, retry.ContextError(ctx)
	case errors.Is(err, ErrCheckpointLocked) || errors.Is(err, errNoKeys):
		return nil, err
	case err != nil:
		return nil, r.withoutCheckpoint(ctx, o, err)
	}
	return f, nil
}

// checkAddress checks the address in a checkpoint.
func checkAddress(a checkpoint.Address) (checkpoint.Address, error) {
	endpoint, err := ossobject.ParseEndpoint(a.Endpoint)
	if err != nil {
		return a, err
	}
	a.Endpoint = endpoint
	return a, ossobject.CheckName(a.Bucket, a.Key)
}

// withoutCheckpoint returns the error of an upload that cannot have a
// checkpoint, nil if it continues without one.
func (r *run) withoutCheckpoint(ctx context.Context, o options, err error) error {
	if o.checkpoint.required {
		return retry.Permanent(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	r.log.WarnContext(ctx, "upload: checkpoint not written, the upload continues and cannot be resumed", "directory", o.checkpoint.dir, "error", err)
	return nil
}

// abandon aborts the multipart uploads of an upload that is not resumed.
func (r *run) abandon(ctx context.Context, target binding, was checkpoint.State) {
	if was.Step != checkpoint.Sending && was.Step != checkpoint.Completing || was.UploadID == "" && !r.checkpoint.HasSegments() {
		return
	}
	p, err := target.resume(ctx, r.file, placeOf(was.Asset()), false)
	if err == nil {
		r.dropSegments(ctx, p)
	}
	if err == nil && !p.whole && was.UploadID != "" {
		err = r.engine.Abort(ctx, r.destination(p), was.UploadID)
	}
	if err != nil {
		r.log.WarnContext(ctx, "upload: parts not removed", "upload_id", was.UploadID, "error", err)
	}
}

// settle gets a place for the bytes, that of an earlier run where there is one.
func (r *run) settle(ctx context.Context, all options, target binding) error {
	o := all.checkpoint
	was, earlier := r.checkpoint.State()
	if earlier && was.Step != checkpoint.Creating {
		anew, err := r.takeOver(ctx, o, target, was)
		if !anew {
			return err
		}
		r.log.WarnContext(ctx, "upload: not resumed, restarting the upload", "name", r.file.name, "media_id", was.MediaID, "error", err)
		r.checkpoint.Reset(was.Source)
		was, earlier = r.checkpoint.State()
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
		err = r.checkpoint.Save()
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
		err = errors.Join(err, r.checkpoint.SaveAsset(r.place.asset()))
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
func (r *run) takeOver(ctx context.Context, o checkpointOptions, target binding, was checkpoint.State) (anew bool, err error) {
	r.place = placeOf(was.Asset()) // an error is to name the asset
	p, err := target.resume(ctx, r.file, r.place, was.Stored())
	switch {
	case err == nil:
		r.place = p
		r.log.InfoContext(ctx, "upload: resumed", "name", r.file.name, "media_id", p.mediaId, "step", was.Step)
		if p.whole {
			err = r.adopt(ctx)
		}
		return false, err
	case errors.Is(err, ErrNotResumable):
		anew = o.recreate || was.MediaID == ""
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
	return r.checkpoint.SaveObject(checkpoint.Object{Size: size, CRC64: sum})
}

// placeOf returns the destination that a checkpoint says.
func placeOf(a checkpoint.Asset) place {
	return place{mediaId: a.MediaID, fileURL: a.FileURL, mediaURL: a.MediaURL, requestId: a.RequestID, address: ossobject.Address(a.Address)}
}

// asset is the destination as a checkpoint saves it, without credentials.
func (p place) asset() checkpoint.Asset {
	return checkpoint.Asset{MediaID: p.mediaId, FileURL: p.fileURL, MediaURL: p.mediaURL, RequestID: p.requestId, Address: checkpoint.Address(p.address)}
}

// delivered returns the object that an earlier run has stored.
func (r *run) delivered() (transfer.Info, bool) {
	was, earlier := r.checkpoint.State()
	if !earlier || !was.Stored() {
		return transfer.Info{}, false
	}
	r.tracker.Resumed(r.content.segments.size(was.Size))
	return transfer.Info{ETag: was.ETag, Size: was.Size, CRC64: was.CRC64}, true
}

// register makes an asset of the stored object, once.
func (r *run) register(ctx context.Context, done transfer.Info, res *Result) error {
	if was, _ := r.checkpoint.State(); was.Step == checkpoint.Registered {
		res.MediaId, res.RequestId, res.AlreadyRegistered = was.MediaID, was.RequestID, was.AlreadyRegistered
		return nil
	}
	err := r.checkpoint.SaveObject(checkpoint.Object{ETag: done.ETag, Size: done.Size, CRC64: done.CRC64})
	if err != nil || r.place.finish == nil {
		return err
	}
	if err := r.place.finish(ctx, res); err != nil {
		return err
	}
	return r.checkpoint.SaveRegistration(checkpoint.Registration{MediaID: res.MediaId, RequestID: res.RequestId, Already: res.AlreadyRegistered})
}

// spent reports whether the checkpoint is no longer needed: the upload has
// succeeded, or it has failed after everything was done that a later run could
// resume.
func (r *run) spent(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	was, _ := r.checkpoint.State()
	done := was.Step == checkpoint.Registered || was.Step == checkpoint.Stored && r.place.finish == nil
	return done && r.uploaded && ctx.Err() == nil && !errors.Is(err, ErrCallback)
}

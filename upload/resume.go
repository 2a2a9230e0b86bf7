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

// freshAsset is how long a service may not find an asset that it has created.
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
	p, err := target.resume(ctx, r.file, destinationOf(was.Asset()), false)
	if err == nil {
		r.dropSegments(ctx, p)
	}
	if err == nil && !p.alreadyStored && was.UploadID != "" {
		err = r.engine.Abort(ctx, r.objectAt(p), was.UploadID)
	}
	if err != nil {
		r.log.WarnContext(ctx, "upload: parts not removed", "upload_id", was.UploadID, "error", err)
	}
}

// createOrResume sets the destination: that of an earlier run, or a new one.
func (r *run) createOrResume(ctx context.Context, all options, target binding) error {
	o := all.checkpoint
	was, earlier := r.checkpoint.State()
	if earlier && was.Step != checkpoint.Creating {
		restart, err := r.resumeAsset(ctx, o, target, was)
		if !restart {
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
		r.destination, found, err = find(ctx, r.file)
	case find != nil || o.required: // before anything is created
		err = r.checkpoint.Save()
	}
	if err != nil {
		return err
	}
	switch {
	case found:
	case all.mediaId != "":
		r.destination, err = target.reopen()(ctx, all.mediaId)
	default:
		r.destination, err = target.create(ctx, r.file)
		if err != nil && r.destination.mediaId == "" && find != nil && mayExist(ctx, err) {
			// An earlier run, or an attempt whose response was lost, created it.
			if p, there, unknown := find(ctx, r.file); there && unknown == nil {
				r.destination, err = p, nil
			}
		}
	}
	if r.destination.done != nil {
		return err
	}
	if err == nil || r.destination.mediaId != "" {
		err = errors.Join(err, r.checkpoint.SaveAsset(r.destination.asset()))
	}
	return err
}

// mayExist reports whether there may be an asset with the same ReferenceId after
// the operation that creates an asset has failed with err.
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

// resumeAsset sets the destination of an earlier run. restart means that a new
// asset may be created after the error.
func (r *run) resumeAsset(ctx context.Context, o checkpointOptions, target binding, was checkpoint.State) (restart bool, err error) {
	r.destination = destinationOf(was.Asset()) // an error names the asset
	p, err := target.resume(ctx, r.file, r.destination, was.Stored())
	switch {
	case err == nil:
		r.destination = p
		r.log.InfoContext(ctx, "upload: resumed", "name", r.file.name, "media_id", p.mediaId, "step", was.Step)
		if p.alreadyStored {
			err = r.markStored(ctx)
		}
		return false, err
	case errors.Is(err, ErrNotResumable):
		restart = o.recreate || was.MediaID == ""
	case errors.Is(err, ErrAddressChanged):
		restart = o.recreate
	case alimedia.IsNotFound(err):
		// The asset was deleted.
		restart = o.recreate || time.Since(was.Created) > freshAsset
	}
	if restart {
		r.destination = destination{}
	}
	return restart, err
}

// markStored records that the object is stored. The service says so; there is no
// credential to ask OSS.
func (r *run) markStored(ctx context.Context) error {
	size, sum, err := r.transfer.Checksum(ctx)
	if err != nil {
		return err
	}
	return r.checkpoint.SaveObject(checkpoint.Object{Size: size, CRC64: sum})
}

// destinationOf returns the destination that a checkpoint has saved.
func destinationOf(a checkpoint.Asset) destination {
	return destination{mediaId: a.MediaID, fileURL: a.FileURL, mediaURL: a.MediaURL, requestId: a.RequestID, address: ossobject.Address(a.Address)}
}

// asset returns the destination as a checkpoint saves it, without credentials.
func (p destination) asset() checkpoint.Asset {
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

// register registers the stored object, once.
func (r *run) register(ctx context.Context, done transfer.Info, res *Result) error {
	if was, _ := r.checkpoint.State(); was.Step == checkpoint.Registered {
		res.MediaId, res.RequestId, res.AlreadyRegistered = was.MediaID, was.RequestID, was.AlreadyRegistered
		return nil
	}
	err := r.checkpoint.SaveObject(checkpoint.Object{ETag: done.ETag, Size: done.Size, CRC64: done.CRC64})
	if err != nil || r.destination.finish == nil {
		return err
	}
	if err := r.destination.finish(ctx, res); err != nil {
		return err
	}
	return r.checkpoint.SaveRegistration(checkpoint.Registration{MediaID: res.MediaId, RequestID: res.RequestId, Already: res.AlreadyRegistered})
}

// spent reports whether the checkpoint is no longer needed: the upload has
// succeeded, or it has failed after everything was done that a later run could
// resume. A checkpoint that could not be written is needed: what it says on disk
// is older.
func (r *run) spent(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	was, _ := r.checkpoint.State()
	done := was.Step == checkpoint.Registered || was.Step == checkpoint.Stored && r.destination.finish == nil
	return done && r.uploaded && ctx.Err() == nil && !errors.Is(err, ErrCallback) && !errors.Is(err, ErrCheckpoint)
}

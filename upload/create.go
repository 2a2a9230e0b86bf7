package upload

import (
	"context"
	"errors"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// freshAsset is how long a service may not find an asset that it has created.
const freshAsset = time.Minute

// createOrResume returns the destination of the bytes: that of an earlier run if
// there is one, and that of a new asset otherwise.
func (r *run) createOrResume(ctx context.Context, in *input, saved checkpoint.Checkpoint) (destination, error) {
	if was, earlier := saved.State(); earlier && was.Step != checkpoint.Creating {
		dest, recreate, err := r.resume(ctx, in, saved, was)
		if !recreate {
			return dest, err
		}
		r.log.WarnContext(ctx, "upload: not resumed, restarting the upload", "name", in.file.name, "media_id", was.MediaID, "error", err)
		saved.Reset(was.Source)
		in.file.take(saved)
		r.know(destination{})
	}
	dest, err := r.create(ctx, in, saved)
	r.know(dest)
	if dest.completed == nil && (err == nil || dest.mediaID != "") {
		err = errors.Join(err, saved.SaveAsset(dest.asset()))
	}
	return dest, err
}

// create creates an asset, or finds the one that this upload has created, or
// that of WithMediaId. After an error the destination has the IDs of what was
// created.
func (r *run) create(ctx context.Context, in *input, saved checkpoint.Checkpoint) (destination, error) {
	find := r.target.lookup()
	if r.options.mediaID != "" {
		find = nil
	}
	_, earlier := saved.State()
	switch {
	case find != nil && earlier:
		if dest, found, err := find(ctx, in.file); found || err != nil {
			return dest, err
		}
	case find != nil || r.options.checkpoint.required: // before anything is created
		if err := saved.Save(); err != nil {
			return destination{}, err
		}
	}
	if r.options.mediaID != "" {
		return r.target.reopen()(ctx, r.options.mediaID)
	}
	dest, err := r.target.create(ctx, in.file)
	if err != nil && dest.mediaID == "" && find != nil && mayExist(ctx, err) {
		// An earlier run, or an attempt whose response was lost, has created it.
		if existing, found, unknown := find(ctx, in.file); found && unknown == nil {
			return existing, nil
		}
	}
	return dest, err
}

// mayExist reports whether, in spite of err, there may be an asset with the same
// ReferenceId.
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

// resume continues with the asset of an earlier run. recreate reports that
// another asset may be created instead.
func (r *run) resume(ctx context.Context, in *input, saved checkpoint.Checkpoint, was checkpoint.State) (_ destination, recreate bool, err error) {
	old := destinationOf(was.Asset())
	r.know(old)
	dest, err := r.target.resume(ctx, in.file, old, was.Stored())
	allowed := r.options.checkpoint.recreate
	switch {
	case err == nil:
		r.know(dest)
		r.log.InfoContext(ctx, "upload: resumed", "name", in.file.name, "media_id", dest.mediaID, "step", was.Step)
		if dest.isStored {
			err = markStored(ctx, in, saved)
		}
		return dest, false, err
	case errors.Is(err, ErrNotResumable):
		recreate = allowed || was.MediaID == ""
	case errors.Is(err, ErrAddressChanged):
		recreate = allowed
	case alimedia.IsNotFound(err): // the asset was deleted
		recreate = allowed || time.Since(was.Created) > freshAsset
	}
	return old, recreate, err
}

// markStored records that the object is stored because the service says so:
// there is no credential for a request to OSS.
func markStored(ctx context.Context, in *input, saved checkpoint.Checkpoint) error {
	size, crc, err := in.transfer.Checksum(ctx)
	if err != nil {
		return err
	}
	return saved.SaveObject(checkpoint.Object{Size: size, CRC64: crc})
}

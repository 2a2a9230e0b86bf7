package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
)

// recall opens the checkpoint of the upload and prepares to continue an earlier
// run. It returns the result of an upload that was completed before. saved is
// never nil without an error.
func (r *run) recall(ctx context.Context, in *input) (saved checkpoint.Checkpoint, completed *Result, err error) {
	if r.options.checkpoint.dir == "" {
		return checkpoint.None{}, nil, nil
	}
	if in.identity.Source == "" && r.options.key == "" {
		r.log.WarnContext(ctx, "upload: no checkpoint: the source cannot be recognized in a later run; name the upload by WithKey", "name", in.file.name)
		return checkpoint.None{}, nil, nil
	}
	f, err := r.openCheckpoint(ctx, in)
	if f == nil {
		return checkpoint.None{}, nil, err
	}
	if completed, err = r.completed(ctx, in, f); completed == nil && err == nil {
		err = r.continueFrom(ctx, in, f)
	}
	if err != nil {
		f.Close(false)
		return nil, nil, err
	}
	return f, completed, nil
}

// continueFrom prepares the transfer of an earlier run to be resumed, unless the
// source has changed.
func (r *run) continueFrom(ctx context.Context, in *input, saved checkpoint.Checkpoint) error {
	source, hasKey := in.identity, r.options.key != ""
	was, earlier := saved.State()
	unchanged := earlier && in.versioned && was.Source == source // an ETag means nothing at another URL
	if unchanged {
		in.transfer.Unchanged()
	}
	if earlier {
		switch {
		case hasKey && was.Stored(): // what is stored under a key stays
		case hasKey: // parts of other content are found when they are compared
			if err := saved.SaveSource(source); err != nil {
				return err
			}
		case was.Source != source || was.Stored() && was.Size != in.size && in.size != UnknownSize:
			r.log.WarnContext(ctx, "upload: the file has changed, restarting the upload", "name", in.file.name, "media_id", was.MediaID)
			r.abandon(ctx, in, saved, was)
			saved.Reset(source)
		}
	}
	in.file.saveAsked = func(at time.Time) error {
		if err := saved.SaveAsked(at); err != nil {
			return retry.Permanent(err)
		}
		return nil
	}
	was, earlier = in.file.take(saved)
	if !earlier || was.UploadID == "" {
		return nil
	}
	if unchanged {
		in.transfer.ReadAnywhere(ctx)
	}
	// The source is split as it was then.
	if resumed, err := in.transfer.Resume(ctx, was.PartSize); resumed || err != nil {
		return err
	}
	r.abandon(ctx, in, saved, was)
	return saved.DropParts()
}

// take takes over what the checkpoint remembers of the first run.
func (f *fileInfo) take(saved checkpoint.Checkpoint) (was checkpoint.State, earlier bool) {
	was, earlier = saved.State()
	f.token, f.asked = was.Token, was.Asked
	f.began, f.mayBeRegistered = was.Created, earlier
	return was, earlier
}

// openCheckpoint opens and locks the checkpoint. It returns nil if the upload
// continues without one.
func (r *run) openCheckpoint(ctx context.Context, in *input) (*checkpoint.File, error) {
	dir, err := checkpoint.OpenDir(r.options.checkpoint.dir)
	if err != nil {
		return nil, r.withoutCheckpoint(ctx, err)
	}
	owned, err := r.owner(ctx, r.target.signer(), dir)
	var f *checkpoint.File
	if err == nil {
		var keys []checkpoint.Key
		key := r.key(in)
		for _, key.Owner = range owned {
			keys = append(keys, key)
		}
		f, err = checkpoint.Open(dir, keys[0], checkpoint.Options{
			Source: in.identity, Aliases: keys[1:], Required: r.options.checkpoint.required,
			Index: r.indexes.Of(r.options.checkpoint.dir, r.log), Logger: r.log, CheckAddress: checkAddress,
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
		return nil, r.withoutCheckpoint(ctx, err)
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
func (r *run) withoutCheckpoint(ctx context.Context, err error) error {
	if r.options.checkpoint.required {
		return retry.Permanent(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	}
	r.log.WarnContext(ctx, "upload: checkpoint not written, the upload continues and cannot be resumed", "directory", r.options.checkpoint.dir, "error", err)
	return nil
}

// abandon aborts the multipart uploads of an earlier run that is not continued.
func (r *run) abandon(ctx context.Context, in *input, saved checkpoint.Checkpoint, was checkpoint.State) {
	if was.Step != checkpoint.Sending && was.Step != checkpoint.Completing || was.UploadID == "" && !saved.HasSegments() {
		return
	}
	dest, err := r.target.resume(ctx, in.file, destinationOf(was.Asset()), false)
	if err == nil {
		r.dropSegments(ctx, saved, dest)
	}
	if err == nil && !dest.isStored && was.UploadID != "" {
		err = r.engine.Abort(ctx, r.objectAt(dest), was.UploadID, r.tracker)
	}
	if err != nil {
		r.log.WarnContext(ctx, "upload: parts not removed", "upload_id", was.UploadID, "error", err)
	}
}

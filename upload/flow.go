package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// run is what the steps of one upload share. What a step finds out is passed to
// the next one as a value.
type run struct {
	*Uploader
	options options
	target  binding
	tracker *tracker
	known   known
}

// known is what an error of the upload reports.
type known struct {
	mediaID, fileURL, uploadID, status string
	stored                             bool
}

// upload is the flow of one upload: open the source, recall an earlier run,
// create or resume the asset, transfer the bytes, register the object, wait for
// the asset, and record the result.
func (r *run) upload(ctx context.Context, src Source) (res *Result, err error) {
	in, err := r.open(ctx, src)
	if err != nil {
		return nil, err
	}
	defer in.close()

	saved, completed, err := r.recall(ctx, in)
	if err != nil {
		return nil, err
	}
	var dest destination
	defer func() { saved.Close(r.isObsolete(ctx, saved, dest, err)) }()

	release, err := r.claim(in, saved, completed != nil)
	if err != nil {
		return nil, err
	}
	defer func() { release(err == nil) }()
	if completed != nil {
		return completed, r.waitForCompleted(ctx, completed)
	}

	r.enter(ctx, StageCreate)
	if dest, err = r.createOrResume(ctx, in, saved); err != nil {
		return nil, err
	}
	if dest.completed != nil {
		r.log.InfoContext(ctx, "upload: the service has the file already", "name", in.file.name, "media_id", dest.mediaID)
		if err = r.waitForCompleted(ctx, dest.completed); err == nil {
			err = saved.SaveCompleted(checkpoint.Result(*dest.completed))
		}
		return dest.completed, err
	}

	object, err := r.transferTo(ctx, in, saved, dest)
	if err != nil {
		return nil, err
	}
	if res, err = r.register(ctx, in, saved, dest, object); err != nil {
		return nil, err
	}
	if r.options.wait {
		err = r.wait(ctx, res)
	}
	if err == nil {
		err = saved.SaveCompleted(checkpoint.Result(*res))
	}
	return res, err
}

// input is an opened source.
type input struct {
	*content
	transfer *transfer.Transfer
	file     fileInfo
}

func (in *input) close() {
	in.transfer.Close()
	_ = transfer.Protect("the source", in.content.close)
}

// open opens the source and reads its first bytes, before anything is created.
func (r *run) open(ctx context.Context, src Source) (_ *input, err error) {
	r.enter(ctx, StageOpen)
	switch {
	case src == nil:
		return nil, errors.New("no source: use File, FS, HLS, URL, Reader or ReaderAt")
	case r.target == nil:
		return nil, errors.New("no target: say what the file becomes, such as VODVideo{}")
	case ctx.Err() != nil:
		return nil, retry.ContextError(ctx)
	case r.options.batchProgress != nil && r.options.batch == nil:
		return nil, errors.New("upload.WithBatchProgress is an option of UploadAll: use WithProgress")
	case r.options.checkpoint.required && r.options.checkpoint.dir == "":
		return nil, fmt.Errorf("%w: WithCheckpointRequired needs WithCheckpoint", ErrCheckpoint)
	}
	in := new(input)
	err = transfer.Protect("the source", func() (err error) {
		in.content, err = openFor(ctx, src, r.target, r.Uploader)
		return err
	})
	if err != nil {
		return nil, err
	}
	in.file = fileInfo{name: in.name, size: in.size, began: time.Now()}
	r.tracker.set(func(p *Progress) { p.Name, p.Total = in.name, in.segments.size(in.size) })
	if in.transfer, err = r.engine.Prepare(ctx, in.source(), r.cfg.Parallel+1); err != nil {
		_ = transfer.Protect("the source", in.content.close)
		return nil, err
	}
	in.file.size = in.transfer.Size()
	r.tracker.set(func(p *Progress) { p.Total = in.segments.size(in.file.size) })
	if err = r.check(in); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// check returns an error for options that the source or the target cannot
// satisfy.
func (r *run) check(in *input) error {
	o := &r.options
	if in.isRefusedPlaylist(r.target) {
		return errNoFolder
	}
	if o.mediaID != "" && r.target.reopen() == nil {
		return fmt.Errorf("upload.WithMediaId takes a VODVideo or an ICEMedia, not a %s", r.target.name())
	}
	if o.verify {
		if _, once := o.source.(*streamSource); once || in.segments.exist() {
			return errors.New("upload.WithVerifyContent reads the source twice: it does not take a Reader or a playlist")
		}
	}
	if err := o.check(r.target); err != nil {
		return err
	}
	if o.checkpoint.required && o.key == "" && in.identity.Source == "" {
		return fmt.Errorf("%w: the source cannot be recognized in a later run; name the upload by WithKey", ErrCheckpoint)
	}
	return nil
}

// waitForCompleted is what is left to do for an upload that was completed
// before.
func (r *run) waitForCompleted(ctx context.Context, res *Result) error {
	r.known.mediaID, r.known.fileURL, r.known.stored = res.MediaId, res.FileURL, true
	r.tracker.set(func(p *Progress) { p.MediaId, p.Total = res.MediaId, res.Size })
	r.tracker.Resumed(res.Size)
	if !r.options.wait || res.Status != "" {
		return nil
	}
	return r.wait(ctx, res)
}

// transferTo stores the bytes of the source, unless an earlier run has.
func (r *run) transferTo(ctx context.Context, in *input, saved checkpoint.Checkpoint, dest destination) (transfer.Info, error) {
	if was, earlier := saved.State(); earlier && was.Stored() {
		r.tracker.Resumed(in.segments.size(was.Size))
		return transfer.Info{ETag: was.ETag, Size: was.Size, CRC64: was.CRC64}, nil
	}
	if err := in.segments.send(ctx, r, saved, dest); err != nil {
		return transfer.Info{}, err
	}
	r.enter(ctx, StageSend)
	object, err := in.transfer.Run(ctx, r.objectAt(dest), engineCheckpoint{saved}, in.segments.tracker(r.tracker))
	r.known.uploadID = in.transfer.UploadID()
	return object, err
}

// register creates an asset from the stored object, once, if the target needs
// that.
func (r *run) register(ctx context.Context, in *input, saved checkpoint.Checkpoint, dest destination, object transfer.Info) (*Result, error) {
	r.known.stored = true
	res := &Result{
		MediaId: dest.mediaID, FileURL: dest.fileURL, MediaURL: dest.mediaURL, RequestId: dest.requestID,
		Bucket: dest.address.Bucket, Key: dest.address.Key,
		ETag: object.ETag, Size: in.segments.size(object.Size), CRC64: object.CRC64,
	}
	r.tracker.set(func(p *Progress) { p.Total = res.Size })
	r.enter(ctx, StageFinish)
	if was, _ := saved.State(); was.Step == checkpoint.Registered {
		res.MediaId, res.RequestId, res.AlreadyRegistered = was.MediaID, was.RequestID, was.AlreadyRegistered
	} else {
		if err := saved.SaveObject(checkpoint.Object{ETag: object.ETag, Size: object.Size, CRC64: object.CRC64}); err != nil {
			return nil, err
		}
		if dest.register != nil {
			if err := dest.register(ctx, res); err != nil {
				return nil, err
			}
			if err := saved.SaveRegistration(checkpoint.Registration{MediaID: res.MediaId, RequestID: res.RequestId, Already: res.AlreadyRegistered}); err != nil {
				return nil, err
			}
		}
	}
	in.segments.forget(saved)
	r.knowAsset(res.MediaId)
	if object.CallbackErr != nil {
		r.tracker.stage(StageComplete)
		return nil, object.CallbackErr
	}
	return res, nil
}

// isObsolete reports whether the checkpoint has nothing that a later run needs. A
// checkpoint that could not be written is needed: what it says on disk is older.
func (r *run) isObsolete(ctx context.Context, saved checkpoint.Checkpoint, dest destination, err error) bool {
	if err == nil {
		return true
	}
	was, _ := saved.State()
	done := was.Step == checkpoint.Registered || was.Step == checkpoint.Stored && dest.register == nil
	return done && r.known.stored && ctx.Err() == nil && !errors.Is(err, ErrCallback) && !errors.Is(err, ErrCheckpoint)
}

// know takes over what dest says about the asset and the object.
func (r *run) know(dest destination) {
	r.known.fileURL = dest.fileURL
	r.knowAsset(dest.mediaID)
}

func (r *run) knowAsset(mediaID string) {
	if mediaID != "" && mediaID != r.known.mediaID {
		r.tracker.watched.asset(mediaID)
	}
	r.known.mediaID = mediaID
	r.tracker.set(func(p *Progress) { p.MediaId = mediaID })
}

// enter begins a stage.
func (r *run) enter(ctx context.Context, s Stage) {
	r.tracker.stage(s)
	if !r.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	p := r.tracker.current()
	r.log.InfoContext(ctx, "upload: "+string(s), "name", p.Name, "media_id", p.MediaId, "size", p.Total)
}

// failure returns the error of the upload.
func (r *run) failure(err error) *Error {
	state := r.tracker.current()
	return &Error{
		Stage: state.Stage, Name: state.Name,
		MediaId: r.known.mediaID, FileURL: r.known.fileURL, UploadId: r.known.uploadID,
		Sent: r.tracker.safe.Load(), Uploaded: r.known.stored, Status: r.known.status, Err: err,
	}
}

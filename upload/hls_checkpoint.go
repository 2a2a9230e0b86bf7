package upload

import (
	"context"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// segmentCheckpoint returns the checkpoint of a file of a playlist. A file that
// is sent in one request has none. The multipart upload of another file or
// another key is aborted.
func (r *run) segmentCheckpoint(ctx context.Context, saved checkpoint.Checkpoint, f *hls.File, t *transfer.Transfer, to destination) (checkpoint.Checkpoint, error) {
	if !t.Multipart() {
		return checkpoint.None{}, nil
	}
	asset := checkpoint.Asset{MediaID: to.mediaID, Address: checkpoint.Address(to.address)}
	c, replaced, err := saved.Segment(f.Number, segmentIdentity(f), asset)
	if err != nil {
		return nil, err
	}
	if replaced != nil {
		r.abortSegment(ctx, to, *replaced)
	}
	return c, nil
}

// segmentIdentity identifies a file among those of its playlist.
func segmentIdentity(f *hls.File) checkpoint.Identity {
	switch {
	case f.Text != nil:
		return checkpoint.Identity{Source: f.Name, Size: f.Size, Files: checkpoint.Digest(string(f.Text))}
	case f.URL != nil:
		return checkpoint.Identity{Source: checkpoint.Unsigned(f.URL.String()), Query: checkpoint.Digest(f.URL.RawQuery), Size: UnknownSize}
	}
	return checkpoint.Identity{Source: f.Path, Size: f.Size, Modified: f.ModTime.UTC().Format(time.RFC3339Nano)}
}

// abortSegment aborts the multipart upload of a segment that is not resumed.
func (r *run) abortSegment(ctx context.Context, to destination, was checkpoint.State) {
	if was.UploadID == "" {
		return
	}
	to.address = ossobject.Address(was.Address)
	if err := r.engine.Abort(ctx, r.objectAt(to), was.UploadID, r.tracker); err != nil {
		r.log.WarnContext(ctx, "upload: parts of a segment not removed", "upload_id", was.UploadID, "error", err)
	}
}

// dropSegments aborts the multipart uploads of all segments that are not
// resumed. to has the credentials.
func (r *run) dropSegments(ctx context.Context, saved checkpoint.Checkpoint, to destination) {
	saved.DropSegments(func(was checkpoint.State) { r.abortSegment(ctx, to, was) })
}

// forget removes the checkpoint of the segments after the playlist is stored.
func (*hlsSegments) forget(c checkpoint.Checkpoint) { c.ForgetSegments() }

package upload

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// completed returns the result of the same upload if it was completed before.
func (r *run) completed(ctx context.Context, in *input, saved checkpoint.Checkpoint) (*Result, error) {
	found, err := saved.Completed()
	if found == nil || err != nil {
		return nil, err
	}
	res := Result(*found)
	if same, err := r.verified(ctx, in, &res); !same || err != nil {
		return nil, err
	}
	r.log.InfoContext(ctx, "upload: completed before", "name", in.file.name, "media_id", res.MediaId)
	return &res, nil
}

// verified reports whether the source still has the content of the completed
// upload. It reads the source only with WithVerifyContent.
func (r *run) verified(ctx context.Context, in *input, res *Result) (bool, error) {
	if !r.options.verify {
		return true, nil
	}
	c, err := r.options.source.open(ctx, r.Uploader)
	if err != nil {
		return false, err
	}
	defer c.close()
	if c.segments != nil {
		return false, errors.New("upload.WithVerifyContent does not take playlists")
	}
	data := c.stream
	if c.at != nil {
		data = io.NewSectionReader(c.at, 0, c.size)
	}
	size, crc, err := transfer.Checksum(ctx, data)
	switch {
	case ctx.Err() != nil:
		return false, err
	case err != nil:
		return false, fmt.Errorf("read the source: %w", err)
	case size == res.Size && crc == res.CRC64:
		return true, nil
	case r.options.key != "":
		return false, fmt.Errorf("%w [MediaId %s]", ErrKeyReused, res.MediaId)
	}
	r.log.WarnContext(ctx, "upload: the content of a completed upload has changed, uploading it as another one", "name", in.file.name, "media_id", res.MediaId)
	return false, nil
}

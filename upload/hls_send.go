package upload

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// hlsSegments are the files of a playlist. It implements segments.
type hlsSegments struct {
	*hls.Bundle
	source hlsSource
	folder *hls.Folder
}

func (*hlsSegments) exist() bool { return true }
func (s *hlsSegments) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range s.Files {
			if !yield(f.Name) {
				return
			}
		}
	}
}
func (s *hlsSegments) size(file int64) int64     { return s.Bundle.Size(file) }
func (*hlsSegments) tracker(t *tracker) *tracker { return t.part("") }

// segmentUpload is the upload of the segments of one playlist.
type segmentUpload struct {
	*run
	*hlsSegments
	dest   destination // of the playlist
	saved  checkpoint.Checkpoint
	stored *checkpoint.Segments
}

// send stores all files, level by level: a playlist is stored after everything
// that it references.
func (s *hlsSegments) send(ctx context.Context, r *run, saved checkpoint.Checkpoint, dest destination) error {
	if len(s.Files) == 0 {
		return nil
	}
	stored, err := saved.Segments(dest.mediaID, dest.prefix)
	if err != nil {
		return err
	}
	defer stored.Close()
	dest.prefix = cmp.Or(dest.prefix, stored.Prefix())
	if dest.prefix == "" {
		return ErrNoPrefix
	}
	u := &segmentUpload{run: r, hlsSegments: s, dest: dest, saved: saved, stored: stored}
	levels := s.Levels()
	for i := range levels {
		if levels[i], err = u.missing(ctx, levels[i]); err != nil {
			return err
		}
	}
	r.enter(ctx, StageSend)
	r.log.InfoContext(ctx, "upload: segments of the playlist", "media_id", dest.mediaID, "files", len(s.Files))
	for _, files := range levels {
		if err := u.sendAll(ctx, files); err != nil {
			return err
		}
	}
	r.dropSegments(ctx, saved, dest) // of files that an earlier run referenced
	return nil
}

// missing returns the files that are not stored yet, and checks their keys.
func (u *segmentUpload) missing(ctx context.Context, files []*hls.File) (missing []*hls.File, err error) {
	for _, f := range files {
		if sum, ok := u.stored.Stored(f.Number); ok {
			same, err := u.unchanged(ctx, u.Uploader, f, sum)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			if same {
				u.run.tracker.Resumed(f.Size)
				continue
			}
			u.log.WarnContext(ctx, "upload: a stored segment has changed, sending it again", "file", f.String())
		}
		key := u.dest.prefix + f.Name
		err := ossobject.CheckName(u.dest.address.Bucket, key)
		if err == nil && key == u.dest.address.Key {
			err = errors.New("the key is that of the playlist")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: the destination of %s: %w", ErrAddress, f, err)
		}
		missing = append(missing, f)
	}
	return missing, nil
}

// sendAll stores files, several at a time. The first error stops the others.
func (u *segmentUpload) sendAll(parent context.Context, files []*hls.File) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(u.cfg.Parallel, len(files)) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return
				}
				f := files[i]
				err := u.sendFile(ctx, f)
				if errors.Is(err, ErrLost) {
					u.log.WarnContext(ctx, "upload: restarting the upload", "file", f.String(), "error", err)
					err = u.sendFile(ctx, f)
				}
				if err != nil {
					stop(fmt.Errorf("%s: %w", f, err))
				}
			}
		})
	}
	wg.Wait()
	if parent.Err() != nil {
		return retry.ContextError(parent)
	}
	return context.Cause(ctx)
}

// sendFile stores one file, with the upload credential that all files share.
func (u *segmentUpload) sendFile(ctx context.Context, f *hls.File) error {
	c, err := u.contentOf(ctx, u.Uploader, f)
	if err != nil {
		return err
	}
	defer c.close()
	part, err := u.engine.Prepare(ctx, c.source(), 1)
	if err != nil {
		return err
	}
	defer part.Close()
	to := u.dest
	to.address.Key, to.headers = to.prefix+f.Name, to.segments
	saved, err := u.segmentCheckpoint(ctx, u.saved, f, part, to)
	if err != nil {
		return err
	}
	if was, earlier := saved.State(); earlier && was.UploadID != "" {
		// The parts are split as they were then.
		if _, err := part.Resume(ctx, was.PartSize); err != nil {
			return err
		}
	}
	d, progress := u.objectAt(to), u.run.tracker.part(f.String())
	// Sending a segment again is harmless, so it counts as not stored.
	d.Exists, d.RemoveUploads = func(context.Context) (bool, error) { return false, nil }, nil
	done, err := part.Run(ctx, d, engineCheckpoint{saved}, progress)
	if err == nil && done.Size < f.MinSize {
		err = fmt.Errorf("%w: a byte range ends at %d, the file has %d bytes", ErrSize, f.MinSize, done.Size)
	}
	if err != nil {
		saved.Close(false)
		progress.Restarted()
		return err
	}
	f.Size = done.Size
	err = u.stored.Add(f.Number, done.CRC64)
	saved.Close(true)
	return err
}

// unchanged reports whether a file has the CRC-64 that it was stored with.
func (s *hlsSegments) unchanged(ctx context.Context, u *Uploader, f *hls.File, want uint64) (bool, error) {
	c, err := s.contentOf(ctx, u, f)
	if err != nil {
		return false, err
	}
	defer c.close()
	r := c.stream
	if c.at != nil {
		r = io.NewSectionReader(c.at, 0, c.size)
	}
	n, crc, err := transfer.Checksum(ctx, r)
	if err == nil && f.Size == UnknownSize {
		f.Size = n
	}
	return err == nil && crc == want, err
}

// contentOf opens a file as it is to be stored.
func (s *hlsSegments) contentOf(ctx context.Context, u *Uploader, f *hls.File) (*content, error) {
	switch {
	case f.Text != nil:
		return &content{size: f.Size, at: bytes.NewReader(f.Text), changed: never, close: func() error { return nil }}, nil
	case f.URL != nil:
		return s.urlOf(f).open(ctx, u)
	}
	now, err := s.folder.Stat(f)
	if err != nil {
		return nil, err
	}
	if now.Size() != f.Size || !now.ModTime().Equal(f.ModTime) {
		return nil, ErrChanged
	}
	return FS(s.folder.FS, f.RealPath()).open(ctx, u)
}

// urlOf is how a file on a web server is fetched: with the options of the
// playlist's URL if the file is on the same origin, otherwise with those of
// FetchRemote.
func (s *hlsSegments) urlOf(f *hls.File) *urlSource {
	if s.source.web != nil && (f.SameOrigin || s.source.remote == nil) {
		return s.source.web.at(f.URL)
	}
	return s.source.remote.at(f.URL)
}

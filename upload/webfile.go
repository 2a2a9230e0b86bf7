package upload

import (
	"context"
	"errors"
	"io"
	"net/url"

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/webfile"
)

func (s *urlSource) open(ctx context.Context, u *Uploader) (*content, error) {
	f, err := s.fetch(ctx, u)
	if err != nil {
		return nil, err
	}
	return f.content(s.from), nil
}

// fetch requests the file and returns after the response has begun.
func (s *urlSource) fetch(ctx context.Context, u *Uploader) (*webFile, error) {
	switch {
	case s.from == nil:
		return nil, errors.New("the URL cannot be parsed") // the cause may quote a secret
	case s.invalid != nil:
		return nil, s.invalid
	case s.options.Name != "" && webfile.CleanName(s.options.Name) != s.options.Name:
		return nil, errors.New("URLName: not a file name")
	}
	o := s.options
	o.Retry, o.StallTimeout, o.Logger, o.UserAgent = retry.Policy(u.cfg.Retry), u.cfg.StallTimeout, u.log, userAgent("")
	o.AcceptPage = func(f *webfile.File) bool {
		return s.anyType || hls.IsPlaylistName(f.Name) && hls.BeginsAsPlaylist(f.Peek(hls.HeadSize))
	}
	f, err := webfile.Open(ctx, s.from, o)
	if err != nil {
		return nil, webError(err)
	}
	return &webFile{f}, nil
}

// webFile is a file on a web server whose errors are those of this package.
type webFile struct{ *webfile.File }

// Read implements io.Reader.
func (f *webFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	return n, webError(err)
}

// isPlaylist reports whether the file is a playlist by its name, type or first
// bytes.
func (f *webFile) isPlaylist() bool {
	return hls.IsPlaylistName(f.Name) || mediatype.IsPlaylist(f.ContentType) || hls.BeginsAsPlaylist(f.Peek(hls.HeadSize))
}

// content is the file as a source, requested at from. Closing it ends the
// connections.
func (f *webFile) content(from *url.URL) *content {
	c := &content{name: f.Name, size: f.Size, stream: f, changed: never, close: f.Close}
	c.identity = checkpoint.Identity{Size: f.Size, ETag: f.ETag, Modified: f.LastModified}
	if f.Size != UnknownSize && f.Resumable() {
		c.versioned = true
		address, query := webfile.Identity(from)
		c.identity.Source, c.identity.Query = address, checkpoint.Digest(query)
		c.ranges = func() (io.ReaderAt, error) {
			at, err := f.ReaderAt()
			if err != nil {
				return nil, webError(err)
			}
			return webReaderAt{at}, nil
		}
	}
	return c
}

// webReaderAt is a file on a web server whose errors are those of this package.
type webReaderAt struct{ io.ReaderAt }

// ReadAt implements io.ReaderAt.
func (r webReaderAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, off)
	return n, webError(err)
}

// webError turns an error of package webfile into one of this package.
func webError(err error) error {
	for _, s := range []struct{ theirs, ours error }{
		{webfile.ErrChanged, ErrChanged}, {webfile.ErrSize, ErrSize}, {webfile.ErrStalled, ErrStalled},
	} {
		if errors.Is(err, s.theirs) {
			err = alsoIs{err, s.ours}
		}
	}
	return err
}

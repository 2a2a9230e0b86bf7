package upload

import (
	"errors"
	"io"
	"net/url"

	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/webfile"
)

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
	c.identity = identity{Size: f.Size, ETag: f.ETag, Modified: f.LastModified}
	if f.Size != UnknownSize && f.Resumable() {
		c.versioned = true
		address, query := webfile.Identity(from)
		c.identity.Source, c.identity.Query = address, digest(query)
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

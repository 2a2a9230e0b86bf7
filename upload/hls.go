package upload

import (
	"context"
	"errors"
	"io/fs"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
)

// Reasons why a playlist is not uploaded.
var (
	// ErrOutside means that a playlist references a file outside of its folder.
	// Nothing was created.
	ErrOutside = hls.ErrOutside
	// ErrRemote means that a playlist references a file on a web server, see
	// [KeepRemote] and [FetchRemote]. Nothing was created.
	ErrRemote = hls.ErrRemote
	// ErrLoop means that a playlist references itself, directly or not. Nothing
	// was created.
	ErrLoop = hls.ErrLoop
	// ErrNotAllowed means that a playlist references a file that is hidden, is
	// not a media file, or is a key without 16 or 32 bytes. See [AllowFiles].
	// Nothing was created.
	ErrNotAllowed = hls.ErrNotAllowed
	// ErrNoPrefix means that the service returns no destination for the segments
	// of a playlist: UploadAddress has no ObjectPrefix. No byte was sent, but
	// the asset exists. Convert the playlist to one file and upload that.
	ErrNoPrefix = errors.New("the service returned no ObjectPrefix for the segments of the playlist")
	// ErrPlaylist means that the source is a playlist whose segments cannot be
	// uploaded: the source is a Reader or ReaderAt, or the target is one file.
	ErrPlaylist = errors.New("the source is a playlist, and its segments cannot be uploaded")
)

// PlaylistError is a problem with a playlist or with a file that it references.
type PlaylistError struct {
	Playlist string // path in the folder of the playlist
	Line     int    // from 1; 0 for the playlist as a whole
	URI      string // as it is written, without its query
	Err      error
}

// Error returns the problem and its position.
func (e *PlaylistError) Error() string { return redact.Text((*hls.Error)(e).Error()) }

// Unwrap returns the cause.
func (e *PlaylistError) Unwrap() error { return e.Err }

// HLSOption changes which files an [HLS] upload includes.
type HLSOption func(*hlsSource)

// KeepRemote leaves http and https URLs in playlists as they are. Without it
// and without [FetchRemote], such URLs are refused. URLs of keys are never
// changed: they lead to a key server.
func KeepRemote() HLSOption { return func(s *hlsSource) { s.keepRemote = true } }

// FetchRemote includes the files of http and https URLs in playlists. They are
// fetched as [URL] does, and the stored playlists reference the stored files.
// Keys are never fetched. A header in opts needs the origins that it is for, see
// [URLHeader].
func FetchRemote(opts ...URLOption) HLSOption {
	return func(s *hlsSource) { s.remote = newURL(opts) }
}

// AllowFiles permits files that playlists reference and that are refused
// otherwise: hidden files (".x"), segments with another extension, and keys of
// another size. allow receives the path in the playlist's folder, with slashes.
// Files outside of the folder, directories and devices are always refused.
func AllowFiles(allow func(path string) bool) HLSOption {
	return func(s *hlsSource) { s.allow = allow }
}

// HLS is a playlist on disk with all files that it references: playlists,
// segments, initialization sections, keys, and lists of interstitials. A [File]
// whose name ends in ".m3u8", or that begins with "#EXTM3U", is the same if the
// target creates an asset from it. HLS also works with any [Bucket].
//
// All files must be in the folder of the playlist or below it. Links that lead
// out of the folder are refused. A playlist may come from an untrusted party, so
// hidden files, files without the extension of a segment, and keys without 16
// or 32 bytes are refused, see [AllowFiles]. Live services and delta updates
// are refused too. All references are checked before anything is created. A
// missing, short, refused or circular reference is a [*PlaylistError] with its
// line.
//
// Segments are uploaded in parallel with the upload credential of the asset,
// then the media playlists, and last the playlist itself. Each file is stored
// once, under its own base name if that is unique and has unreserved characters
// only, otherwise under a similar name. The stored playlists reference the
// stored names and have the extension and Content-Type of a playlist.
// [Result].Size and [Progress] count all files.
//
// After a failure, stored segments remain until the asset is deleted. With a
// checkpoint, a segment is not sent again if its CRC-64 is unchanged, and the
// multipart uploads of large segments are resumed.
func HLS(name string, opts ...HLSOption) Source {
	return newHLS(hlsSource{name: name}, opts)
}

// HLSFS is an [HLS] playlist in fsys. The root of fsys takes the role of the
// playlist's folder. A file that does not implement [io.ReaderAt] is buffered
// in memory: in parts of Config.PartSize, or as a whole below
// Config.MultipartThreshold.
func HLSFS(fsys fs.FS, name string, opts ...HLSOption) Source {
	return newHLS(hlsSource{name: name, fsys: fsys, isFS: true}, opts)
}

func newHLS(s hlsSource, opts []HLSOption) hlsSource {
	for _, opt := range opts {
		opt(&s)
	}
	return s
}

// scanError turns an error of package hls into one of this package.
func scanError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return retry.ContextError(ctx)
	}
	var problem *hls.Error
	if !errors.As(err, &problem) {
		return err
	}
	e := PlaylistError(*problem)
	switch {
	case errors.Is(err, hls.ErrEmpty):
		e.Err = alsoIs{e.Err, ErrEmpty}
	case errors.Is(err, hls.ErrTooShort):
		e.Err = alsoIs{e.Err, ErrSize}
	}
	return &e
}

// alsoIs is an error that errors.Is reports to be a sentinel error too.
type alsoIs struct {
	error
	sentinel error
}

// Unwrap returns both errors.
func (e alsoIs) Unwrap() []error { return []error{e.error, e.sentinel} }

// Package hls reads HLS playlists (RFC 8216 and its second edition) and
// rewrites them for an upload: it parses a multivariant playlist, follows its
// references, checks every referenced file and gives each a stored name.
// [Scan] creates nothing and promises that every file in its [Bundle] exists,
// may be uploaded and has a unique name.
// It does not know what uploads the files, and leaves web requests to its caller.
package hls

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of a scan. A day in segments of one second has 86,400 of them in less
// than 5 MB.
const (
	MaxPlaylistSize = 16 << 20 // bytes of one playlist

	maxAssetListSize = 1 << 20  // bytes of one asset list
	maxTotalSize     = 64 << 20 // bytes of all playlists and asset lists
	maxReferences    = 1 << 18  // in all playlists
	maxDocuments     = 4096     // playlists and asset lists
	maxNesting       = 8        // playlists within playlists

	// maxFileSize is the size of the largest object of OSS: 10,000 parts of
	// 5 GiB.
	maxFileSize int64 = 10_000 * 5 << 30
)

// UnknownSize is the size of a file on a web server.
const UnknownSize = -1

// Reasons why a reference is refused.
var (
	// ErrEmpty means that a playlist or a segment has no content.
	ErrEmpty = errors.New("the file is empty")
	// ErrTooShort means that a file ends before a byte range of it.
	ErrTooShort = errors.New("the file is shorter than its byte range")
	// ErrOutside means that a file is outside of the playlist's folder.
	ErrOutside = errors.New("the file is outside of the playlist's folder")
	// ErrRemote means that a file is on a web server, and that the options
	// neither keep nor fetch it.
	ErrRemote = errors.New("the file is on a web server")
	// ErrLoop means that a playlist references itself, directly or not.
	ErrLoop = errors.New("the playlist references itself")
	// ErrNotAllowed means that a file is hidden or has the wrong type, and that
	// Options.Allow does not permit it.
	ErrNotAllowed = errors.New("the file is not allowed without AllowFiles")
)

// Error is a problem with a playlist or with a file that it references.
type Error struct {
	Playlist string // path in the folder, or URL without query and user
	Line     int    // from 1; 0 for the playlist as a whole
	URI      string // as it is written, without query and user
	Err      error
}

// Error returns the problem and its position.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "playlist %.200q", e.Playlist)
	if e.Line > 0 {
		fmt.Fprintf(&b, " line %d", e.Line)
	}
	if e.URI != "" {
		fmt.Fprintf(&b, ": %.200q", e.URI)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

package upload

import (
	"context"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// Target says what an upload becomes: [VODVideo], [VODImage],
// [VODAttachedMedia], [ICEMedia], [ICEStream], [YikeAsset] or [Bucket].
//
// A target is the request of the operation that creates the asset. What is
// left empty there and can be told from the source is filled in: file name,
// extension, size, title.
type Target interface {
	// bind returns the target with the clients of u. key is the name that the
	// user gives the upload, or empty.
	bind(u *Uploader, key string) binding
}

// binding is a target with the clients that it needs. It answers all questions
// about the target: no other code depends on which target it is.
type binding interface {
	// name is the name of the target's type.
	name() string

	// signer signs the requests for the asset.
	signer() signer

	// describe fills in what identifies the upload in a later run.
	describe(file fileInfo, k *checkpoint.Key)

	// create asks the service for a destination. If it fails after something was
	// created, the destination has its IDs.
	create(ctx context.Context, file fileInfo) (destination, error)

	// resume returns the destination of an earlier run with new credentials.
	// stored means that the bytes are stored already, which needs no credentials.
	resume(ctx context.Context, file fileInfo, was destination, stored bool) (destination, error)

	// status asks for the state of the asset. It is nil if there is no asset.
	status() statusFunc

	// lookup finds an asset that this upload has created without its ID. It is
	// nil if the asset has no ReferenceId.
	lookup() lookupFunc

	// reopen uploads into an asset that exists. It is nil if the target cannot.
	reopen() reopenFunc

	// object is the bucket and the key of the object, if they are known before
	// the upload. Otherwise it is empty.
	object(name string) string

	// keepsPlaylists reports whether a playlist is stored like any other file.
	keepsPlaylists() bool

	// playlistPrefix is what precedes the names of the segments in a playlist of
	// this name. ok is false if the target takes no playlists.
	playlistPrefix(name string) (prefix string, ok bool)
}

type (
	lookupFunc func(ctx context.Context, file fileInfo) (p destination, found bool, err error)
	reopenFunc func(ctx context.Context, mediaID string) (destination, error)
)

// fileTarget has the responses of a target that is one file with a name that the
// service chooses.
type fileTarget struct{}

func (fileTarget) lookup() lookupFunc                   { return nil }
func (fileTarget) reopen() reopenFunc                   { return nil }
func (fileTarget) object(string) string                 { return "" }
func (fileTarget) keepsPlaylists() bool                 { return false }
func (fileTarget) playlistPrefix(string) (string, bool) { return "", false }

// segmentTarget is a fileTarget that takes playlists with their segments, which
// are stored next to the playlist.
type segmentTarget struct{ fileTarget }

func (segmentTarget) playlistPrefix(string) (string, bool) { return "", true }

// bind binds a target or a pointer to one. The result is nil without a target.
func (u *Uploader) bind(t Target, key string) binding {
	if t = plain(t); t == nil {
		return nil
	}
	return t.bind(u, key)
}

// plain is the target that a pointer leads to, and t itself if it is none.
func plain(t Target) Target {
	t, _ = pointed(t).(Target)
	return t
}

// pointed is what a pointer leads to, and v itself where it is none.
func pointed(v any) any {
	p := reflect.ValueOf(v)
	switch {
	case p.Kind() != reflect.Pointer:
		return v
	case p.IsNil():
		return nil
	}
	return p.Elem().Interface()
}

func needs(target, what string) error { return fmt.Errorf("%s needs %s", target, what) }

func noExtension(field string) error {
	return fmt.Errorf("the file name has no extension, and the service needs one: set %s", field)
}

// declared is the size to tell the service. A size given by the caller must be
// true.
func declared(size int64, file fileInfo) (int64, error) {
	switch {
	case size != 0 && file.size != UnknownSize && size != file.size:
		return 0, fmt.Errorf("%w: the target says %d bytes, the source has %d", ErrSize, size, file.size)
	case size == 0 && file.size != UnknownSize:
		return file.size, nil
	}
	return size, nil
}

func clipRunes(s string, limit int) string {
	for i := range s {
		if limit == 0 {
			return s[:i]
		}
		limit--
	}
	return s
}

func clipBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

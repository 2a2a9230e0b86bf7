package upload

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
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

// fileTarget has the answers of a target that is one file with a name that the
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

// plain returns the target that a pointer leads to, or t itself.
func plain(t Target) Target {
	t, _ = pointed(t).(Target)
	return t
}

// pointed returns the value that a pointer leads to, or v itself.
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

// fileInfo is the source as the targets see it.
type fileInfo struct {
	name  string
	size  int64  // UnknownSize for a stream
	token string // the same in all runs with one checkpoint; empty without a checkpoint

	// asked is when an earlier run last sent a registration that must not be
	// repeated; zero means never. note records the time of the present one.
	asked time.Time
	note  func(time.Time) error

	began    time.Time // when the first run of the upload began
	repeated bool      // an earlier run may have registered the object
}

func (f fileInfo) ext() string { return mediatype.Extension(f.name) }

// title is the name without its extension.
func (f fileInfo) title() string {
	if ext := f.ext(); ext != "" {
		return f.name[:len(f.name)-len(ext)-1]
	}
	return f.name
}

// destination is the object that a target stores its bytes in, and the asset
// that the object belongs to.
type destination struct {
	address       ossobject.Address
	prefix        string // of the segments of a playlist; empty if they have no destination
	keys          credentials.Provider
	tolerant      bool              // of a refreshed credential for another object
	headers       ossobject.Headers // of the object
	segments      ossobject.Headers // of the segments of a playlist
	mediaId       string
	fileURL       string
	mediaURL      string
	requestId     string
	exists        func(context.Context) (bool, error) // see transfer.Destination
	removeUploads func(context.Context) error         // see transfer.Destination
	alreadyStored bool                                // the service has the object
	done          *Result                             // the service has the asset with its file

	// finish registers the stored object and completes the result. It is nil if
	// the service needs no registration.
	finish func(context.Context, *Result) error
}

// refreshFunc asks the service for a new upload credential of the same asset.
type refreshFunc func(context.Context) (uploadAddress, uploadAuth string, err error)

// withCredential returns p with the address and the upload credential that the
// service returned. refresh is nil if the service cannot refresh the credential.
func (u *Uploader) withCredential(p destination, uploadAddress, uploadAuth string, refresh refreshFunc) (destination, error) {
	got, err := ossobject.Decode(uploadAddress, uploadAuth, u.api)
	if err == nil && u.cfg.OSSEndpoint == "" {
		err = u.trust.Check(got.Endpoint)
	}
	if err != nil {
		return p, err
	}
	var issue func(context.Context) (transfer.Issued, error)
	if refresh != nil {
		issue = func(ctx context.Context) (transfer.Issued, error) {
			uploadAddress, uploadAuth, err := refresh(ctx)
			if err != nil {
				return transfer.Issued{}, err
			}
			fresh, err := ossobject.Decode(uploadAddress, uploadAuth, u.api)
			if err != nil {
				err = retry.Permanent(err)
			}
			return fresh.Issued, err
		}
	}
	p.address, p.prefix = got.Address, got.Prefix
	p.fileURL = cmp.Or(p.fileURL, got.FileURL())
	p.keys = transfer.NewRefreshingCredential(got.Issued, issue, p.tolerant, u.log)
	return p, nil
}

func needs(target, what string) error { return fmt.Errorf("%s needs %s", target, what) }

func noExtension(field string) error {
	return fmt.Errorf("the file name has no extension, and the service needs one: set %s", field)
}

// declared returns the size that the service is told. A size in the target must
// be that of the source.
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

// refreshed returns p with a new upload credential, which must be for the same
// object.
func (u *Uploader) refreshed(ctx context.Context, p destination, refresh refreshFunc) (destination, error) {
	uploadAddress, uploadAuth, err := refresh(ctx)
	if err != nil {
		return p, err
	}
	was := p.address
	p, err = u.withCredential(p, uploadAddress, uploadAuth, refresh)
	if err == nil && was != (ossobject.Address{}) && (p.address.Bucket != was.Bucket || p.address.Key != was.Key) {
		return p, ErrAddressChanged
	}
	return p, err
}

// intoAsset returns the destination of an asset that exists.
func (u *Uploader) intoAsset(ctx context.Context, p destination, refresh refreshFunc) (destination, error) {
	uploadAddress, uploadAuth, err := refresh(ctx)
	if err != nil {
		return p, err
	}
	return u.withCredential(p, uploadAddress, uploadAuth, refresh)
}

package upload

import (
	"cmp"
	"context"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// fileInfo is what is known about the source before anything is created.
type fileInfo struct {
	name  string
	size  int64  // UnknownSize for a stream
	token string // the same for all runs with one checkpoint, empty without

	// asked is when an earlier run last asked for the registration, saveAsked
	// records that this run does. Both are zero without a checkpoint.
	asked     time.Time
	saveAsked func(time.Time) error

	began           time.Time // when the first run of the upload began
	mayBeRegistered bool      // an earlier run may have registered the object
}

func (f fileInfo) ext() string { return mediatype.Extension(f.name) }

// title is the name without its extension.
func (f fileInfo) title() string {
	if ext := f.ext(); ext != "" {
		return f.name[:len(f.name)-len(ext)-1]
	}
	return f.name
}

// destination is where a target stores the bytes, and what becomes of them.
type destination struct {
	address     ossobject.Address
	prefix      string // of the keys of the segments of a playlist; empty if there may be none
	credentials credentials.Provider
	tolerant    bool              // ignore a refreshed credential for another object
	headers     ossobject.Headers // of the object
	segments    ossobject.Headers // of the segments of a playlist

	mediaID   string
	fileURL   string
	mediaURL  string
	requestID string

	exists        func(context.Context) (bool, error) // see transfer.Destination
	removeUploads func(context.Context) error         // see transfer.Destination
	isStored      bool                                // the service says that the object is stored
	completed     *Result                             // the service has the asset with its file

	// register creates an asset from the stored object and completes the result.
	// It is nil if the service learns of the object by itself.
	register func(context.Context, *Result) error
}

// destinationOf is the destination of an earlier run, without credentials.
func destinationOf(a checkpoint.Asset) destination {
	return destination{mediaID: a.MediaID, fileURL: a.FileURL, mediaURL: a.MediaURL, requestID: a.RequestID, address: ossobject.Address(a.Address)}
}

func (d destination) asset() checkpoint.Asset {
	return checkpoint.Asset{MediaID: d.mediaID, FileURL: d.fileURL, MediaURL: d.mediaURL, RequestID: d.requestID, Address: checkpoint.Address(d.address)}
}

// objectAt returns the object at d. Credentials are sent to trusted hosts only.
func (u *Uploader) objectAt(d destination) transfer.Destination {
	where := d.address
	known := ossobject.RegionOf(where.Endpoint)
	region := cmp.Or(u.cfg.OSSRegion, known, ossobject.RegionOf(d.fileURL))
	untrusted := u.trust.Check(where.Endpoint)
	switch internal := cmp.Or(u.cfg.OSSRegion, known); {
	case u.cfg.OSSEndpoint != "":
		where.Endpoint, untrusted = u.cfg.OSSEndpoint, nil
	case (u.cfg.OSSInternal || u.cfg.LocalRegion == internal) && internal != "" && ossobject.HasInternal(where.Endpoint):
		where.Endpoint = ossobject.InternalEndpoint(internal)
	}
	open := u.oss.Opener(where, region, d.headers.WithContentType(cmp.Or(d.headers.ContentType(), mediatype.Of(where.Key))))
	if untrusted != nil {
		open = func(credentials.Credentials) (transfer.Object, error) { return nil, untrusted }
	}
	return transfer.Destination{
		Credentials: d.credentials, Open: open, Clock: u.oss.Clock(where),
		Exists: d.exists, RemoveUploads: d.removeUploads,
	}
}

// refreshFunc asks the service for a new upload credential of an asset.
type refreshFunc func(context.Context) (uploadAddress, uploadAuth string, err error)

// withCredential decodes the response of a Create operation into d. refresh is nil
// if the service has no operation for that.
func (u *Uploader) withCredential(d destination, uploadAddress, uploadAuth string, refresh refreshFunc) (destination, error) {
	issued, err := ossobject.Decode(uploadAddress, uploadAuth, u.api)
	if err == nil && u.cfg.OSSEndpoint == "" {
		err = u.trust.Check(issued.Endpoint)
	}
	if err != nil {
		return d, err
	}
	var again func(context.Context) (transfer.Issued, error)
	if refresh != nil {
		again = func(ctx context.Context) (transfer.Issued, error) {
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
	d.address, d.prefix = issued.Address, issued.Prefix
	d.fileURL = cmp.Or(d.fileURL, issued.FileURL())
	d.credentials = transfer.NewRefreshingCredential(issued.Issued, again, d.tolerant, u.log)
	return d, nil
}

// withFreshCredential asks for a credential of the asset at d.
func (u *Uploader) withFreshCredential(ctx context.Context, d destination, refresh refreshFunc) (destination, error) {
	uploadAddress, uploadAuth, err := refresh(ctx)
	if err != nil {
		return d, err
	}
	return u.withCredential(d, uploadAddress, uploadAuth, refresh)
}

// resumeAt asks for a credential of the asset at d, which has to be for the same
// object.
func (u *Uploader) resumeAt(ctx context.Context, d destination, refresh refreshFunc) (destination, error) {
	was := d.address
	d, err := u.withFreshCredential(ctx, d, refresh)
	if err == nil && was != (ossobject.Address{}) && (d.address.Bucket != was.Bucket || d.address.Key != was.Key) {
		return d, ErrAddressChanged
	}
	return d, err
}

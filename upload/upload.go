// Package upload uploads a file and creates its media asset in one call.
//
// [Uploader.Upload] creates the asset (CreateUploadVideo, CreateUploadMedia and
// so on), sends the bytes to the Object Storage Service (OSS), and registers
// the object if the service requires it. It retries failed requests and
// refreshes the upload credential before it expires. A [Source] provides the
// bytes, a [Target] describes the asset.
//
//	up, err := upload.New(upload.Config{VOD: video})
//	res, err := up.Upload(ctx, upload.File("movie.mp4"), upload.VODVideo{Title: "Launch"})
//	fmt.Println(res.MediaId, res.FileURL)
package upload

import (
	"context"
	"log/slog"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Uploader uploads. It is safe for concurrent use; one is enough for a process.
type Uploader struct {
	cfg    Config
	log    *slog.Logger
	oss    *ossobject.Client
	engine *transfer.Manager
	api    *transfer.Clock // of the services
	trust  ossobject.Trust

	accounts accounts
	indexes  checkpoint.Indexes
	claims   checkpoint.Claims
}

// String keeps what the Uploader holds out of logs.
func (u *Uploader) String() string { return "upload.Uploader" }

// GoString keeps what the Uploader holds out of logs.
func (u *Uploader) GoString() string { return u.String() }

// Result describes a completed upload.
type Result struct {
	MediaId   string // the asset: VideoId of a video, ImageId of an image; empty for a Bucket without registration
	FileURL   string // the object, without authentication
	MediaURL  string // where the asset can be fetched, if the service returns it
	RequestId string // of the operation that created the asset
	Bucket    string
	Key       string
	ETag      string
	Size      int64  // bytes
	CRC64     uint64 // CRC-64/ECMA of the bytes as they were read
	Status    string // of the asset as the service says it, with WithWait only

	// AlreadyRegistered means that the object was registered before this upload
	// began. MediaId is that asset.
	AlreadyRegistered bool

	// AlreadyUploaded means that this upload was completed before, according to
	// the completed index in the checkpoint directory or, for a ReferenceId, to
	// the service. Nothing was sent. The Result is the earlier one, with URLs
	// without their query. If it comes from the service, CRC64 is zero.
	AlreadyUploaded bool
}

// Option changes one upload.
type Option func(*options)

type options struct {
	progress      func(Progress)
	batchProgress func(BatchProgress)
	started       func(*tracker) // of a job, nil outside of UploadAll
	wait          bool
	news          Notifier
	key           string // the user's
	mediaID       string // of the asset to upload into
	verify        bool
	source        Source
	observers     []*Observer
	batch         *checkpoint.Batch // nil outside of UploadAll
	checkpoint    checkpointOptions
}

// WithProgress calls report a few times a second and at the end. Calls do not
// overlap. After a slow call, report receives the latest state and skips the
// states in between. A panic of report ends the reports, but not the upload.
func WithProgress(report func(Progress)) Option {
	return func(o *options) { o.progress = report }
}

// Upload uploads src and creates the asset described by target. Any returned
// error is an [*Error]. Upload is safe for concurrent use.
//
// When ctx ends, Upload cancels its requests and removes the stored parts,
// unless a checkpoint remembers them, see [WithCheckpoint]. This takes at most 2
// seconds. After other failures the removal takes at most 10 seconds. An asset
// that was created stays in the state Uploading; its ID is in the error.
//
// A panic of the source, of a credentials provider or of a callback is an error
// of this upload.
func (u *Uploader) Upload(ctx context.Context, src Source, target Target, opts ...Option) (*Result, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	o.source = src
	for n, ok := o.source.(namedSource); ok; n, ok = o.source.(namedSource) {
		o.source = n.Source
	}
	r := &run{Uploader: u, options: o, target: u.bind(target, o.key), tracker: newTracker(o.progress, u.log)}
	defer func() { r.tracker.close(ctx) }()
	if o.started != nil {
		o.started(r.tracker)
	}
	ctx = r.observe(ctx, src)
	res, err := r.upload(ctx, src)
	if err != nil {
		failure := r.failure(err)
		u.log.InfoContext(ctx, "upload: failed", "upload", failure)
		r.observed(nil, failure)
		return nil, failure
	}
	r.enter(ctx, StageDone)
	r.observed(res, nil)
	return res, nil
}

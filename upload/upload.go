// Package upload takes a file to a registered media asset in one call.
//
// [Uploader.Upload] creates an asset (CreateUploadVideo, CreateUploadMedia, ...),
// sends the bytes to Object Storage Service (OSS), and registers the object if
// the service requires it. It retries failed requests and refreshes the upload
// credential. A [Source] provides the bytes, a [Target] describes the asset.
//
//	up, err := upload.New(upload.Config{VOD: video})
//	res, err := up.Upload(ctx, upload.File("movie.mp4"), upload.VODVideo{Title: "Launch"})
//	fmt.Println(res.MediaId, res.FileURL)
package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
)

// Config is the setting of an [Uploader]. The zero value of a field is a good
// choice, but for the clients that the targets need.
type Config struct {
	VOD *vod.Client // for VODVideo, VODImage, VODAttachedMedia and RegisterMedia
	ICE *ice.Client // for ICEMedia, ICEStream, YikeAsset, RegisterMediaInfo and RegisterMediaStream

	// Credentials sign for buckets of your own, see [Bucket]. Nil means
	// [credentials.Default]. Other targets get theirs from the service.
	Credentials credentials.Provider

	// HTTPClient sends the bytes. Nil means a client of our own with pooled
	// connections and the environment's proxy. Its Timeout, if it has one,
	// bounds the sending of a whole part: leave it zero.
	HTTPClient *http.Client

	// Logger receives a record for each stage, refresh and repetition. No
	// record holds a secret. Nil means no logging.
	Logger *slog.Logger

	// Retry says how often and how patiently a request to the store is
	// repeated. Zero values mean 10 attempts, 200 ms, 20 s. The clients have
	// their own setting.
	Retry alimedia.Retry

	// Parallel is how many requests send bytes at once, over all uploads of
	// the Uploader. Zero means 4. An upload from a stream holds at most
	// Parallel+1 parts in memory.
	Parallel int

	// Files is how many files one UploadAll has under way at once. Zero means
	// twice Parallel: while some send, the service answers for others.
	Files int

	// Bandwidth bounds how many bytes per second go to the store, over all
	// uploads of the Uploader. Zero means no limit.
	Bandwidth int64

	// PartSize is the size of a part in bytes, 100 KiB to 5 GiB. It grows
	// for files of more than 10,000 parts. Zero means 8 MiB.
	PartSize int64

	// MultipartThreshold is the size in bytes from which on a file is sent
	// in parts, at most 5 GiB. Zero means 16 MiB.
	MultipartThreshold int64

	// StallTimeout ends a request when no byte of its body has moved for so
	// long; it is then repeated. Zero means 60 s.
	StallTimeout time.Duration

	// AnswerTimeout ends a request when its answer is not there in full so
	// long after the last byte of its body; it is then repeated. It bounds
	// answers that come byte by byte too. OSS takes its time to join many
	// parts. Zero means 5 minutes.
	AnswerTimeout time.Duration

	// OSSHosts lists further hosts that upload credentials may be sent to, as
	// UploadAddress names them: "oss.example.com", or "*.example.com" for all
	// hosts below. Without it they go to hosts of aliyuncs.com and to
	// OSSEndpoint only, and to a loopback address where the endpoint of the
	// service is one too. See [ErrUntrustedHost].
	OSSHosts []string

	// AllowMissingCRC accepts an endpoint that never sends the CRC-64 of what
	// it stores. The ETag, and the size of the object, which HeadObject has to
	// give, are then all the proof that it is stored. False means that such an
	// answer is repeated and in the end [ErrUnproven].
	AllowMissingCRC bool

	// OSSRegion is the region of the signature and of own buckets. Empty
	// means the one in the endpoint's host; where that has none, requests are
	// signed by OSS's older scheme, which needs none.
	OSSRegion string

	// OSSEndpoint replaces the endpoint that the service names, by the one
	// for acceleration or of a test. It is reached by HTTPS, save on loopback.
	OSSEndpoint string

	// OSSInternal uses the internal endpoint of the bucket's region. It is
	// reached only from machines in that region, and free of traffic charge.
	OSSInternal bool

	// LocalRegion is the region of the machine, such as "cn-shanghai". Buckets
	// in it are reached by the internal endpoint, others by the one given.
	LocalRegion string

	// CheckpointScope says whose the uploads in a checkpoint directory are, in
	// place of the account: uploads of one scope are the same wherever else
	// they are alike. Give it where STS cannot be asked or where one directory
	// is to be divided. Empty means the account that the credentials of the
	// client (of Credentials for a [Bucket]) belong to. STS GetCallerIdentity
	// tells it, which needs no permission, once for each access key and within
	// 10 s. Where it does not, a long-lived access key stands for itself, and
	// uploads with temporary credentials run without a checkpoint.
	CheckpointScope string

	// STSEndpoint is where GetCallerIdentity is asked: a host or a URL. Empty
	// means the endpoint of the client where that is on loopback, else the
	// endpoint of STS as package credentials chooses it.
	STSEndpoint string

	// UserAgent is added to the User-Agent of requests to the store.
	UserAgent string
}

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

// New checks cfg and returns an Uploader.
func New(cfg Config) (*Uploader, error) {
	cfg.Parallel = cmp.Or(cfg.Parallel, 4)
	cfg.Files = cmp.Or(cfg.Files, 2*cfg.Parallel)
	cfg.PartSize = cmp.Or(cfg.PartSize, 8<<20)
	cfg.MultipartThreshold = cmp.Or(cfg.MultipartThreshold, 16<<20)
	cfg.StallTimeout = cmp.Or(cfg.StallTimeout, time.Minute)
	cfg.AnswerTimeout = cmp.Or(cfg.AnswerTimeout, 5*time.Minute)
	cfg.OSSRegion, cfg.LocalRegion = strings.TrimSpace(cfg.OSSRegion), strings.TrimSpace(cfg.LocalRegion)
	cfg.Retry.MaxAttempts = cmp.Or(cfg.Retry.MaxAttempts, 10)
	cfg.Retry.BaseDelay = cmp.Or(cfg.Retry.BaseDelay, 200*time.Millisecond)
	cfg.Retry.MaxDelay = cmp.Or(cfg.Retry.MaxDelay, 20*time.Second)
	switch {
	case cfg.Parallel < 0:
		return nil, fmt.Errorf("upload: Config.Parallel is %d, at least 1 is needed", cfg.Parallel)
	case cfg.Files < 0:
		return nil, fmt.Errorf("upload: Config.Files is %d, at least 1 is needed", cfg.Files)
	case cfg.Bandwidth < 0:
		return nil, fmt.Errorf("upload: Config.Bandwidth is %d bytes per second, zero means no limit", cfg.Bandwidth)
	case cfg.PartSize < transfer.MinPartSize || cfg.PartSize > transfer.MaxPartSize:
		return nil, fmt.Errorf("upload: Config.PartSize is %d bytes, the store takes %d to %d", cfg.PartSize, transfer.MinPartSize, int64(transfer.MaxPartSize))
	case cfg.MultipartThreshold < 0 || cfg.MultipartThreshold > transfer.MaxPartSize:
		return nil, fmt.Errorf("upload: Config.MultipartThreshold is %d bytes, a single request takes at most %d", cfg.MultipartThreshold, int64(transfer.MaxPartSize))
	case cfg.OSSRegion != "" && !ossobject.IsRegion(cfg.OSSRegion):
		return nil, fmt.Errorf("upload: Config.OSSRegion %.40q is not a region ID, such as \"cn-shanghai\"", cfg.OSSRegion)
	case cfg.LocalRegion != "" && !ossobject.IsRegion(cfg.LocalRegion):
		return nil, fmt.Errorf("upload: Config.LocalRegion %.40q is not a region ID, such as \"cn-shanghai\"", cfg.LocalRegion)
	case cfg.StallTimeout < 0 || cfg.AnswerTimeout < 0 || cfg.Retry.MaxAttempts < 0 || cfg.Retry.BaseDelay < 0 || cfg.Retry.MaxDelay < 0:
		return nil, errors.New("upload: a negative time or count in Config.StallTimeout, Config.AnswerTimeout or Config.Retry")
	}
	if cfg.OSSEndpoint != "" {
		endpoint, err := ossobject.ParseEndpoint(cfg.OSSEndpoint)
		if err != nil {
			return nil, fmt.Errorf("upload: Config.OSSEndpoint: %w", err)
		}
		cfg.OSSEndpoint = endpoint
	}
	hosts, err := ossobject.ParseHosts(cfg.OSSHosts)
	if err != nil {
		return nil, fmt.Errorf("upload: Config.OSSHosts: %w", err)
	}
	cfg.OSSHosts = hosts
	if cfg.Credentials == nil {
		cfg.Credentials = credentials.Default()
	}
	u := &Uploader{cfg: cfg, log: cfg.Logger, api: new(transfer.Clock)}
	if u.log == nil {
		u.log = slog.New(slog.DiscardHandler)
	}
	u.trust = ossobject.Trust{Hosts: cfg.OSSHosts, Loopback: u.cfg.watch(u.api)}
	u.oss = ossobject.NewClient(ossobject.Config{HTTPClient: cfg.HTTPClient, UserAgent: userAgent(cfg.UserAgent), AllowMissingCRC: cfg.AllowMissingCRC})
	u.engine = transfer.New(transfer.Config{
		Retry:    retry.Policy(cfg.Retry),
		Parallel: cfg.Parallel, Bandwidth: cfg.Bandwidth, PartSize: cfg.PartSize, MultipartThreshold: cfg.MultipartThreshold,
		StallTimeout: cfg.StallTimeout, AnswerTimeout: cfg.AnswerTimeout, AllowMissingCRC: cfg.AllowMissingCRC, Logger: u.log,
	})
	return u, nil
}

// String keeps what the Uploader holds out of logs.
func (u *Uploader) String() string { return "upload.Uploader" }

// GoString keeps what the Uploader holds out of logs.
func (u *Uploader) GoString() string { return u.String() }

// Result is a finished upload.
type Result struct {
	MediaId   string // the asset: VideoId of a video, ImageId of an image; empty for a Bucket without registration
	FileURL   string // the object, without authentication
	MediaURL  string // where the asset can be fetched, if the service says so
	RequestId string // of the operation that made the asset
	Bucket    string
	Key       string
	ETag      string
	Size      int64  // bytes
	CRC64     uint64 // CRC-64/ECMA of the bytes as they were read
	Status    string // of the asset as the service says it, with WithWait only

	// AlreadyRegistered: the object was registered before this upload began;
	// MediaId is that older asset.
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
	progress   func(Progress)
	wait       bool
	news       Notifier
	key        string // the user's
	mediaId    string // of the asset to upload into
	verify     bool
	source     Source
	batch      *checkpoint.Batch // nil outside of UploadAll
	checkpoint checkpointOptions
}

// WithProgress calls report a few times a second and at the end. It is called
// by one goroutine, never at the same time twice. A report that takes long is
// followed by the latest state, not by all in between; a panic ends the
// reports, not the upload.
func WithProgress(report func(Progress)) Option {
	return func(o *options) { o.progress = report }
}

// Upload brings src to where target says. Every failure is an [*Error].
//
// When ctx ends, the requests under way are cut off and the parts that OSS has
// are removed before Upload returns, unless a checkpoint remembers them, see
// [WithCheckpoint]. That takes at most 2 seconds; a failure without the end of
// ctx leaves 10 seconds for the removal.
//
// A panic of the source, of a credentials provider or of a callback is an
// error of this upload.
func (u *Uploader) Upload(ctx context.Context, src Source, target Target, opts ...Option) (*Result, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	o.source = src
	for n, ok := o.source.(namedSource); ok; n, ok = o.source.(namedSource) {
		o.source = n.Source
	}
	r := &run{Uploader: u, tracker: newTracker(o.progress, u.log), checkpoint: checkpoint.None{}}
	defer func() { r.tracker.close(ctx) }()
	res, err := r.upload(ctx, src, u.bind(target, o.key), o)
	if err != nil {
		failure := r.failure(err)
		u.log.InfoContext(ctx, "upload: failed", "upload", failure)
		return nil, failure
	}
	r.enter(ctx, StageDone)
	return res, nil
}

// run is one upload.
type run struct {
	*Uploader
	tracker *tracker

	content     *content
	transfer    *transfer.Transfer
	file        fileInfo
	destination destination
	uploaded    bool
	status      string // of the asset, as WithWait saw it
	checkpoint  checkpoint.Checkpoint
}

func (r *run) upload(ctx context.Context, src Source, target binding, o options) (res *Result, err error) {
	defer r.close()
	if err := r.open(ctx, src, target, &o); err != nil {
		return nil, err
	}
	if err := r.check(target, &o); err != nil {
		return nil, err
	}
	defer func() { r.checkpoint.Close(r.spent(ctx, err)) }()
	if res, err = r.openCheckpoint(ctx, o, target); err != nil {
		return nil, err
	}
	release, err := r.claim(target, o, res != nil)
	if err != nil {
		return nil, err
	}
	defer func() { release(err == nil) }()
	if res != nil {
		return res, r.earlier(ctx, target, o, res)
	}
	r.enter(ctx, StageCreate)
	if err := r.createOrResume(ctx, o, target); err != nil {
		return nil, err
	}
	r.tracker.set(func(p *Progress) { p.MediaId = r.destination.mediaId })
	if res = r.destination.done; res != nil {
		r.log.InfoContext(ctx, "upload: the service has it already", "name", r.file.name, "media_id", res.MediaId)
		if err = r.earlier(ctx, target, o, res); err == nil {
			err = r.checkpoint.SaveCompleted(checkpoint.Result(*res))
		}
		return res, err
	}
	done, err := r.send(ctx)
	if err != nil {
		return nil, err
	}
	if res, err = r.finish(ctx, done); err == nil && o.wait {
		err = r.wait(ctx, target, o.news, res)
	}
	if err == nil {
		err = r.checkpoint.SaveCompleted(checkpoint.Result(*res))
	}
	return res, err
}

// earlier is what is left to do for an upload that was finished before.
func (r *run) earlier(ctx context.Context, target binding, o options, res *Result) error {
	r.destination.mediaId, r.destination.fileURL, r.uploaded = res.MediaId, res.FileURL, true
	r.tracker.set(func(p *Progress) { p.MediaId, p.Total = res.MediaId, res.Size })
	r.tracker.Resumed(res.Size)
	if !o.wait || res.Status != "" {
		return nil
	}
	return r.wait(ctx, target, o.news, res)
}

// check refuses options that the source and the target cannot satisfy.
func (r *run) check(target binding, o *options) error {
	if o.mediaId != "" && target.reopen() == nil {
		return fmt.Errorf("upload.WithMediaId takes a VODVideo or an ICEMedia, not a %s", target.name())
	}
	if o.verify {
		if _, once := o.source.(*streamSource); once || r.content.segments.exist() {
			return errors.New("upload.WithVerifyContent reads the source twice: a Reader and a playlist cannot be")
		}
	}
	if err := o.check(target); err != nil {
		return err
	}
	if o.checkpoint.required && o.key == "" && r.content.identity.Source == "" {
		return fmt.Errorf("%w: the source cannot be recognized in a later run; name the upload by WithKey", ErrCheckpoint)
	}
	return nil
}

// open looks at the source, its first bytes included, before anything is
// created.
func (r *run) open(ctx context.Context, src Source, target binding, o *options) (err error) {
	r.enter(ctx, StageOpen)
	switch {
	case src == nil:
		return errors.New("no source: use File, FS, HLS, URL, Reader or ReaderAt")
	case target == nil:
		return errors.New("no target: say what the file becomes, such as VODVideo{}")
	case ctx.Err() != nil:
		return retry.ContextError(ctx)
	case o.checkpoint.required && o.checkpoint.dir == "":
		return fmt.Errorf("%w: WithCheckpointRequired needs WithCheckpoint", ErrCheckpoint)
	}
	err = transfer.Protect("the source", func() (err error) {
		r.content, err = openFor(ctx, src, target, r.Uploader)
		return err
	})
	if err != nil {
		return err
	}
	r.file = fileInfo{name: r.content.name, size: r.content.size, began: time.Now()}
	r.tracker.set(func(p *Progress) { p.Name, p.Total = r.file.name, r.content.segments.size(r.file.size) })
	if r.transfer, err = r.engine.Prepare(ctx, r.content.source(), r.cfg.Parallel+1); err != nil {
		return err
	}
	if err = r.refusePlaylist(target); err != nil {
		return err
	}
	r.file.size = r.transfer.Size()
	r.tracker.set(func(p *Progress) { p.Total = r.content.segments.size(r.file.size) })
	return nil
}

func (r *run) close() {
	if r.transfer != nil {
		r.transfer.Close()
	}
	if r.content != nil {
		_ = transfer.Protect("the source", r.content.close)
	}
}

// send stores the bytes of the source.
func (r *run) send(ctx context.Context) (transfer.Info, error) {
	if done, ok := r.delivered(); ok {
		return done, nil
	}
	if err := r.content.segments.send(ctx, r); err != nil {
		return transfer.Info{}, err
	}
	r.enter(ctx, StageSend)
	return r.transfer.Run(ctx, r.objectAt(r.destination), engineCheckpoint{r.checkpoint}, r.content.segments.tracker(r.tracker))
}

// finish makes the stored object what it is to become.
func (r *run) finish(ctx context.Context, done transfer.Info) (*Result, error) {
	r.uploaded = true
	res := &Result{
		MediaId: r.destination.mediaId, FileURL: r.destination.fileURL, MediaURL: r.destination.mediaURL, RequestId: r.destination.requestId,
		Bucket: r.destination.address.Bucket, Key: r.destination.address.Key,
		ETag: done.ETag, Size: r.content.segments.size(done.Size), CRC64: done.CRC64,
	}
	r.tracker.set(func(p *Progress) { p.Total = res.Size })
	r.enter(ctx, StageFinish)
	if err := r.register(ctx, done, res); err != nil {
		return nil, err
	}
	r.content.segments.forget(r.checkpoint)
	r.destination.mediaId = res.MediaId
	r.tracker.set(func(p *Progress) { p.MediaId = res.MediaId })
	if done.CallbackErr != nil {
		r.tracker.stage(StageComplete)
		return nil, done.CallbackErr
	}
	return res, nil
}

func (r *run) enter(ctx context.Context, s Stage) {
	r.tracker.stage(s)
	if !r.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	p := r.tracker.current()
	r.log.InfoContext(ctx, "upload: "+string(s), "name", p.Name, "media_id", p.MediaId, "size", p.Total)
}

func (r *run) failure(err error) *Error {
	state := r.tracker.current()
	e := &Error{
		Stage: state.Stage, Name: state.Name,
		MediaId: r.destination.mediaId, FileURL: r.destination.fileURL,
		Sent: r.tracker.safe.Load(), Uploaded: r.uploaded, Status: r.status, Err: err,
	}
	if r.transfer != nil {
		e.UploadId = r.transfer.UploadID()
	}
	return e
}

// objectAt is the object at p. Credentials are sent to trusted hosts only.
func (u *Uploader) objectAt(p destination) transfer.Destination {
	where := p.address
	known := ossobject.RegionOf(where.Endpoint)
	region := cmp.Or(u.cfg.OSSRegion, known, ossobject.RegionOf(p.fileURL))
	untrusted := u.trust.Check(where.Endpoint)
	switch internal := cmp.Or(u.cfg.OSSRegion, known); {
	case u.cfg.OSSEndpoint != "":
		where.Endpoint, untrusted = u.cfg.OSSEndpoint, nil
	case (u.cfg.OSSInternal || u.cfg.LocalRegion == internal) && internal != "" && ossobject.HasInternal(where.Endpoint):
		where.Endpoint = ossobject.InternalEndpoint(internal)
	}
	open := u.oss.Opener(where, region, p.headers.WithContentType(cmp.Or(p.headers.ContentType(), mediatype.Of(where.Key))))
	if untrusted != nil {
		open = func(credentials.Credentials) (transfer.Object, error) { return nil, untrusted }
	}
	return transfer.Destination{
		Credentials: p.keys, Open: open, Clock: u.oss.Clock(where),
		Exists: p.exists, RemoveUploads: p.removeUploads,
	}
}

func userAgent(more string) string {
	if more != "" {
		more = " " + more
	}
	return "alimedia-go/" + alimedia.Version + more
}

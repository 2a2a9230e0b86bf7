package upload

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/vod"
)

// Bucket stores the file in an OSS bucket of your own, signed for with
// [Config].Credentials, and registers it there. An object of the same key is
// replaced, unless ForbidOverwrite is set.
//
// The settings of the object are sent with the request that creates it. They
// are checked before anything is sent. The segments of a playlist get all of
// them but ContentType, ContentDisposition, ContentEncoding and
// ContentLanguage.
type Bucket struct {
	Name string
	Key  string // empty, or ending in a slash: the name of the source follows

	// Region of the bucket, such as "cn-shanghai". Empty means
	// Config.OSSRegion, else the region of the client in Register.
	Region string

	// Register makes a media asset of the object: [RegisterMediaInfo],
	// [RegisterMediaStream] or [RegisterMedia]. Nil only stores it.
	Register Registration

	ContentType        string // empty: by the extension of the key, else of the source's name
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	CacheControl       string
	Expires            time.Time // zero: not sent

	StorageClass string // Standard, IA, Archive, ColdArchive or DeepColdArchive; empty: that of the bucket
	ACL          string // default, private, public-read or public-read-write; empty: that of the bucket

	Encryption      string // on the server: AES256, KMS or SM4; empty: as the bucket says
	EncryptionKeyId string // with KMS: the key, empty for the default one

	// Tags are at most 10. A key has 1 to 128 characters, a value at most 256:
	// letters, digits, blanks and + - = . _ : /.
	Tags map[string]string

	// Metadata is sent as x-oss-meta-<name>, at most 8 KiB in all. A name has
	// letters, digits and dashes, its case does not count.
	Metadata map[string]string

	// ForbidOverwrite makes the upload fail with the code FileAlreadyExists
	// where there is an object of that key. An object of the very same bytes,
	// such as one of an upload whose answer was lost, is taken for this upload.
	ForbidOverwrite bool
}

// Registration makes a media asset of an object in an own bucket.
type Registration interface {
	// region of the client that registers; an error without a client.
	region(c Config) (string, error)
	// asking is how the service is asked for the state of the asset.
	asking(u *Uploader) asking
	// asset is that which gets a stream.
	asset() string
	register(ctx context.Context, c Config, file subject, fileURL string, res *Result) error
}

func (t Bucket) begin(ctx context.Context, u *Uploader, file subject) (place, error) {
	region := cmp.Or(t.Region, u.cfg.OSSRegion)
	if t.Register != nil {
		ofClient, err := t.Register.region(u.cfg)
		if err != nil {
			return place{}, err
		}
		region = cmp.Or(region, ofClient)
	}
	if region == "" {
		return place{}, errors.New("upload.Bucket needs Region or Config.OSSRegion")
	}
	key := t.key(file.name)
	if region = strings.TrimSpace(region); !ossobject.IsRegion(region) {
		return place{}, fmt.Errorf("upload.Bucket: Region %.40q is not a region ID, such as \"cn-shanghai\"", region)
	}
	if err := ossobject.CheckName(t.Name, key); err != nil {
		return place{}, fmt.Errorf("upload.Bucket: %w", err)
	}
	headers, segments, err := t.settings().Headers()
	if err != nil {
		return place{}, fmt.Errorf("upload.Bucket: %w", err)
	}
	p := place{
		keys:     u.cfg.Credentials,
		headers:  headers.WithContentType(cmp.Or(t.ContentType, mediatype.Of(key, file.name))),
		segments: segments,
		address:  ossobject.Address{Endpoint: ossobject.Endpoint(region), Bucket: t.Name, Key: key},
	}
	p.prefix = segmentPrefix(key)
	p.fileURL = p.address.FileURL()
	if _, err := p.keys.Credentials(ctx); err != nil {
		return place{}, fmt.Errorf("credentials for bucket %s: %w", t.Name, err)
	}
	if t.Register == nil {
		return p, nil
	}
	p.finish = func(ctx context.Context, res *Result) error {
		return t.Register.register(ctx, u.cfg, file, p.fileURL, res)
	}
	// What the registration would refuse is known before the bytes are sent.
	err = t.Register.register(ctx, rehearsal(u.cfg), subject{name: file.name}, p.fileURL, new(Result))
	if !errors.Is(err, errRehearsed) {
		return place{}, err
	}
	return p, nil
}

func (t Bucket) settings() ossobject.Settings {
	return ossobject.Settings{
		ContentType: t.ContentType, ContentDisposition: t.ContentDisposition, ContentEncoding: t.ContentEncoding, ContentLanguage: t.ContentLanguage,
		CacheControl: t.CacheControl, Expires: t.Expires, StorageClass: t.StorageClass, ACL: t.ACL,
		Encryption: t.Encryption, EncryptionKeyID: t.EncryptionKeyId, Tags: t.Tags, Metadata: t.Metadata, ForbidOverwrite: t.ForbidOverwrite,
	}
}

func (t Bucket) describe(u *Uploader, file subject, k *uploadKey) {
	k.Bucket, k.Object = t.Name, t.key(file.name)
	if k.Key != "" { // whatever the source is called
		k.Object = t.Key
	}
	k.Region = cmp.Or(t.Region, k.Region)
	if t.Register != nil {
		k.Register, k.Asset = targetName(t.Register), t.Register.asset()
		if region, err := t.Register.region(u.cfg); err == nil {
			k.Region = region // where the asset is
		}
	}
}

func (Bucket) signer(u *Uploader) signer { return u.ossSigner() }

func (t Bucket) asking(u *Uploader) asking {
	if t.Register == nil {
		return nil
	}
	return t.Register.asking(u)
}

// key is that of the object for a source of this name.
func (t Bucket) key(name string) string {
	if t.Key == "" || strings.HasSuffix(t.Key, "/") {
		return t.Key + name
	}
	return t.Key
}

// errRehearsed is how a call ends that would have been sent.
var errRehearsed = errors.New("upload: not sent")

// rehearsal is cfg with clients that check, encode and sign, but do not send.
func rehearsal(cfg Config) Config {
	change := func(c *alimedia.Config) {
		c.HTTPClient = &http.Client{Transport: unsent{}}
		c.Retry.MaxAttempts = 1
		c.Logger = nil
	}
	if cfg.VOD != nil {
		cfg.VOD = cfg.VOD.With(change)
	}
	if cfg.ICE != nil {
		cfg.ICE = cfg.ICE.With(change)
	}
	return cfg
}

type unsent struct{}

// RoundTrip implements http.RoundTripper.
func (unsent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, errRehearsed
}

// RegisterMediaInfo registers the object in Intelligent Media Services. Title
// is the name of the source where it is empty. An object that is registered
// already keeps its MediaId, unless Overwrite is set.
type RegisterMediaInfo ice.RegisterMediaInfoRequest

func (RegisterMediaInfo) asset() string             { return "" }
func (RegisterMediaInfo) asking(u *Uploader) asking { return u.mediaState }

func (RegisterMediaInfo) region(c Config) (string, error) { return iceRegion(c, "RegisterMediaInfo") }

func (t RegisterMediaInfo) register(ctx context.Context, c Config, file subject, fileURL string, res *Result) error {
	req := ice.RegisterMediaInfoRequest(t)
	req.InputURL = fileURL
	req.Title = cmp.Or(req.Title, clipBytes(file.title(), 128))
	req.ClientToken = cmp.Or(req.ClientToken, file.token)
	var sent attempts
	out, err := sent.of(c.ICE).RegisterMediaInfo(ctx, req)
	if alimedia.IsAlreadyExists(err) {
		info, unknown := lookUp(ctx, c.ICE, fileURL, time.Now().Add(settling))
		if unknown != nil {
			return fmt.Errorf("%w; looking it up: %w", err, unknown)
		}
		res.MediaId, res.RequestId = info.MediaInfo.MediaId, info.RequestId
		res.AlreadyRegistered = !sent.mayBeOurs(file) || sent.before(info.MediaInfo.MediaBasicInfo.CreateTime, file)
		return nil
	}
	if err != nil {
		return err
	}
	res.MediaId, res.RequestId = out.MediaId, out.RequestId
	return nil
}

// attempts is what is known of the requests of one call.
type attempts struct {
	lost   bool          // one before the last may have had its effect
	unsure bool          // so may the last
	skew   time.Duration // of the service's clock
	asked  time.Time     // when the last that may have had its effect was sent or given up
	note   func(time.Time) error
}

// of is client with its requests watched. The client is for one call.
func (a *attempts) of(client *ice.Client) *ice.Client { return client.With(a.watch) }

func (a *attempts) watch(c *alimedia.Config) {
	sender := *c.HTTPClient
	sender.Transport = watched{cmp.Or(sender.Transport, http.DefaultTransport), a}
	c.HTTPClient = &sender
}

// mayBeOurs reports whether the service may know the object from a request of
// this upload whose answer did not arrive.
func (a *attempts) mayBeOurs(file subject) bool { return a.lost || file.repeated }

// before reports whether an asset was created before the upload began, both by
// the clock of the service.
func (a *attempts) before(created string, file subject) bool {
	at, err := alimedia.ParseTime(created)
	return err == nil && at.Add(time.Second).Before(file.began.Add(a.skew)) // it has whole seconds
}

type watched struct {
	http.RoundTripper
	*attempts
}

const maxRefusal = 64 << 10 // bytes of a refusal that are looked at

// RoundTrip implements http.RoundTripper.
func (t watched) RoundTrip(r *http.Request) (*http.Response, error) {
	t.lost = t.lost || t.unsure
	if err := t.record(time.Now()); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	answer, err := t.RoundTripper.RoundTrip(r)
	t.unsure = true
	if err != nil { // it may still have its effect
		_ = t.record(time.Now())
		return nil, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		if t.skew = time.Until(date); t.skew.Abs() < 2*time.Second {
			t.skew = 0
		}
	}
	if answer.StatusCode/100 == 4 {
		// A nonce that is used means that the service has had this very request.
		head, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head), answer.Body), answer.Body}
		if !bytes.Contains(head, []byte("SignatureNonceUsed")) {
			t.unsure = false
			_ = t.record(time.Time{})
		}
	}
	return answer, nil
}

// record keeps when the service was asked, zero when it has refused.
func (a *attempts) record(at time.Time) error {
	if a.asked = at; a.note == nil {
		return nil
	}
	return a.note(at)
}

// once asks for what must not be done twice. An earlier request whose answer
// did not arrive, of this run or another, is looked up first.
func (f subject) once(ctx context.Context, client *ice.Client, look func(until time.Time) (bool, error), do func(*ice.Client) error) error {
	asked := f.asked
	var failed error
	for again := false; ; again = true {
		if !asked.IsZero() {
			found, err := look(asked.Add(settling))
			switch {
			case err != nil && failed != nil:
				return fmt.Errorf("%w; %w: %w", failed, errUnknown, err)
			case err != nil:
				return fmt.Errorf("%w: %w", errUnknown, err)
			case found:
				return nil
			}
		}
		sent := attempts{note: f.note}
		failed = do(sent.of(client))
		if asked = sent.asked; failed == nil || asked.IsZero() || ctx.Err() != nil || again {
			return failed
		}
	}
}

// settling is for how long what was registered may not be found. It takes the
// service 2 to 3 seconds.
const settling = 10 * time.Second

// lookUp finds the asset that the object already is. Until the time given it
// is asked for again.
func lookUp(ctx context.Context, client *ice.Client, fileURL string, until time.Time) (*ice.GetMediaInfoResponse, error) {
	return alimedia.Poll(ctx, time.Second, func(ctx context.Context) (*ice.GetMediaInfoResponse, bool, error) {
		info, err := client.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: fileURL})
		if alimedia.IsNotFound(err) && time.Now().Before(until) {
			return nil, false, nil
		}
		return info, err == nil, err
	})
}

// errUnknown: the answer of an earlier registration never arrived.
var errUnknown = errors.New("whether an earlier request has registered the object cannot be told")

// RegisterMediaStream registers the object as a stream of the asset MediaId in
// Intelligent Media Services.
type RegisterMediaStream ice.RegisterMediaStreamRequest

func (t RegisterMediaStream) asset() string           { return t.MediaId }
func (RegisterMediaStream) asking(u *Uploader) asking { return u.mediaState }

func (t RegisterMediaStream) region(c Config) (string, error) {
	if t.MediaId == "" {
		return "", errors.New("RegisterMediaStream needs MediaId, the asset that the stream is for")
	}
	return iceRegion(c, "RegisterMediaStream")
}

func (t RegisterMediaStream) register(ctx context.Context, c Config, file subject, fileURL string, res *Result) error {
	req := ice.RegisterMediaStreamRequest(t)
	req.InputURL = fileURL
	look := func(until time.Time) (bool, error) {
		stream, err := streamOf(ctx, c.ICE, t.MediaId, fileURL, until)
		if stream != nil {
			res.MediaId = t.MediaId
		}
		return stream != nil, err
	}
	return file.once(ctx, c.ICE, look, func(client *ice.Client) error {
		out, err := client.RegisterMediaStream(ctx, req)
		if err == nil {
			res.MediaId, res.RequestId = cmp.Or(out.MediaId, t.MediaId), out.RequestId
		}
		return err
	})
}

// streamOf finds the object among the files of an asset, nil where it is not.
// Until the time given it is asked for again.
func streamOf(ctx context.Context, client *ice.Client, mediaId, fileURL string, until time.Time) (*ice.FileBasicInfo, error) {
	return alimedia.Poll(ctx, time.Second, func(ctx context.Context) (*ice.FileBasicInfo, bool, error) {
		info, err := client.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: mediaId})
		if err != nil {
			return nil, false, err
		}
		for _, file := range info.MediaInfo.FileInfoList {
			if sameObject(file.FileBasicInfo.FileUrl, fileURL) {
				return &file.FileBasicInfo, true, nil
			}
		}
		return nil, !time.Now().Before(until), nil
	})
}

// sameObject compares where two URLs lead to. One of them may be signed.
func sameObject(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Host == y.Host && x.Path == y.Path
}

func iceRegion(c Config, operation string) (string, error) {
	if c.ICE == nil {
		return "", fmt.Errorf("%s needs Config.ICE", operation)
	}
	return c.ICE.Region(), nil
}

// RegisterMedia registers the object in ApsaraVideo VOD, to which the bucket
// must be added. At most one element of RegisterMetadatas describes it; FileURL
// is filled in, and Title where it is empty. An object that is registered
// already keeps its MediaId.
type RegisterMedia vod.RegisterMediaRequest

func (RegisterMedia) asset() string { return "" }

func (t RegisterMedia) asking(u *Uploader) asking {
	if t.TemplateGroupId == "" && t.WorkflowId == "" {
		return u.storedVideoState
	}
	return u.videoState
}

func (t RegisterMedia) region(c Config) (string, error) {
	switch {
	case c.VOD == nil:
		return "", errors.New("RegisterMedia needs Config.VOD")
	case len(t.RegisterMetadatas) > 1:
		return "", errors.New("RegisterMedia takes one element in RegisterMetadatas: an upload is one file")
	}
	return c.VOD.Region(), nil
}

func (t RegisterMedia) register(ctx context.Context, c Config, file subject, fileURL string, res *Result) error {
	req := vod.RegisterMediaRequest(t)
	var meta vod.RegisterMetadata
	if len(t.RegisterMetadatas) == 1 {
		meta = t.RegisterMetadatas[0]
	}
	meta.FileURL = fileURL
	meta.Title = cmp.Or(meta.Title, clipBytes(file.title(), 128))
	req.RegisterMetadatas = []vod.RegisterMetadata{meta}
	var sent attempts
	out, err := c.VOD.With(sent.watch).RegisterMedia(ctx, req)
	if err != nil {
		return err
	}
	if len(out.RegisteredMediaList) == 0 {
		return &alimedia.Error{
			Action: "RegisterMedia", Code: "FailedFileURLs", RequestId: out.RequestId, StatusCode: http.StatusOK,
			Message: "the file was not registered: is the bucket added to ApsaraVideo VOD, in this region?",
		}
	}
	m := out.RegisteredMediaList[0]
	res.MediaId, res.RequestId, res.AlreadyRegistered = m.MediaId, out.RequestId, !m.NewRegister
	if res.AlreadyRegistered && sent.mayBeOurs(file) {
		info, err := c.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: m.MediaId})
		res.AlreadyRegistered = err == nil && sent.before(info.Video.CreationTime, file)
	}
	return nil
}

package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// Bucket stores the file in an OSS bucket of your own, signed for with
// [Config].Credentials, and registers it there. An object of the same key is
// replaced.
type Bucket struct {
	Name string
	Key  string // empty, or ending in a slash: the name of the source follows

	// Region of the bucket, such as "cn-shanghai". Empty means
	// Config.OSSRegion, else the region of the client in Register.
	Region string

	// Register makes a media asset of the object: [RegisterMediaInfo],
	// [RegisterMediaStream] or [RegisterMedia]. Nil only stores it.
	Register Registration
}

// Registration makes a media asset of an object in an own bucket.
type Registration interface {
	// region of the client that registers; an error without a client.
	region(c Config) (string, error)
	register(ctx context.Context, c Config, fileURL, title string, res *Result) error
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
	endpoint, err := parseEndpoint("oss-" + region + ".aliyuncs.com")
	if err == nil {
		err = checkObject(t.Name, key)
	}
	if err != nil {
		return place{}, fmt.Errorf("upload.Bucket: %w", err)
	}
	p := place{keys: u.cfg.Credentials, address: address{Endpoint: endpoint, Bucket: t.Name, Key: key}}
	p.prefix = slicesOf(key)
	p.fileURL = p.address.fileURL()
	if _, err := p.keys.Credentials(ctx); err != nil {
		return place{}, fmt.Errorf("credentials for bucket %s: %w", t.Name, err)
	}
	if t.Register == nil {
		return p, nil
	}
	if info, ok := t.Register.(RegisterMediaInfo); ok && info.ClientToken == "" {
		info.ClientToken = file.token
		t.Register = info
	}
	p.finish = func(ctx context.Context, res *Result) error {
		return t.Register.register(ctx, u.cfg, p.fileURL, file.title(), res)
	}
	// What the registration would refuse is known before the bytes are sent.
	err = t.Register.register(ctx, rehearsal(u.cfg), p.fileURL, file.title(), new(Result))
	if !errors.Is(err, errRehearsed) {
		return place{}, err
	}
	return p, nil
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

func (RegisterMediaInfo) region(c Config) (string, error) { return iceRegion(c, "RegisterMediaInfo") }

func (t RegisterMediaInfo) register(ctx context.Context, c Config, fileURL, title string, res *Result) error {
	req := ice.RegisterMediaInfoRequest(t)
	req.InputURL = fileURL
	req.Title = cmp.Or(req.Title, clipBytes(title, 128))
	out, err := c.ICE.RegisterMediaInfo(ctx, req)
	if alimedia.IsAlreadyExists(err) {
		return lookUp(ctx, c, fileURL, res, err)
	}
	if err != nil {
		return err
	}
	res.MediaId, res.RequestId = out.MediaId, out.RequestId
	return nil
}

// lookUp finds the asset that the object already is. A new asset takes some
// seconds to be found.
func lookUp(ctx context.Context, c Config, fileURL string, res *Result, exists error) error {
	tries := 0
	info, err := alimedia.Poll(ctx, time.Second, func(ctx context.Context) (*ice.GetMediaInfoResponse, bool, error) {
		info, err := c.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{InputURL: fileURL})
		if tries++; alimedia.IsNotFound(err) && tries < 6 {
			return nil, false, nil
		}
		return info, err == nil, err
	})
	if err != nil {
		return fmt.Errorf("%w; looking it up: %w", exists, err)
	}
	res.MediaId, res.RequestId, res.AlreadyRegistered = info.MediaInfo.MediaId, info.RequestId, true
	return nil
}

// RegisterMediaStream registers the object as a stream of the asset MediaId in
// Intelligent Media Services.
type RegisterMediaStream ice.RegisterMediaStreamRequest

func (t RegisterMediaStream) region(c Config) (string, error) {
	if t.MediaId == "" {
		return "", errors.New("RegisterMediaStream needs MediaId, the asset that the stream is for")
	}
	return iceRegion(c, "RegisterMediaStream")
}

func (t RegisterMediaStream) register(ctx context.Context, c Config, fileURL, _ string, res *Result) error {
	req := ice.RegisterMediaStreamRequest(t)
	req.InputURL = fileURL
	out, err := c.ICE.RegisterMediaStream(ctx, req)
	if err != nil {
		return err
	}
	res.MediaId, res.RequestId = cmp.Or(out.MediaId, t.MediaId), out.RequestId
	return nil
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

func (t RegisterMedia) region(c Config) (string, error) {
	switch {
	case c.VOD == nil:
		return "", errors.New("RegisterMedia needs Config.VOD")
	case len(t.RegisterMetadatas) > 1:
		return "", errors.New("RegisterMedia takes one element in RegisterMetadatas: an upload is one file")
	}
	return c.VOD.Region(), nil
}

func (t RegisterMedia) register(ctx context.Context, c Config, fileURL, title string, res *Result) error {
	req := vod.RegisterMediaRequest(t)
	var meta vod.RegisterMetadata
	if len(t.RegisterMetadatas) == 1 {
		meta = t.RegisterMetadatas[0]
	}
	meta.FileURL = fileURL
	meta.Title = cmp.Or(meta.Title, clipBytes(title, 128))
	req.RegisterMetadatas = []vod.RegisterMetadata{meta}
	out, err := c.VOD.RegisterMedia(ctx, req)
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
	return nil
}

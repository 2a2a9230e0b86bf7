package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// Registration creates a media asset from an object in a bucket of your own:
// [RegisterMediaInfo], [RegisterMediaStream] or [RegisterMedia].
type Registration interface {
	// region is the region of the client that registers the object.
	region(c Config) (string, error)
	// name is the name of the type.
	name() string
	// status asks the service for the state of the asset.
	status(u *Uploader) statusFunc
	// asset is the asset that the object is added to, empty for a new asset.
	asset() string
	register(ctx context.Context, c Config, file fileInfo, fileURL string, res *Result) error
}

// RegisterMediaInfo registers the object in Intelligent Media Services. If Title
// is empty, it is the name of the source. An object that is registered already
// keeps its MediaId, unless Overwrite is set.
type RegisterMediaInfo ice.RegisterMediaInfoRequest

func (RegisterMediaInfo) name() string                    { return "RegisterMediaInfo" }
func (RegisterMediaInfo) asset() string                   { return "" }
func (RegisterMediaInfo) status(u *Uploader) statusFunc   { return u.mediaState }
func (RegisterMediaInfo) region(c Config) (string, error) { return iceRegion(c, "RegisterMediaInfo") }

func (t RegisterMediaInfo) register(ctx context.Context, c Config, file fileInfo, fileURL string, res *Result) error {
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

// RegisterMediaStream registers the object as a stream of the asset MediaId in
// Intelligent Media Services.
type RegisterMediaStream ice.RegisterMediaStreamRequest

func (RegisterMediaStream) name() string                  { return "RegisterMediaStream" }
func (t RegisterMediaStream) asset() string               { return t.MediaId }
func (RegisterMediaStream) status(u *Uploader) statusFunc { return u.mediaState }

func (t RegisterMediaStream) region(c Config) (string, error) {
	if t.MediaId == "" {
		return "", errors.New("RegisterMediaStream needs MediaId, the asset that the stream is for")
	}
	return iceRegion(c, "RegisterMediaStream")
}

func (t RegisterMediaStream) register(ctx context.Context, c Config, file fileInfo, fileURL string, res *Result) error {
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

func iceRegion(c Config, operation string) (string, error) {
	if c.ICE == nil {
		return "", fmt.Errorf("%s needs Config.ICE", operation)
	}
	return c.ICE.Region(), nil
}

// RegisterMedia registers the object in ApsaraVideo VOD. The bucket must be added
// to ApsaraVideo VOD. RegisterMetadatas has at most one element: FileURL is
// filled in, and Title if it is empty. An object that is registered already
// keeps its MediaId.
type RegisterMedia vod.RegisterMediaRequest

func (RegisterMedia) name() string  { return "RegisterMedia" }
func (RegisterMedia) asset() string { return "" }

func (t RegisterMedia) status(u *Uploader) statusFunc {
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

func (t RegisterMedia) register(ctx context.Context, c Config, file fileInfo, fileURL string, res *Result) error {
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
			Product: "vod", Action: "RegisterMedia", Code: "FailedFileURLs", RequestId: out.RequestId, StatusCode: http.StatusOK,
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

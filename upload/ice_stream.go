package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// ICEStream adds a media stream to the asset MediaId (CreateUploadStream). If
// FileExtension is empty, it is filled in from the source.
type ICEStream ice.CreateUploadStreamRequest

func (t ICEStream) bind(u *Uploader, _ string) binding { return iceStream{ICEStream: t, u: u} }

// iceStream is an ICEStream with the clients of an Uploader.
type iceStream struct {
	ICEStream
	segmentTarget
	u *Uploader
}

func (iceStream) name() string { return "ICEStream" }

func (t iceStream) create(ctx context.Context, file fileInfo) (destination, error) {
	req := ice.CreateUploadStreamRequest(t.ICEStream)
	req.FileExtension = cmp.Or(req.FileExtension, file.ext())
	switch {
	case t.u.cfg.ICE == nil:
		return destination{}, needs("ICEStream", "Config.ICE")
	case req.MediaId == "":
		return destination{}, needs("ICEStream", "MediaId, the asset that the stream is for")
	case req.FileExtension == "":
		return destination{}, noExtension("ICEStream.FileExtension")
	}
	out, err := t.u.cfg.ICE.CreateUploadStream(ctx, req)
	if err != nil {
		return destination{}, err
	}
	p := destination{mediaID: cmp.Or(out.MediaId, req.MediaId), fileURL: out.FileURL, requestID: out.RequestId}
	p.tolerant = true // RefreshUploadMedia may be for the asset's own file
	return t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), t.u.refreshMedia(p.mediaID))
}

func (t iceStream) describe(_ fileInfo, k *checkpoint.Key) {
	k.Asset, k.Use = t.MediaId, t.Definition
}

func (t iceStream) signer() signer     { return t.u.iceSigner() }
func (t iceStream) status() statusFunc { return t.u.mediaState }

func (t iceStream) resume(ctx context.Context, file fileInfo, was destination, stored bool) (destination, error) {
	switch {
	case stored:
		return was, nil
	case t.u.cfg.ICE == nil:
		return was, needs("ICEStream", "Config.ICE")
	}
	p, err := t.u.resumeAt(ctx, was, t.u.refreshMedia(was.mediaID))
	if !errors.Is(err, ErrAddressChanged) {
		return p, err
	}
	// The credential is for the asset's own file. Nothing more can be sent, but
	// the stream may be complete.
	stream, unknown := streamOf(ctx, t.u.cfg.ICE, was.mediaID, was.fileURL, time.Time{})
	if unknown == nil && stream != nil && stream.FileSize == strconv.FormatInt(file.size, 10) {
		was.isStored = true
		return was, nil
	}
	return was, fmt.Errorf("%w: %w", ErrNotResumable, err)
}

// streamOf finds the object among the files of an asset. It asks repeatedly
// until the given time, and returns nil if the object is not found.
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

// sameObject reports whether two URLs are those of the same object, signed or
// not.
func sameObject(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Host == y.Host && x.Path == y.Path
}

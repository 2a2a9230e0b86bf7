package upload

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/vod"
)

// VODImage creates an image asset in ApsaraVideo VOD (CreateUploadImage). If
// ImageExt, OriginalFileName and Title are empty, they are filled in from the
// source. If ImageType is empty, it is "default". The upload credential cannot
// be refreshed: the upload must finish within 3000 seconds.
type VODImage vod.CreateUploadImageRequest

func (t VODImage) bind(u *Uploader, _ string) binding { return vodImage{VODImage: t, u: u} }

// vodImage is a VODImage with the clients of an Uploader.
type vodImage struct {
	VODImage
	fileTarget
	u *Uploader
}

func (vodImage) name() string { return "VODImage" }

func (t vodImage) create(ctx context.Context, file fileInfo) (destination, error) {
	req := vod.CreateUploadImageRequest(t.VODImage)
	req.ImageType = cmp.Or(req.ImageType, vod.ImageTypeDefault)
	req.ImageExt = cmp.Or(req.ImageExt, strings.ToLower(file.ext()))
	req.OriginalFileName = cmp.Or(req.OriginalFileName, file.name)
	req.Title = cmp.Or(req.Title, clipRunes(file.title(), 128))
	switch {
	case t.u.cfg.VOD == nil:
		return destination{}, needs("VODImage", "Config.VOD")
	case req.ImageExt == "":
		return destination{}, noExtension("VODImage.ImageExt")
	}
	out, err := t.u.cfg.VOD.CreateUploadImage(ctx, req)
	if err != nil {
		return destination{}, err
	}
	p := destination{mediaID: out.ImageId, fileURL: out.FileURL, mediaURL: out.ImageURL, requestID: out.RequestId}
	return t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), nil)
}

func (t vodImage) describe(_ fileInfo, k *checkpoint.Key) {
	k.App, k.Storage, k.Use = cmp.Or(t.AppId, defaultApp), t.StorageLocation, cmp.Or(t.ImageType, vod.ImageTypeDefault)
}

func (t vodImage) signer() signer     { return t.u.vodSigner() }
func (t vodImage) status() statusFunc { return t.u.imageState }

func (t vodImage) resume(ctx context.Context, _ fileInfo, was destination, stored bool) (destination, error) {
	if !stored && t.u.cfg.VOD == nil {
		return was, needs("VODImage", "Config.VOD")
	}
	return was.kept(ctx, stored, t.u.imageState)
}

func (u *Uploader) imageState(ctx context.Context, id string) (state, error) {
	out, err := u.cfg.VOD.GetImageInfo(ctx, vod.GetImageInfoRequest{ImageId: id})
	if err != nil {
		return state{}, err
	}
	return fileState(out.ImageInfo.Status), nil
}

// VODAttachedMedia creates a watermark, subtitle or material in ApsaraVideo VOD
// (CreateUploadAttachedMedia), depending on BusinessType. If MediaExt, FileName,
// FileSize and Title are empty, they are filled in from the source. The upload
// credential cannot be refreshed: the upload must finish within 3000 seconds.
type VODAttachedMedia vod.CreateUploadAttachedMediaRequest

func (t VODAttachedMedia) bind(u *Uploader, _ string) binding {
	return vodAttachedMedia{VODAttachedMedia: t, u: u}
}

// vodAttachedMedia is a VODAttachedMedia with the clients of an Uploader.
type vodAttachedMedia struct {
	VODAttachedMedia
	fileTarget
	u *Uploader
}

func (vodAttachedMedia) name() string { return "VODAttachedMedia" }

func (t vodAttachedMedia) create(ctx context.Context, file fileInfo) (destination, error) {
	req := vod.CreateUploadAttachedMediaRequest(t.VODAttachedMedia)
	req.MediaExt = cmp.Or(req.MediaExt, strings.ToLower(file.ext()))
	req.FileName = cmp.Or(req.FileName, file.name)
	req.Title = cmp.Or(req.Title, clipBytes(file.title(), 128))
	if req.FileSize == "" && file.size != UnknownSize {
		req.FileSize = strconv.FormatInt(file.size, 10)
	}
	switch {
	case t.u.cfg.VOD == nil:
		return destination{}, needs("VODAttachedMedia", "Config.VOD")
	case req.MediaExt == "":
		return destination{}, noExtension("VODAttachedMedia.MediaExt")
	}
	out, err := t.u.cfg.VOD.CreateUploadAttachedMedia(ctx, req)
	if err != nil {
		return destination{}, err
	}
	p := destination{mediaID: out.MediaId, fileURL: out.FileURL, mediaURL: out.MediaURL, requestID: out.RequestId}
	return t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), nil)
}

func (t vodAttachedMedia) describe(_ fileInfo, k *checkpoint.Key) {
	k.App, k.Storage, k.Use = cmp.Or(t.AppId, defaultApp), t.StorageLocation, t.BusinessType
}

func (t vodAttachedMedia) signer() signer     { return t.u.vodSigner() }
func (t vodAttachedMedia) status() statusFunc { return t.u.attachedState }

func (t vodAttachedMedia) resume(ctx context.Context, _ fileInfo, was destination, stored bool) (destination, error) {
	if !stored && t.u.cfg.VOD == nil {
		return was, needs("VODAttachedMedia", "Config.VOD")
	}
	return was.kept(ctx, stored, t.u.attachedState)
}

func (u *Uploader) attachedState(ctx context.Context, id string) (state, error) {
	const action = "GetAttachedMediaInfo"
	out, err := u.cfg.VOD.GetAttachedMediaInfo(ctx, vod.GetAttachedMediaInfoRequest{MediaIds: []string{id}})
	if err != nil {
		return state{}, err
	}
	if len(out.AttachedMediaList) == 0 {
		return state{}, &alimedia.Error{
			Product: "vod", Action: action, Code: "InvalidMedia.NotFound", RequestId: out.RequestId,
			Message: "NonExistMediaIds has the asset", StatusCode: 200,
		}
	}
	return fileState(out.AttachedMediaList[0].Status), nil
}

// fileState is the state of an asset that is not processed.
func fileState(status string) state {
	return state{
		status: status,
		done:   status == vod.VideoStatusNormal,
		failed: status == vod.VideoStatusUploadFail,
	}
}

// kept returns a destination whose credential cannot be refreshed. Nothing more
// can be sent, but the object may be stored already.
func (p destination) kept(ctx context.Context, stored bool, ask func(context.Context, string) (state, error)) (destination, error) {
	if stored {
		return p, nil
	}
	s, err := ask(ctx, p.mediaID)
	switch {
	case err == nil && s.done:
		p.isStored = true
		return p, nil
	case err == nil:
		return p, ErrNotResumable
	case alimedia.IsAccessDenied(err):
		return p, fmt.Errorf("%w: %w", ErrNotResumable, err)
	}
	return p, err
}

package webupload

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// Kind is what an upload becomes.
type Kind string

// Kinds of the targets of this package.
const (
	KindVideo         Kind = "video"
	KindImage         Kind = "image"
	KindAttachedMedia Kind = "attached"
	KindMedia         Kind = "media"
)

// Target is the request that the policy wants to be sent: a [Video], [Image],
// [AttachedMedia] or [Media].
type Target interface {
	kind() Kind
	create(ctx context.Context, h *Handler) (created, error)
}

// Video creates a video or audio asset in ApsaraVideo VOD (CreateUploadVideo).
type Video vod.CreateUploadVideoRequest

// Image creates an image in ApsaraVideo VOD (CreateUploadImage). It cannot be
// refreshed: the upload must finish within 3,000 seconds.
type Image vod.CreateUploadImageRequest

// AttachedMedia creates a watermark, subtitle or material in ApsaraVideo VOD
// (CreateUploadAttachedMedia). It cannot be refreshed: the upload must finish within
// 3,000 seconds. The service does not report its size, so that Complete cannot
// check it.
type AttachedMedia vod.CreateUploadAttachedMediaRequest

// Media creates an asset in ICE (CreateUploadMedia).
type Media ice.CreateUploadMediaRequest

func (Video) kind() Kind         { return KindVideo }
func (Image) kind() Kind         { return KindImage }
func (AttachedMedia) kind() Kind { return KindAttachedMedia }
func (Media) kind() Kind         { return KindMedia }

// created is the ID of an asset and the response of the service as browsers get it.
type created struct {
	id   string
	body any
}

// Here an UploadAuth leaves the process. The members are those of the service.
type (
	videoBody struct{ RequestId, VideoId, UploadAddress, UploadAuth string }
	mediaBody struct {
		RequestId, MediaId string
		MediaURL, FileURL  string `json:",omitempty"`
		UploadAddress      string
		UploadAuth         string
	}
	imageBody struct{ RequestId, ImageId, ImageURL, FileURL, UploadAddress, UploadAuth string }
)

var (
	errNoVOD = errors.New("webupload: Config.VOD is nil")
	errNoICE = errors.New("webupload: Config.ICE is nil")
)

func (t Video) create(ctx context.Context, h *Handler) (created, error) {
	if h.cfg.VOD == nil {
		return created{}, errNoVOD
	}
	out, err := h.cfg.VOD.CreateUploadVideo(ctx, vod.CreateUploadVideoRequest(t))
	if err != nil {
		return created{}, err
	}
	return created{out.VideoId, videoBody{out.RequestId, out.VideoId, out.UploadAddress, out.UploadAuth.Reveal()}}, nil
}

func (t Image) create(ctx context.Context, h *Handler) (created, error) {
	if h.cfg.VOD == nil {
		return created{}, errNoVOD
	}
	out, err := h.cfg.VOD.CreateUploadImage(ctx, vod.CreateUploadImageRequest(t))
	if err != nil {
		return created{}, err
	}
	return created{out.ImageId, imageBody{out.RequestId, out.ImageId, out.ImageURL, out.FileURL, out.UploadAddress, out.UploadAuth.Reveal()}}, nil
}

func (t AttachedMedia) create(ctx context.Context, h *Handler) (created, error) {
	if h.cfg.VOD == nil {
		return created{}, errNoVOD
	}
	out, err := h.cfg.VOD.CreateUploadAttachedMedia(ctx, vod.CreateUploadAttachedMediaRequest(t))
	if err != nil {
		return created{}, err
	}
	return created{out.MediaId, mediaBody{out.RequestId, out.MediaId, out.MediaURL, out.FileURL, out.UploadAddress, out.UploadAuth.Reveal()}}, nil
}

func (t Media) create(ctx context.Context, h *Handler) (created, error) {
	if h.cfg.ICE == nil {
		return created{}, errNoICE
	}
	out, err := h.cfg.ICE.CreateUploadMedia(ctx, ice.CreateUploadMediaRequest(t))
	if err != nil {
		return created{}, err
	}
	return created{out.MediaId, mediaBody{out.RequestId, out.MediaId, out.MediaURL, out.FileURL, out.UploadAddress, out.UploadAuth.Reveal()}}, nil
}

// renew asks for a new credential.
func (h *Handler) renew(ctx context.Context, c claim) (body any, err error) {
	switch c.Kind {
	case KindVideo:
		out, err := h.cfg.VOD.RefreshUploadVideo(ctx, vod.RefreshUploadVideoRequest{VideoId: c.Id})
		if err != nil {
			return nil, err
		}
		return videoBody{out.RequestId, c.Id, out.UploadAddress, out.UploadAuth.Reveal()}, nil
	case KindMedia:
		out, err := h.cfg.ICE.RefreshUploadMedia(ctx, ice.RefreshUploadMediaRequest{MediaId: c.Id})
		if err != nil {
			return nil, err
		}
		return mediaBody{RequestId: out.RequestId, MediaId: c.Id, UploadAddress: out.UploadAddress, UploadAuth: out.UploadAuth.Reveal()}, nil
	}
	return nil, Refuse(http.StatusUnprocessableEntity, "NotRefreshable", "This upload cannot be resumed. Start it again.")
}

// ready reports whether the client for a kind is there: a token may be older than
// the configuration.
func (h *Handler) ready(k Kind) error {
	switch {
	case k == KindMedia && h.cfg.ICE == nil:
		return errNoICE
	case k != KindMedia && h.cfg.VOD == nil:
		return errNoVOD
	}
	return nil
}

// state asks the service what there is of an asset. A size of zero is unknown.
func (h *Handler) state(ctx context.Context, c claim) (asset Asset, err error) {
	a := Asset{Kind: c.Kind, Id: c.Id, DeclaredSize: c.Size}
	switch c.Kind {
	case KindVideo:
		err = h.videoState(ctx, &a)
	case KindImage:
		var out *vod.GetImageInfoResponse
		if out, err = h.cfg.VOD.GetImageInfo(ctx, vod.GetImageInfoRequest{ImageId: c.Id}); err == nil {
			a.Status, a.Size, a.Title = out.ImageInfo.Status, sizeOf(out.ImageInfo.Mezzanine.FileSize), out.ImageInfo.Title
		}
	case KindAttachedMedia:
		var out *vod.GetAttachedMediaInfoResponse
		if out, err = h.cfg.VOD.GetAttachedMediaInfo(ctx, vod.GetAttachedMediaInfoRequest{MediaIds: []string{c.Id}}); err == nil {
			if len(out.AttachedMediaList) == 0 {
				return a, &alimedia.Error{Action: "GetAttachedMediaInfo", Code: "InvalidMedia.NotFound", RequestId: out.RequestId, StatusCode: http.StatusOK}
			}
			a.Status, a.Title = out.AttachedMediaList[0].Status, out.AttachedMediaList[0].Title
		}
	case KindMedia:
		err = h.mediaState(ctx, &a)
	default:
		err = errToken
	}
	return a, err
}

// videoState asks GetMezzanineInfo too where GetVideoInfo has no size.
func (h *Handler) videoState(ctx context.Context, a *Asset) error {
	out, err := h.cfg.VOD.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: a.Id})
	if err != nil {
		return err
	}
	a.Status, a.Size, a.Title = out.Video.Status, out.Video.Size, out.Video.Title
	if a.Size > 0 || !a.stored() {
		return nil
	}
	source, err := h.cfg.VOD.GetMezzanineInfo(ctx, vod.GetMezzanineInfoRequest{VideoId: a.Id})
	if err != nil {
		return err
	}
	a.Size = source.Mezzanine.Size
	return nil
}

func (h *Handler) mediaState(ctx context.Context, a *Asset) error {
	out, err := h.cfg.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: a.Id})
	if err != nil {
		return err
	}
	a.Status, a.Title = out.MediaInfo.MediaBasicInfo.Status, out.MediaInfo.MediaBasicInfo.Title
	for _, file := range out.MediaInfo.FileInfoList {
		if file.FileBasicInfo.FileType == "source_file" || len(out.MediaInfo.FileInfoList) == 1 {
			a.Size = sizeOf(file.FileBasicInfo.FileSize)
		}
	}
	return nil
}

// sizeOf is a size that the service sends as text, zero while it is not known.
func sizeOf(text string) int64 {
	size, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return max(0, size)
}

// remove deletes an asset and its file.
func (h *Handler) remove(ctx context.Context, a Asset) error {
	var kept []string
	var err error
	switch a.Kind {
	case KindVideo:
		var out *vod.DeleteVideoResponse
		if out, err = h.cfg.VOD.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: []string{a.Id}}); err == nil {
			kept = out.ForbiddenVideoIds
		}
	case KindImage:
		_, err = h.cfg.VOD.DeleteImage(ctx, vod.DeleteImageRequest{DeleteImageType: "ImageId", ImageIds: []string{a.Id}})
	case KindAttachedMedia:
		_, err = h.cfg.VOD.DeleteAttachedMedia(ctx, vod.DeleteAttachedMediaRequest{MediaIds: []string{a.Id}})
	case KindMedia:
		var out *ice.DeleteMediaInfosResponse
		if out, err = h.cfg.ICE.DeleteMediaInfos(ctx, ice.DeleteMediaInfosRequest{MediaIds: []string{a.Id}, DeletePhysicalFiles: alimedia.Ptr(true)}); err == nil {
			kept = append(out.ForbiddenList, out.IgnoredList...)
		}
	}
	if err == nil && len(kept) > 0 {
		err = errors.New("webupload: the service kept the asset that was to be deleted")
	}
	return err
}

package upload

import (
	"cmp"
	"context"
	"strings"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// ICEMedia creates an asset of Intelligent Media Services in VOD storage
// (CreateUploadMedia). If FileInfo and, in MediaMetaData, Title and BusinessType
// are empty, they are filled in from the source.
type ICEMedia ice.CreateUploadMediaRequest

func (t ICEMedia) bind(u *Uploader, _ string) binding { return iceMedia{ICEMedia: t, u: u} }

// iceMedia is an ICEMedia with the clients of an Uploader.
type iceMedia struct {
	ICEMedia
	segmentTarget
	u *Uploader
}

func (iceMedia) name() string { return "ICEMedia" }

func (t iceMedia) create(ctx context.Context, file fileInfo) (destination, error) {
	if t.u.cfg.ICE == nil {
		return destination{}, needs("ICEMedia", "Config.ICE")
	}
	req := ice.CreateUploadMediaRequest(t.ICEMedia)
	if info := &req.FileInfo; info.Raw == "" {
		info.Ext = cmp.Or(info.Ext, file.ext())
		info.Type = cmp.Or(info.Type, kindOf(info.Ext))
		info.Name = cmp.Or(info.Name, file.title())
		var err error
		if info.Size, err = declared(info.Size, file); err != nil {
			return destination{}, err
		}
		if info.Ext == "" {
			return destination{}, noExtension("ICEMedia.FileInfo.Ext")
		}
	}
	if meta := &req.MediaMetaData; meta.Raw == "" {
		meta.Title = cmp.Or(meta.Title, clipRunes(file.title(), 128))
		meta.BusinessType = cmp.Or(meta.BusinessType, businessType(req.FileInfo.Type, req.FileInfo.Ext))
	}
	out, err := t.u.cfg.ICE.CreateUploadMedia(ctx, req)
	if err != nil {
		return destination{}, err
	}
	p := destination{mediaID: out.MediaId, fileURL: out.FileURL, mediaURL: out.MediaURL, requestID: out.RequestId}
	p.exists = t.u.mediaArrived(p.mediaID)
	return t.u.withCredential(p, out.UploadAddress, string(out.UploadAuth), t.u.refreshMedia(p.mediaID))
}

func (t iceMedia) describe(_ fileInfo, k *checkpoint.Key) {
	storage := t.UploadTargetConfig
	if storage.Raw != "" {
		_ = storage.Raw.Decode(&storage) // the service refuses an unreadable document
	}
	k.App, k.Storage = cmp.Or(t.AppId, defaultApp), storage.StorageLocation
}

func (t iceMedia) signer() signer     { return t.u.iceSigner() }
func (t iceMedia) status() statusFunc { return t.u.mediaState }

func (t iceMedia) resume(ctx context.Context, _ fileInfo, was destination, stored bool) (destination, error) {
	switch {
	case stored:
		return was, nil
	case t.u.cfg.ICE == nil:
		return was, needs("ICEMedia", "Config.ICE")
	}
	was.exists = t.u.mediaArrived(was.mediaID)
	return t.u.resumeAt(ctx, was, t.u.refreshMedia(was.mediaID))
}

func (t iceMedia) reopen() reopenFunc { return t.open }

// open returns the destination of an asset that exists.
func (t iceMedia) open(ctx context.Context, mediaID string) (destination, error) {
	if t.u.cfg.ICE == nil {
		return destination{}, needs("ICEMedia", "Config.ICE")
	}
	return t.u.withFreshCredential(ctx, destination{mediaID: mediaID, exists: t.u.mediaArrived(mediaID)}, t.u.refreshMedia(mediaID))
}

func (u *Uploader) refreshMedia(mediaId string) refreshFunc {
	return func(ctx context.Context) (string, string, error) {
		out, err := u.cfg.ICE.RefreshUploadMedia(ctx, ice.RefreshUploadMediaRequest{MediaId: mediaId})
		if err != nil {
			return "", "", err
		}
		return out.UploadAddress, string(out.UploadAuth), nil
	}
}

func (u *Uploader) mediaArrived(mediaId string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		out, err := u.cfg.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: mediaId})
		if err != nil {
			return false, err
		}
		return out.MediaInfo.MediaBasicInfo.Status != ice.MediaStatusInit, nil
	}
}

func (u *Uploader) mediaState(ctx context.Context, id string) (state, error) {
	out, err := u.cfg.ICE.GetMediaInfo(ctx, ice.GetMediaInfoRequest{MediaId: id})
	if err != nil {
		return state{}, err
	}
	return mediaState(out.MediaInfo.MediaBasicInfo.Status), nil
}

func mediaState(status string) state {
	return state{
		status: status,
		done:   status == ice.MediaStatusNormal,
		failed: status == ice.MediaStatusPrepareFail,
	}
}

// kinds are the file types of CreateUploadMedia by extension.
var kinds = func() map[string]string {
	m := make(map[string]string)
	for kind, exts := range map[string]string{
		"video": "mp4 m4v mov qt mkv webm flv f4v avi wmv asf ts m2ts mts m2t mpg mpeg m2v vob mxf 3gp 3g2 ogv rm rmvb gxf dat m4s cmfv av1 ivf m3u8 mpd",
		"audio": "mp3 m4a m4b aac wav flac ogg oga opus wma amr ape aif aiff ac3 ac4 eac3 ec3 dts mka weba cmfa mp2",
		"image": "png apng jpg jpeg jfif gif bmp webp heic heif avif jxl jp2 ico tif tiff svg",
		"text":  "srt ass ssa vtt stl ttml dfxp lrc ttf otf ttc",
	} {
		for _, ext := range strings.Fields(exts) {
			m[ext] = kind
		}
	}
	return m
}()

// kindOf returns video, audio, image, text or other.
func kindOf(ext string) string { return cmp.Or(kinds[strings.ToLower(ext)], "other") }

// businessType is the default use of a file of a kind.
func businessType(kind, ext string) string {
	switch kind {
	case "image":
		return "default"
	case "text":
		switch strings.ToLower(ext) {
		case "ttf", "otf", "ttc":
			return "font"
		}
		return "subtitles"
	}
	return "general"
}
